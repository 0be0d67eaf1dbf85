package devicebound_test

import (
	"testing"
	"time"

	"github.com/coatcheck/session/devicebound"
)

// A clock that was wrong and is put right signs nobody out: not while it is behind what the session has seen, nor
// later.
func TestAClockThatStepsBackEndsNoBinding(t *testing.T) {
	for _, step := range []time.Duration{2 * time.Minute, time.Hour, 20 * time.Hour} {
		s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
		b := s.signedIn()
		s.clock.advance(step)
		b.Refresh()
		s.clock.advance(-step)
		for range 3 {
			b.SetCookie(boundCookie, "")
			wantPage(t, b.Get("/"), "ada bound")
			wantPage(t, b.Follow("/now", false), "ada bound")
			s.clock.advance(time.Minute)
		}
		s.clock.advance(step)
		wantPage(t, b.Get("/"), "ada bound")
		thief := b.Copy()
		s.clock.advance(12 * time.Minute)
		wantPage(t, thief.Get("/"), " none")
	}
}
