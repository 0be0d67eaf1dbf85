package session_test

import (
	"errors"
	"testing"

	"github.com/coatcheck/session"
)

// The session ends while somebody who has signed in on it, and not saved yet, changes it within Atomic.
func TestALoginBeforeAtomicOutlivesTheEndOfItsSession(t *testing.T) {
	r := newRig(t)
	v, id := beginning(r, fillCart)
	s := v.open()
	s.Login("ada")
	promised := s.ID()
	r.atTheSaveOf(id, func() { r.revoked(id) })
	if err := s.Atomic(bg, func(s *session.Session) error { s.Set("x", 2); return nil }); err != nil {
		t.Fatalf("Atomic = %v", err)
	}
	again, err := r.Open(bg, s.Token())
	if err != nil || again.User() != "ada" || again.Get("x") != int64(2) || again.Has("cart") || r.alive("ada") != 1 {
		t.Errorf("%q is signed in (%v) with %v, and ada has %d sessions; want ada with x = 2, and one", again.User(),
			err, again.All(), r.alive("ada"))
	}
	if s.ID() == promised {
		t.Error("the id whose record was removed is taken again")
	}
}

// What was done before cannot be done on the fresh session.
func TestALoginWithinAtomicFailsWhenWhatWasDoneBeforeIsLost(t *testing.T) {
	for name, signIn := range map[string]func(s *session.Session) (within func(*session.Session) error){
		"before": func(s *session.Session) func(*session.Session) error {
			s.Login("ada")
			return func(*session.Session) error { return nil }
		},
		"within": func(*session.Session) func(*session.Session) error {
			return func(s *session.Session) error { s.Login("ada"); return nil }
		},
	} {
		r := newRig(t)
		v, id := beginning(r, func(s *session.Session) { s.Set("list", []int{1}) })
		s := v.open()
		within := signIn(s)
		s.Append("list", 2)
		s.Set("list.1", 3)
		r.atTheSaveOf(id, func() { r.revoked(id) })
		err := s.Atomic(bg, within)
		if err == nil || errors.Is(err, session.ErrUnavailable) || r.alive("ada") != 0 {
			t.Errorf("%s: Atomic = %v, and ada has %d sessions; want an error and none", name, err, r.alive("ada"))
		}
	}
}

// revoked ends a session at another node.
func (r *rig) revoked(id string) {
	r.t.Helper()
	if n, err := r.node().Revoke(bg, id); n != 1 || err != nil {
		r.t.Errorf("Revoke = %d, %v", n, err)
	}
}

// A Logout does what it does outside, and drops what cannot be done any more.
func TestALogoutWithinAtomicEndsASessionThatMovedWhateverWasDoneBefore(t *testing.T) {
	r := newRig(t)
	v, _ := r.signIn("ada")
	v.with(func(s *session.Session) { s.Set("list", []int{1}) })
	s := v.open()
	s.Append("list", 2)
	s.Set("list.1", 3)
	v.with((*session.Session).Regenerate)
	err := s.Atomic(bg, func(s *session.Session) error { s.Logout(); return nil })
	if err != nil || v.alive() {
		t.Errorf("Atomic = %v, and the session is alive: %t; want nil and false", err, v.alive())
	}
}
