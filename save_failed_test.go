package session_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/coatcheck/session"
)

// A handler that goes on after an error of Save or Atomic sees what the failed call found out, and what it ended.
func TestASessionThatAFailedCommitFoundGoneHasNoIDAnyMore(t *testing.T) {
	for name, commit := range map[string]func(*session.Session) error{
		"Save": func(s *session.Session) error { s.Set("x", 1); return s.Save(t.Context()) },
		"Atomic": func(s *session.Session) error {
			return s.Atomic(t.Context(), func(s *session.Session) error { s.Set("x", 1); return nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			v, _ := r.signIn("ada")
			s := v.open()
			if _, err := r.RevokeUser(t.Context(), "ada"); err != nil {
				t.Fatal(err)
			}
			if err := commit(s); !errors.Is(err, session.ErrEnded) || s.ID() != "" || s.Token() != "" {
				t.Errorf("the commit = %v, then ID %q, and a token: %t; want ErrEnded and none", err, s.ID(),
					s.Token() != "")
			}
		})
	}
}

// The store had no room for what was to follow, but the logout is done: Reload finds no session to go back to, nor one
// that has ended elsewhere.
func TestReloadAfterALogoutThatIsDoneFindsNothing(t *testing.T) {
	r := newRig(t)
	v, _ := r.signIn("ada")
	s := v.open()
	r.full()
	s.Logout()
	s.Set("x", 1)
	if err := s.Save(t.Context()); !errors.Is(err, session.ErrUnavailable) || r.alive("ada") != 0 {
		t.Fatalf("Save = %v, %d sessions; want ErrUnavailable and 0", err, r.alive("ada"))
	}
	if err := s.Reload(t.Context()); err != nil || s.Has("x") || s.ID() != "" {
		t.Errorf("Reload = %v, x: %t, ID %q; want nothing", err, s.Has("x"), s.ID())
	}
}

// Another tab has got the session's new ticket meanwhile. The old one would soon sign the visitor out.
func TestAResponseWhoseCommitFailedDoesNotBringBackAnOldTicket(t *testing.T) {
	var failed error
	r := newRig(t, renewing, func(o *session.Options) {
		o.MaxBytes, o.OnError = 1000, func(_ http.ResponseWriter, _ *http.Request, err error) { failed = err }
	})
	v, _ := r.signIn("ada")
	half, old, renewed := strings.Repeat("x", 600), v.ticket(), ""
	resp := v.with(func(s *session.Session) {
		r.clock.advance(renewEvery)
		v.with(put("other", half))
		renewed = v.ticket()
		s.Set("mine", half)
	})
	if renewed == old {
		t.Fatal("the other tab got no new ticket")
	}
	if !errors.Is(failed, session.ErrTooLarge) || len(resp.Cookies()) != 0 || v.ticket() != renewed {
		t.Errorf("the commit = %v, %d cookies, and the new ticket is kept: %t; want ErrTooLarge, none, true", failed,
			len(resp.Cookies()), v.ticket() == renewed)
	}
}

// Who logged out decides what goes on after an Atomic that failed: nothing when its function did; the session begun
// since when that was before.
func TestOnlyWhatWasBegunBeforeGoesOnAfterAnAtomicThatFailedAndEndedTheSession(t *testing.T) {
	refused := func(s *session.Session) error { s.Set("", 1); return nil }
	t.Run("its function logged out", func(t *testing.T) {
		v, _ := newRig(t).signIn("ada")
		s := v.open()
		err := s.Atomic(t.Context(), func(s *session.Session) error { s.Logout(); return refused(s) })
		if err == nil || s.ID() != "" || s.Token() != "" {
			t.Errorf("Atomic = %v, then ID %q, and a token: %t; want an error and none", err, s.ID(), s.Token() != "")
		}
		s.Set("x", 1)
		if err := s.Save(t.Context()); !errors.Is(err, session.ErrEnded) {
			t.Errorf("Save = %v, want ErrEnded", err)
		}
	})
	t.Run("logged out before", func(t *testing.T) {
		r := newRig(t)
		v, old := r.signIn("ada")
		s := v.open()
		s.Logout()
		s.Set("x", 1)
		if err := s.Atomic(t.Context(), refused); err == nil || r.alive("ada") != 0 {
			t.Fatalf("Atomic = %v, %d sessions; want an error and 0", err, r.alive("ada"))
		}
		err := s.Save(t.Context())
		if err != nil || s.ID() == "" || s.ID() == old || !r.stored(s.ID()) {
			t.Errorf("Save = %v, then ID %q; want that of a new session", err, s.ID())
		}
	})
}

// Another tab changed the id, so the session is gone here; the Logout still ends it.
func TestASessionThatWasGoneStaysGoneAfterAnAtomicThatEndedItsSuccessor(t *testing.T) {
	r := newRig(t)
	v, _ := r.signIn("ada")
	s := v.open()
	v.with((*session.Session).Regenerate)
	set := func(s *session.Session) error { s.Set("x", 1); return nil }
	_ = set(s)
	if err := s.Save(t.Context()); !errors.Is(err, session.ErrEnded) {
		t.Fatalf("Save = %v, want ErrEnded", err)
	}
	s.Logout()
	if err := s.Atomic(t.Context(), set); !errors.Is(err, session.ErrEnded) || r.alive("ada") != 0 {
		t.Fatalf("Atomic = %v, %d sessions; want ErrEnded and 0", err, r.alive("ada"))
	}
	_ = set(s)
	if err := s.Save(t.Context()); !errors.Is(err, session.ErrEnded) || s.ID() != "" {
		t.Errorf("Save = %v, then ID %q; want ErrEnded and none", err, s.ID())
	}
}
