package session_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// However often other requests have renewed it meanwhile, whoever signs in takes the place of their own session.
func TestALoginTakesThePlaceOfItsOwnSessionThatWasRenewedTwice(t *testing.T) {
	for _, overflow := range []session.Overflow{session.EvictOldest, session.RefuseNew} {
		t.Run(fmt.Sprint("overflow ", overflow), func(t *testing.T) {
			r := newRig(t, atMost(1, overflow), hourly)
			v, _ := r.signIn("ada")
			v.with(func(s *session.Session) { s.Set("cart", "full") })
			other := v.clone()
			resp := v.do(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
				s.Login("ada")
				for range 2 {
					r.clock.advance(2 * time.Hour)
					other.with(func(s *session.Session) { s.Set("x", 2) })
				}
			})
			if resp.StatusCode != http.StatusOK || r.ev.count(session.EventEvicted) != 0 || r.alive("ada") != 1 {
				t.Errorf("status %d, %d evicted, %d sessions; want 200, none and one", resp.StatusCode,
					r.ev.count(session.EventEvicted), r.alive("ada"))
			}
			v.with(func(s *session.Session) {
				if s.User() != "ada" || s.Get("cart") != "full" || s.Get("x") != int64(2) {
					t.Errorf("user %q with %v, want ada with a full cart and x = 2", s.User(), s.All())
				}
			})
		})
	}
}

// The session has ended meanwhile, and what the request did on it cannot be done on a fresh one.
func TestALoginThatCannotBeginAfreshSignsNobodyOut(t *testing.T) {
	r := newRig(t, atMost(1, session.EvictOldest))
	first, _ := r.signIn("ada")
	v, id := beginning(r, func(s *session.Session) { s.Set("list", []int{1}) })
	v.do(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Login("ada")
		s.Append("list", 2)
		s.Set("list.1", 3)
		if _, err := r.node().RevokeFor(t.Context(), session.ReasonOperator, id); err != nil {
			t.Fatal(err)
		}
		if err := s.Save(t.Context()); err == nil {
			t.Error("the list that is gone was changed")
		}
	})
	if first.user() != "ada" || r.ev.count(session.EventEvicted) != 0 {
		t.Errorf("the other session is %q's, and %d were evicted; want ada's and none", first.user(),
			r.ev.count(session.EventEvicted))
	}
}

// While the store does not say what became of the session that signs in, nobody else goes for it.
func TestALoginDuringAnOutageSignsNobodyOut(t *testing.T) {
	r := newRig(t, atMost(1, session.EvictOldest))
	first, _ := r.signIn("ada")
	v, id := beginning(r, fillCart)
	v.do(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		r.store.hook(func(call, of string) error {
			if call == "load" && of == id {
				return errDown
			}
			return nil
		})
		s.Login("ada")
		if err := s.Save(t.Context()); !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("Save = %v, want ErrUnavailable", err)
		}
		r.store.hook(nil)
		_ = s.Reload(t.Context())
	})
	if first.user() != "ada" {
		t.Errorf("the other session is %q's, want ada's", first.user())
	}
}
