package session_test

import (
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/memstore"
)

// The session of an id has ended by itself: what another user, or nobody, began on the same browser is another one.
func TestRevokeEndsNoSessionThatFollowedAnother(t *testing.T) {
	for name, next := range map[string]func(*session.Session){
		"a login of another user":         signIn("bob"),
		"a logout and a login":            func(s *session.Session) { s.Logout(); s.Login("bob") },
		"a logout and data":               func(s *session.Session) { s.Logout(); s.Set("cart", "hat") },
		"a logout and a login of herself": func(s *session.Session) { s.Logout(); s.Login("ada") },
	} {
		for how, revoke := range map[string]func(r *rig, id string) (int, error){
			"Revoke": func(r *rig, id string) (int, error) { return r.Revoke(t.Context(), id) },
			"RevokeFor": func(r *rig, id string) (int, error) {
				return r.RevokeFor(t.Context(), session.ReasonOperator, id)
			},
		} {
			r := newRig(t)
			v, id := r.signIn("ada")
			v.with(next)
			if n, err := revoke(r, id); n != 0 || err != nil || !v.alive() {
				t.Errorf("%s after %s: %d, %v, and the session that followed is alive: %v; want 0 and true", how, name,
					n, err, v.alive())
			}
		}
	}
}

// What goes on under a new id is the session that was meant.
func TestRevokeEndsASessionUnderTheIDThatItGot(t *testing.T) {
	for name, next := range map[string]func(*session.Session){
		"a login of herself": signIn("ada"),
		"Regenerate":         (*session.Session).Regenerate,
		"Confirm":            func(s *session.Session) { s.Confirm("otp") },
	} {
		r := newRig(t)
		v, id := r.signIn("ada")
		v.with(next)
		if n, err := r.Revoke(t.Context(), id); n != 1 || err != nil || v.alive() {
			t.Errorf("after %s: %d, %v, and the session is alive: %v; want 1 and false", name, n, err, v.alive())
		}
	}
}

func TestRevokeEndsNoCookieThatFollowedAnother(t *testing.T) {
	store, err := cookiestore.New(cookiestore.Options{Revocations: memstore.New(memstore.Options{})})
	if err != nil {
		t.Fatal(err)
	}
	m := manage(t, store, session.Options{Secrets: []session.Secret{testSecret}, SweepEvery: session.Never})
	v, id := newRig(t).visitor().on(m), ""
	v.with(func(s *session.Session) { s.Login("ada"); id = s.ID() })
	v.with(signIn("bob"))
	if n, err := m.Revoke(t.Context(), id); n != 0 || err != nil || v.user() != "bob" {
		t.Errorf("Revoke = %d, %v, and the visitor is %q; want 0 and bob", n, err, v.user())
	}
}
