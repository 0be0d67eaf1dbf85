package session_test

import (
	"context"
	"math"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// A time-out of one session that nobody can mean fails open, or ends the session at once: it is refused, with what to
// write.
func TestAClockThatNobodyCanMeanIsRefused(t *testing.T) {
	past := newClock().now().Sub(newClock().now().Add(time.Hour))
	for name, c := range map[string]struct {
		set  func(*session.Session)
		want string
	}{
		"a lifetime until what is past": {func(s *session.Session) { s.SetLifetime(past) },
			"SetLifetime: " + past.String() + " is negative; use session.Never"},
		"a negative idle timeout": {func(s *session.Session) { s.SetIdleTimeout(-2) },
			"SetIdleTimeout: -2ns is negative"},
		"an idle timeout without unit": {func(s *session.Session) { s.SetIdleTimeout(1800) },
			"SetIdleTimeout: 1.8µs is below one second; did you mean 1800*time.Second?"},
		"a lifetime below a second": {func(s *session.Session) { s.SetLifetime(999 * time.Millisecond) },
			"did you mean 999*time.Second?"},
		"a negative time to remember": {func(s *session.Session) { s.Login("ada", session.Remember(-time.Hour)) },
			"Remember: -1h0m0s is negative"},
		"a short time to remember": {func(s *session.Session) { s.Login("ada", session.Remember(30)) },
			"Remember: 30ns is below one second; did you mean 30*time.Second?"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			resp := r.visitor().with(func(s *session.Session) {
				s.Set("x", 1)
				c.set(s)
				wantText(t, s.Err(), c.want)
			})
			if resp.StatusCode != 500 || r.store.count("save") != 0 {
				t.Errorf("status %d, %d saves, want 500 and none", resp.StatusCode, r.store.count("save"))
			}
		})
	}
}

// The longest durations are clocks as any other.
func TestTheLongestClocksEndNothing(t *testing.T) {
	r := newRig(t, func(o *session.Options) {
		o.IdleTimeout, o.Lifetime, o.RenewGrace, o.RenewEvery = math.MaxInt64, math.MaxInt64, math.MaxInt64,
			math.MaxInt64
		o.MaxPerUser, o.MaxBytes = math.MaxInt, math.MaxInt
	})
	v := r.visitor()
	resp := v.with(func(s *session.Session) { s.Login("ada", session.Remember(math.MaxInt64)) })
	if c := sessionCookie(t, resp); c.MaxAge != 34_560_000 {
		t.Errorf("Max-Age %d, want 400 days", c.MaxAge)
	}
	stale := v.clone()
	v.with((*session.Session).Regenerate)
	r.clock.advance(200 * 365 * 24 * time.Hour)
	if _, err := r.Sweep(t.Context()); err != nil || !v.alive() {
		t.Errorf("Sweep: %v, alive %v", err, v.alive())
	}
	v.with((*session.Session).Logout)
	if v.alive() || stale.alive() {
		t.Error("a logout ended nothing")
	}
	text := stale.with(put("x", 1)).Header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 64); err != nil || seconds < math.MaxInt32 {
		t.Errorf("Retry-After %q, want at least 68 years", text)
	}
}

// A cookie that ends a second before its session signs somebody out early; so the time is rounded up.
func TestACookieLivesAsLongAsItsSession(t *testing.T) {
	clock := newClock()
	r := newRig(t, func(o *session.Options) {
		o.Now = func() time.Time { clock.advance(time.Millisecond); return clock.now() } // a request takes some time
	})
	resp := r.visitor().with(func(s *session.Session) { s.Login("ada", session.Remember(30*24*time.Hour)) })
	if c := sessionCookie(t, resp); c.MaxAge != 2_592_000 {
		t.Errorf("Max-Age %d, want 2592000", c.MaxAge)
	}
}

// sweptStore counts how often it is swept.
type sweptStore struct {
	*memstore.Store
	sweeps atomic.Int32
}

func (s *sweptStore) Sweep(context.Context, time.Time, int) (int, error) {
	s.sweeps.Add(1)
	return 0, nil
}

// Half of the sweepers began at once, when a tenth more than the longest time was a negative one.
func TestTheLongestPauseBetweenSweepsIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &sweptStore{Store: memstore.New(memstore.Options{})}
		for range 50 {
			m, err := session.New(store, session.Options{Secrets: []session.Secret{testSecret},
				SweepEvery: math.MaxInt64})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
		}
		synctest.Wait()
		if n := store.sweeps.Load(); n != 0 {
			t.Errorf("%d sweeps at once", n)
		}
	})
}
