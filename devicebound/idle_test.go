package devicebound_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/devicebound"
)

// A page that only asks how long the session lasts makes the browser show its key, and nobody is there.
func TestAProofIsNoSignOfLife(t *testing.T) {
	for _, policy := range []devicebound.Policy{devicebound.Prefer, devicebound.Enforce} {
		s := newSite(t, devicebound.Options{Policy: policy}, idleAfter(15*time.Minute))
		s.mux.HandleFunc("/peek", func(w http.ResponseWriter, r *http.Request) {
			info, err := s.m.Peek(r)
			fmt.Fprint(w, info.ExpiresAt.Sub(s.clock.now()), err)
		})
		b := s.signedIn()
		for i := 1; i <= 2; i++ {
			s.clock.advance(6 * time.Minute)
			wantPage(t, b.Get("/peek"), fmt.Sprint(15*time.Minute-time.Duration(i)*6*time.Minute, error(nil)))
		}
		if got := s.told(devicebound.EventProved); len(got) != 1 {
			t.Errorf("policy %d: %d proofs, want one", policy, len(got))
		}
		s.clock.advance(2 * time.Minute)
		wantPage(t, b.Get("/"), "ada bound") // somebody is there
		for range 4 {
			s.clock.advance(4 * time.Minute)
			b.Get("/peek")
			b.Refresh()
		}
		wantPage(t, b.Get("/"), " none")
	}
}

// Whoever uses a session stays signed in, though each use begins with a proof.
func TestABoundSessionThatIsUsedStaysAlive(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce}, idleAfter(15*time.Minute))
	b := s.signedIn()
	for range 10 {
		s.clock.advance(14 * time.Minute)
		wantPage(t, b.Get("/"), "ada bound")
	}
}

func idleAfter(d time.Duration) func(*session.Options) {
	return func(o *session.Options) { o.IdleTimeout = d }
}
