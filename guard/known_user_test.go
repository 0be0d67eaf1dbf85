package guard_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/coatcheck/session"
)

// way is a sign-in that names nobody before it has succeeded.
func (p *porch) way(fn func(*http.Request, *session.Session) error) http.Handler {
	nobody := func(*http.Request) string { return "" }
	return p.SignIn(nobody)(p.m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		if err := fn(r, s); err != nil {
			p.m.Fail(w, r, err)
		}
	}))
}

// ways are two of them, one of which also stands within other middleware.
func (p *porch) ways() map[string]http.Handler {
	passkey := p.way(func(r *http.Request, s *session.Session) error { return s.TryLogin(r.FormValue("user")) })
	return map[string]http.Handler{
		"a passkey": passkey, "a passkey within": p.m.Middleware(passkey),
		"a provider": p.way(func(r *http.Request, s *session.Session) error { // as package oidcsession does
			return s.Atomic(r.Context(), func(s *session.Session) error { return s.TryLogin(r.FormValue("user")) })
		}),
	}
}

// arrive signs in by a way, by POST as from a script or by GET as from another site.
func (p *porch) arrive(v at, way http.Handler, method, user string) int {
	r := request(method, "/arrive?user="+user, asJSON)
	r.RemoteAddr = v.address + ":4711"
	return v.send(way, r).Code
}

// hears checks which users a device has been new to since it was last asked.
func (p *porch) hears(what string, users ...string) {
	p.t.Helper()
	if len(p.told) != len(users) {
		p.t.Errorf("%s: the site hears of %+v, want of %q", what, p.told, users)
	}
	for i, e := range p.told {
		if i < len(users) && (e.User != users[i] || e.Actor != users[i] || e.ID == "" || !e.RemoteIP.IsValid()) {
			p.t.Errorf("%s: the event is %+v, want one of %s with an id and an address", what, e, users[i])
		}
	}
	p.told = nil
}

func TestASignInThatNamesNobodyTellsOfANewDevice(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		p := newPorch(t)
		for name, way := range p.ways() {
			v := p.from(1)
			v.get(way, "/") // which signs nobody in
			p.hears(name + ": a page")
			if c := v.cookies[deviceCookie]; method == "GET" && c != "" {
				t.Errorf("%s: a page makes a device: %q", name, c)
			}
			p.arrive(v, way, method, "ann")
			p.hears(name, "ann")
			p.arrive(v, way, method, "ann")
			p.hears(name + ": again")
			p.arrive(v, way, method, "bob")
			p.hears(name+": another user", "bob")
			p.arrive(p.from(2), way, method, "ann")
			p.hears(name+": another device", "ann")
		}
	}
}

// Somebody may have the account that is called as another user is: what they did on a device must not hide that they
// sign in there as that user, nor the other way around.
func TestANameOfSomebodyElseHidesNoNewDevice(t *testing.T) {
	p := newPorch(t)
	for name, way := range p.ways() {
		v := p.from(1)
		p.arrive(v, way, "POST", "ann")
		v.try(p.door, "ann", right)
		p.hears(name+" and a password", "ann", "ann")
		p.arrive(v, way, "GET", "ann")
		v.try(p.door, "ann", right)
		p.hears(name + " and a password again")
		v = p.from(1)
		v.try(p.door, "ann", right)
		p.arrive(v, way, "GET", "ann")
		p.hears("a password and "+name, "ann", "ann")
	}
}

// The account of somebody may be called as a user of another account is. So a sign-in gives guesses at nothing but the
// account that it named.
func TestADeviceOfAUserHasNoGuessesAtAnAccount(t *testing.T) {
	p := newPorch(t)
	for name, way := range p.ways() {
		v := p.from(1)
		p.arrive(v, way, "POST", "ann")
		if p.knows(v, "ann") {
			t.Errorf("%s: the device has the limit of one that was signed in to the account", name)
		}
	}
}

