package cookiestore_test

import (
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
)

// Both deadlines are in the seal, whatever the browser does with the cookie.
func TestDeadlinesAreInTheSeal(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		idle, absolute := r.visitor(), r.visitor()
		idle.with(set("x", 1))
		absolute.with(set("x", 1))
		r.advance(time.Hour - time.Microsecond)
		idle.copied().wants("x", int64(1))
		for range 3 {
			absolute.with(set("x", 2))
			r.advance(50 * time.Minute)
		}
		idle.with(func(s *session.Session) {
			if !s.Expired() || s.Has("x") {
				t.Errorf("expired %v, data %v", s.Expired(), s.All())
			}
		})
		absolute.wants("x", int64(2))
		r.advance(40 * time.Minute)
		absolute.with(func(s *session.Session) {
			if !s.Expired() {
				t.Error("the session outlived its absolute deadline")
			}
		})
	}, func(o *session.Options) { o.IdleTimeout, o.Lifetime = time.Hour, 4*time.Hour })
}

// Longer time-outs in a new release do not bring back a cookie whose own deadline is over.
func TestTheSealedDeadlineHoldsWhenOptionsChange(t *testing.T) {
	r := newRig(t, cookiestore.Options{}, func(o *session.Options) { o.IdleTimeout = time.Hour })
	v := r.visitor()
	v.with(set("x", 1))
	r.advance(time.Hour)
	r.opts.IdleTimeout = 24 * time.Hour
	v.on(r.manager(cookiestore.Options{}, r.opts)).with(func(s *session.Session) {
		if !s.Expired() || s.Has("x") {
			t.Errorf("expired %v, data %v", s.Expired(), s.All())
		}
	})
}

func TestASessionHasItsOwnTimeouts(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		v := r.visitor()
		v.with(func(s *session.Session) { s.Login("ada", session.Remember(100*24*time.Hour)) })
		resp := v.with(set("x", 1))
		if c := resp.Cookies()[0]; c.MaxAge != 100*24*3600 {
			t.Errorf("max-age %d", c.MaxAge)
		}
		r.advance(99 * 24 * time.Hour)
		v.wants("x", int64(1))
		v.with(func(s *session.Session) { s.SetIdleTimeout(time.Minute); s.SetPersistent(false) })
		r.advance(59 * time.Second)
		resp = v.with(set("x", 2))
		if c := resp.Cookies()[0]; c.MaxAge != 0 {
			t.Errorf("max-age %d of a cookie that is not to persist", c.MaxAge)
		}
		r.advance(time.Minute)
		v.wants("x", nil)
	})
}
