package session_test

import (
	"errors"
	"testing"

	"github.com/coatcheck/session"
)

// What a function finds in a session is no longer there when another request has taken it and moved or ended the
// session. A Login begins a fresh one then, and must not go by what was read before.
func TestACodeThatAtomicTakesIsOfUseOnce(t *testing.T) {
	errUsed := errors.New("the code was used")
	pop := func(s *session.Session) error {
		if s.Pop("code") == nil {
			return errUsed
		}
		return nil
	}
	within := func(s *session.Session) error {
		return s.Atomic(t.Context(), func(s *session.Session) error {
			if err := pop(s); err != nil {
				return err
			}
			s.Login("ada")
			return nil
		})
	}
	before := func(s *session.Session) error {
		s.Login("ada")
		return s.Atomic(t.Context(), pop)
	}
	type rival func(*rig, *visitor, string)
	takes := func(then func(*session.Session)) rival {
		return func(_ *rig, v *visitor, _ string) {
			v.with(func(s *session.Session) {
				if err := s.Atomic(t.Context(), pop); err != nil {
					t.Error(err)
				}
				then(s)
			})
		}
	}
	rivals := map[string]rival{
		"takes it and signs in":  takes(signInAda),
		"takes it and signs out": takes((*session.Session).Logout),
		"takes it before the session is revoked": func(r *rig, v *visitor, id string) {
			takes(func(*session.Session) {})(r, v, id)
			if _, err := r.Revoke(t.Context(), id); err != nil {
				t.Error(err)
			}
		},
	}
	for how, use := range map[string]func(*session.Session) error{"within": within, "before": before} {
		for name, do := range rivals {
			t.Run("Login "+how+" Atomic, and another request "+name, func(t *testing.T) {
				r := newRig(t)
				v, id := beginning(r, func(s *session.Session) { s.Set("code", "x") })
				other := v.clone()
				r.before("save", id, func() { do(r, other, id) })
				v.with(func(s *session.Session) {
					if err := use(s); !errors.Is(err, errUsed) && !errors.Is(err, session.ErrEnded) {
						t.Errorf("a code that was used before is taken: %v", err)
					}
				})
			})
		}
	}
}

func TestALogoutWithinAtomicAfterALoginReachesASessionThatMoved(t *testing.T) {
	r := newRig(t)
	v, _ := r.signIn("ada")
	s := v.open()
	v.with((*session.Session).Regenerate)
	s.Login("ada")
	err := s.Atomic(t.Context(), func(s *session.Session) error { s.Logout(); return nil })
	if err != nil || v.alive() {
		t.Errorf("Atomic = %v, and the session is alive: %t; want nil and false", err, v.alive())
	}
}