func TestASignInThatNamesNobodyAndFailsTellsOfNothing(t *testing.T) {
	p := newPorch(t)
	for name, way := range p.ways() {
		v := p.from(1)
		p.store.broken.Store(true)
		if got := p.arrive(v, way, "POST", "ann"); got != http.StatusServiceUnavailable {
			t.Errorf("%s: status %d without a store", name, got)
		}
		p.store.broken.Store(false)
		p.arrive(v, way, "POST", "") // is nobody
		p.hears(name)
		if c := v.cookies[deviceCookie]; c != "" {
			t.Errorf("%s: a failure makes a device: %q", name, c)
		}
		p.arrive(v, way, "POST", "ann")
		p.hears(name+": then it succeeds", "ann")
	}
	left := p.way(func(_ *http.Request, s *session.Session) error {
		s.Login("ann")
		s.Logout()
		return errors.New("on second thought")
	})
	p.arrive(p.from(3), left, "POST", "ann")
	p.hears("a sign-in that was taken back")
}

// Who signed in some other way, and shows a passkey before a payment, has a device that nobody knew.
func TestAConfirmationThatNamesNobodyTellsOfANewDevice(t *testing.T) {
	p := newPorch(t)
	confirm := p.way(func(_ *http.Request, s *session.Session) error {
		s.Confirm("webauthn")
		return nil
	})
	v := p.from(1)
	v.with(func(s *session.Session) { s.Login("ann") })
	p.store.broken.Store(true)
	if got := p.arrive(v, confirm, "POST", ""); got != http.StatusServiceUnavailable {
		t.Errorf("status %d without a store", got)
	}
	p.store.broken.Store(false)
	p.hears("a confirmation that is not stored")
	p.arrive(v, confirm, "POST", "")
	p.hears("a confirmation", "ann")
	p.arrive(v, confirm, "POST", "")
	p.hears("another one")
}

// A link for a forgotten password signs people in without a form, and so does whoever has stolen their mail.
func TestALinkThatSignsInTellsOfANewDevice(t *testing.T) {
	p := newPorch(t)
	link := func(signIn func(*http.Request, *session.Session) error) http.Handler {
		return p.m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
			if err := errors.Join(p.KnowDevice(w, r, "ann"), signIn(r, s)); err != nil {
				p.m.Fail(w, r, err)
			}
		})
	}
	signsIn := func(_ *http.Request, s *session.Session) error { return s.TryLogin("ann") }
	v := p.from(1)
	p.store.broken.Store(true)
	p.arrive(v, link(signsIn), "GET", "")
	p.store.broken.Store(false)
	p.hears("a sign-in that is not stored")
	p.arrive(v, link(signsIn), "GET", "")
	p.hears("a link", "ann")
	p.arrive(v, link(signsIn), "GET", "")
	v.try(p.door, "ann", right)
	p.hears("a known device")
	p.arrive(p.from(2), link(func(*http.Request, *session.Session) error { return nil }), "GET", "")
	p.hears("a link that leads to a form")
	p.arrive(p.from(3), link(func(r *http.Request, s *session.Session) error {
		return s.Atomic(r.Context(), func(s *session.Session) error { return s.TryLogin("ann") })
	}), "GET", "")
	p.hears("a link that stores at once", "ann")
	p.form = p.SignIn(byUser)(link(signsIn))
	bob := p.from(4)
	bob.try(p.door, "bob", right)
	p.hears("a form by one of two names", "ann")
	bob.try(p.door, "bob", right)
	p.hears("the form again")
}

// The other name of an account makes no device new.
func TestASecondNameOnAKnownDeviceTellsOfNothing(t *testing.T) {
	p := newPorch(t)
	v := p.from(1)
	v.try(p.door, "ann", right)
	p.hears("the first sign-in", "ann")
	plain := p.form
	p.form = p.SignIn(byUser)(p.m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		if err := errors.Join(p.KnowDevice(w, r, "bob"), s.TryLogin("ann")); err != nil {
			t.Error(err)
		}
	}))
	v.try(p.door, "ann", right)
	p.hears("the second one")
	if p.form = plain; !p.knows(v, "bob") {
		t.Error("the other name is not known")
	}
}
