package session_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
)

// The session ends while somebody who has signed in on it, and not saved yet, changes it within Atomic, or just before.
func TestALoginBeforeAtomicOutlivesTheEndOfItsSession(t *testing.T) {
	for name, ends := range map[string]func(r *rig, v *visitor, id string){
		"at the save":      func(r *rig, _ *visitor, id string) { r.atTheSaveOf(id, func() { r.revoked(id) }) },
		"before it looks":  func(r *rig, _ *visitor, id string) { r.revoked(id) },
		"by another login": func(_ *rig, v *visitor, _ string) { v.clone().with(signInAda) },
		"by a logout":      func(_ *rig, v *visitor, _ string) { v.clone().with((*session.Session).Logout) },
		"by time":          func(r *rig, _ *visitor, _ string) { r.clock.advance(48 * time.Hour) },
	} {
		r := newRig(t)
		v, id := beginning(r, fillCart)
		s := v.open()
		ends(r, v, id)
		s.Login("ada")
		promised := s.ID()
		shown, before := "", r.alive("ada")
		err := s.Atomic(bg, func(s *session.Session) error {
			s.Set("x", 2)
			shown = s.ID()
			return nil
		})
		if err != nil {
			t.Fatalf("%s: Atomic = %v", name, err)
		}
		again, err := r.Open(bg, s.Token())
		if err != nil || again.User() != "ada" || again.Get("x") != int64(2) || again.Has("cart") ||
			r.alive("ada") != before+1 {
			t.Errorf("%s: %q is signed in (%v) with %v, and ada has %d sessions more; want ada with x = 2, and one",
				name, again.User(), err, again.All(), r.alive("ada")-before)
		}
		if s.ID() != shown {
			t.Errorf("%s: the function is shown the id %q, and the session has %q", name, shown, s.ID())
		}
		if name == "at the save" && s.ID() == promised {
			t.Error("the id whose record was removed is taken again")
		}
	}
}

// A record that was removed is not made again under its id, which somebody may have revoked, or which is yet to be
// removed once more.
func TestAtomicTakesNoIDAgainWhoseRecordItHasRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, lost := range map[string]bool{"removed": false, "and the answer is lost": true} {
			r := newRig(t)
			v, id := beginning(r, fillCart)
			s := v.open()
			s.Login("ada")
			promised, deleted := s.ID(), false
			r.store.hook(func(call, of string) error {
				switch {
				case call == "save" && of == id && !deleted:
					deleted = true
					v.on(r.node().Manager).with(put("y", 1))
				case call == "delete" && of == promised && lost:
					r.store.hook(nil)
					return errors.Join(r.store.fullStore.Delete(bg, promised), errDown)
				}
				return nil
			})
			if err := s.Atomic(bg, func(s *session.Session) error { s.Set("x", 1); return nil }); err != nil {
				t.Fatalf("%s: Atomic = %v", name, err)
			}
			r.store.hook(nil)
			time.Sleep(time.Minute)
			if again, err := r.Open(bg, s.Token()); err != nil || again.User() != "ada" || again.Get("y") != int64(1) {
				t.Errorf("%s: %q is signed in with %v, %v; want ada", name, again.User(), again.All(), err)
			}
			if s.ID() == promised || !deleted {
				t.Errorf("%s: the id %q is taken again (a conflict: %t)", name, promised, deleted)
			}
			r.Close()
		}
	})
}

// The same when the attempt that follows is the last, and fails.
func TestAnIDWhoseRecordAtomicHasRemovedIsNotTakenLater(t *testing.T) {
	r := newRig(t)
	v, id := beginning(r, fillCart)
	s := v.open()
	s.Login("ada")
	promised, runs := s.ID(), 0
	r.atTheSaveOf(id, func() { v.on(r.node().Manager).with(put("y", 1)) })
	refusal := errors.New("no")
	err := s.Atomic(bg, func(*session.Session) error {
		if runs++; runs > 1 {
			return refusal
		}
		return nil
	})
	if !errors.Is(err, refusal) || s.ID() == promised {
		t.Errorf("Atomic = %v after %d runs, and the id is taken again: %t", err, runs, s.ID() == promised)
	}
	if err := s.Save(bg); err != nil || r.alive("ada") != 1 {
		t.Errorf("Save = %v, and ada has %d sessions", err, r.alive("ada"))
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

// The same where what begins after a Logout was removed, for the Logout failed.
func TestAnIDWhoseRecordALogoutHasRemovedIsNotTakenLater(t *testing.T) {
	for name, save := range map[string]func(*session.Session) error{
		"Save":   func(s *session.Session) error { return s.Save(bg) },
		"Atomic": func(s *session.Session) error { return s.Atomic(bg, func(*session.Session) error { return nil }) },
	} {
		r := newRig(t)
		v, id := r.signIn("ada")
		s := v.open()
		s.Logout()
		s.Set("x", 1)
		promised, failed := s.ID(), false
		r.store.hook(func(call, of string) error {
			if call == "save" && of == id && !failed {
				failed = true
				return errDown
			}
			return nil
		})
		if err := save(s); !errors.Is(err, session.ErrUnavailable) || s.ID() == promised {
			t.Errorf("%s: %v, and the id is taken again: %t", name, err, s.ID() == promised)
		}
		if err := save(s); err != nil || !r.opens(s.Token()) || s.ID() == promised || v.alive() {
			t.Errorf("%s once more: %v, under a new id: %t; the session that was left is alive: %t", name, err,
				s.ID() != promised, v.alive())
		}
	}
}
