package session_test

import (
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// A request may change one setting and nothing else, and another one change it back. To set what it is changes nothing.
func TestASettingAloneIsStored(t *testing.T) {
	for name, row := range map[string]struct {
		set  func(s *session.Session, on bool)
		seen func(r *rig, s *session.Session) bool
	}{
		"idle timeout": {func(s *session.Session, on bool) { s.SetIdleTimeout(either(on, time.Hour)) },
			func(r *rig, s *session.Session) bool { return s.ExpiresAt().Equal(r.clock.now().Add(time.Hour)) }},
		"lifetime": {func(s *session.Session, on bool) { s.SetLifetime(either(on, time.Hour)) },
			func(r *rig, s *session.Session) bool { return s.ExpiresAt().Equal(r.clock.now().Add(time.Hour)) }},
		"deadline": {
			func(s *session.Session, on bool) {
				s.SetDeadline(map[bool]time.Time{true: newClock().now().Add(time.Hour)}[on])
			},
			func(r *rig, s *session.Session) bool { return s.ExpiresAt().Equal(r.clock.now().Add(time.Hour)) }},
		"persistent": {func(s *session.Session, on bool) { s.SetPersistent(on) },
			func(r *rig, _ *session.Session) bool { return r.info().Persistent }},
	} {
		r := newRig(t)
		v, _ := r.signIn("ada")
		for _, on := range []bool{true, true, false} {
			v.with(func(s *session.Session) { row.set(s, on) })
			r.store.reset()
			v.with(func(s *session.Session) {
				if row.seen(r, s) != on {
					t.Errorf("%s: the next request sees %v, want %v", name, !on, on)
				}
				row.set(s, on)
			})
			if n := r.store.calls["save"]; n != 0 {
				t.Errorf("%s: to set it again saves %d times", name, n)
			}
		}
	}
}

// either is a duration, or 0 for that of the manager.
func either(on bool, d time.Duration) time.Duration {
	if on {
		return d
	}
	return 0
}
