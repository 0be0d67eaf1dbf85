package session_test

import (
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// The default of TouchEvery follows the idle timeout: a twentieth of it.
func TestASessionIsTouchedTwentyTimesWithinAShortIdleTimeout(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.IdleTimeout = 2 * time.Minute })
	v, _ := r.signIn("ada")
	r.store.reset()
	for range 10 {
		r.clock.advance(6 * time.Second)
		v.with(func(s *session.Session) { s.User() })
	}
	if got := r.store.count("touch"); got != 10 {
		t.Errorf("%d touches in a minute, want one every 6 s", got)
	}
}
