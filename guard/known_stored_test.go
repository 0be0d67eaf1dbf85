package guard_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/memstore"
)

// carried is a porch whose sessions are in cookies: each Save gives one another ticket.
func carried(t *testing.T) *porch {
	t.Helper()
	revocations := &brittle{Store: memstore.New(memstore.Options{})}
	store, err := cookiestore.New(cookiestore.Options{Revocations: revocations})
	if err != nil {
		t.Fatal(err)
	}
	return newPorchOn(t, store, revocations)
}

// What else the handler stores says nothing of the proof.
func TestAConfirmationIsToldOfWhenItIsStoredWhateverWasBefore(t *testing.T) {
	for name, before := range map[string]func(*session.Session){
		"a value":      func(s *session.Session) { s.Set("seen", true) },
		"another id":   (*session.Session).Regenerate,
		"what is lost": func(s *session.Session) { s.Set("f", func() {}) },
	} {
		for store, p := range map[string]*porch{"in the store": newPorch(t), "in cookies": carried(t)} {
			name := name + " of a session " + store
			fails := true
			confirm := p.way(func(r *http.Request, s *session.Session) error {
				before(s)
				if err := s.Save(r.Context()); err != nil {
					_ = s.Reload(r.Context())
				}
				s.Confirm("otp")
				p.store.broken.Store(fails)
				return nil
			})
			v := p.from(1)
			v.with(func(s *session.Session) { s.Login("ann") })
			if got := p.arrive(v, confirm, "POST", ""); got != http.StatusServiceUnavailable {
				t.Errorf("%s: status %d without a store", name, got)
			}
			p.hears(name + ": a confirmation that is not stored")
			fails = false
			p.store.broken.Store(false)
			if got := p.arrive(v, confirm, "POST", ""); got != http.StatusOK {
				t.Errorf("%s: status %d", name, got)
			}
			p.hears(name+": a confirmation", "ann")
		}
	}
}

// A handler that has stored the proof may store more, or drop what it did after it.
func TestAConfirmationThatIsStoredIsToldOfAtOnce(t *testing.T) {
	for name, after := range map[string]func(*http.Request, *session.Session) error{
		"with nothing after it": func(*http.Request, *session.Session) error { return nil },
		"with a value after it": func(r *http.Request, s *session.Session) error {
			s.Set("seen", true)
			return s.Save(r.Context())
		},
		"with another one that is dropped": func(r *http.Request, s *session.Session) error {
			s.Confirm("webauthn")
			return s.Reload(r.Context())
		},
	} {
		for _, p := range []*porch{newPorch(t), carried(t)} {
			v := p.from(1)
			v.with(func(s *session.Session) { s.Login("ann") })
			p.arrive(v, p.way(func(r *http.Request, s *session.Session) error {
				s.Confirm("otp")
				if err := s.Save(r.Context()); err != nil {
					return err
				}
				return after(r, s)
			}), "POST", "")
			p.hears(name, "ann")
		}
	}
}

// A Reload takes a confirmation back that nothing has stored, whatever has been stored before it.
func TestAConfirmationThatIsDroppedIsToldToNobody(t *testing.T) {
	for _, p := range []*porch{newPorch(t), carried(t)} {
		v := p.from(1)
		v.with(func(s *session.Session) { s.Login("ann") })
		p.arrive(v, p.way(func(r *http.Request, s *session.Session) error {
			s.Regenerate()
			if err := s.Save(r.Context()); err != nil {
				return err
			}
			s.Confirm("otp")
			return s.Reload(r.Context())
		}), "POST", "")
		p.hears("a confirmation that is dropped")
		if c := v.cookies[deviceCookie]; c != "" {
			t.Errorf("a confirmation that is dropped makes a device: %q", c)
		}
	}
}

// The device is in the response already when the sign-in fails, and stays what it was.
func TestASignInThatFailsLeavesTheDeviceWhatItWas(t *testing.T) {
	p := newPorch(t)
	v := p.from(1)
	v.try(p.door, "bob", right)
	plain := p.form
	p.form = p.SignIn(byUser)(p.m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		if err := errors.Join(p.KnowDevice(w, r, "bob"), s.TryLogin("ann")); err != nil {
			t.Error(err)
		}
	}))
	p.store.broken.Store(true)
	w := v.try(p.door, "ann", right)
	p.store.broken.Store(false)
	if w.Code != http.StatusServiceUnavailable || sentDevice(t, w) == nil {
		t.Errorf("status %d, cookies %q, want 503 and the device that KnowDevice sends", w.Code, w.Result().Cookies())
	}
	if p.form = plain; p.knows(v, "ann") || !p.knows(v, "bob") {
		t.Error("want that the device is known for bob alone")
	}
}
