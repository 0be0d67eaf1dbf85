package session_test

import (
	"net/http"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
)

// When a handler panics no response of ours goes out. What a goroutine of it does afterwards must not get an id that
// nobody is told of.
func TestNoIDIsMadeAfterAPanic(t *testing.T) {
	for name, change := range map[string]func(*session.Session){
		"Regenerate": (*session.Session).Regenerate,
		"Login":      func(s *session.Session) { s.Login("ada") },
		"Set":        func(s *session.Session) { s.Set("x", 1) },
	} {
		for _, stored := range []bool{true, false} {
			r := newRig(t)
			v := r.visitor()
			if stored {
				v.with(func(s *session.Session) { s.Set("cart", 1) })
			}
			var left *session.Session
			h := r.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
				left = s
				panic("handler")
			})
			v.through(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				defer func() { _ = recover() }()
				h.ServeHTTP(w, req)
			}), "GET")
			change(left)
			err := left.Save(t.Context())
			if ok := stored && name == "Set"; ok != (err == nil) {
				t.Errorf("%s, stored %v: Save = %v", name, stored, err)
			}
			n := 0
			for range r.All(t.Context()) {
				n++
			}
			v.with(func(s *session.Session) {
				if s.IsNew() == stored || n > 1 || !stored && n > 0 {
					t.Errorf("%s, stored %v: %d sessions, and the client has a new one: %v", name, stored, n, s.IsNew())
				}
			})
		}
	}
}

// A session that is its ticket is lost with the response that would have carried it, and Save must not say otherwise.
func TestSaveSaysThatNoResponseCarriesTheSession(t *testing.T) {
	store, err := cookiestore.New(cookiestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := session.New(store, session.Options{Secrets: []session.Secret{testSecret}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	v := (&rig{Manager: m, t: t}).visitor()
	v.with(func(s *session.Session) { s.Set("x", 1) })
	var left *session.Session
	h := m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Set("x", 2)
		left = s
		panic("handler")
	})
	v.through(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		defer func() { _ = recover() }()
		h.ServeHTTP(w, req)
	}), "GET")
	if err := left.Save(t.Context()); err == nil {
		t.Error("Save = nil")
	}
	v.with(func(s *session.Session) { wantGet(t, s, "x", int64(1)) })
}
