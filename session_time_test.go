package session_test

import (
	"testing"
	"time"

	"github.com/coatcheck/session"
)

const never = time.Duration(-1)

func clocks(idle, lifetime time.Duration) func(*session.Options) {
	return func(o *session.Options) { o.IdleTimeout, o.Lifetime = idle, lifetime }
}

// alive reports whether the visitor's session still opens; the request counts as use.
func (v *visitor) alive() (ok bool) {
	v.t.Helper()
	v.with(func(s *session.Session) { ok = !s.IsNew() })
	return ok
}

// Use keeps a session alive; without it the session ends exactly at its idle timeout.
func TestASessionEndsWhenNobodyUsedIt(t *testing.T) {
	r := newRig(t, clocks(time.Hour, never))
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
	for range 10 {
		r.clock.advance(59 * time.Minute)
		if !v.alive() {
			t.Fatal("a session in use ended")
		}
	}
	r.clock.advance(time.Hour - time.Microsecond)
	if !v.alive() {
		t.Fatal("ended a microsecond early")
	}
	r.clock.advance(time.Hour)
	ticket := v.ticket()
	resp := v.with(func(s *session.Session) {
		if !s.IsNew() || !s.Expired() || s.User() != "" || s.Has("x") || s.ID() != "" || s.Token() != "" ||
			!s.ExpiresAt().IsZero() {
			t.Errorf("new %v, expired %v, user %q, data %v", s.IsNew(), s.Expired(), s.User(), s.All())
		}
	})
	if resp.StatusCode != 200 || resp.Header["Set-Cookie"] != nil || r.ev.count(session.EventExpired) != 1 {
		t.Errorf("status %d, cookie touched %v, %d events", resp.StatusCode, resp.Header["Set-Cookie"] != nil,
			r.ev.count(session.EventExpired))
	}
	v.with(func(s *session.Session) { s.Set("y", 1) })
	if v.ticket() == ticket {
		t.Error("the ticket of an expired session is used again")
	}
	v.with(func(s *session.Session) {
		if s.IsNew() || s.Has("x") || s.Get("y") != int64(1) {
			t.Errorf("the new session has %v", s.All())
		}
	})
}

// The absolute lifetime ends a session however much it is used.
func TestASessionEndsAtItsLifetimeHoweverMuchItIsUsed(t *testing.T) {
	r := newRig(t, clocks(time.Hour, 10*time.Hour))
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("x", 1) })
	for i := range 600 {
		if !v.alive() {
			t.Fatalf("ended after %d minutes", i)
		}
		v.with(func(s *session.Session) {
			s.Set("x", i) // neither reading nor writing moves the absolute deadline
			if i%7 == 0 {
				s.Regenerate()
			}
		})
		r.clock.advance(time.Minute)
	}
	if v.alive() {
		t.Error("alive after its lifetime")
	}
}

// Login and SetLifetime alone move the absolute deadline.
func TestLoginRestartsBothClocks(t *testing.T) {
	r := newRig(t, clocks(time.Hour, 2*time.Hour))
	v := r.visitor()
	began := r.clock.now()
	v.with(func(s *session.Session) { s.Set("x", 1) })
	r.clock.advance(50 * time.Minute)
	v.with(func(s *session.Session) {})
	r.clock.advance(50 * time.Minute)
	at := r.clock.now()
	v.with(func(s *session.Session) {
		if want := began.Add(110 * time.Minute); !s.ExpiresAt().Equal(want) {
			t.Errorf("before the login: expires %v, want %v", s.ExpiresAt(), want)
		}
		s.Login("ada")
		if want := at.Add(time.Hour); !s.ExpiresAt().Equal(want) || !s.LoginAt().Equal(at) {
			t.Errorf("after the login: expires %v, want %v; login %v", s.ExpiresAt(), want, s.LoginAt())
		}
	})
	for range 2 {
		r.clock.advance(55 * time.Minute)
		if !v.alive() {
			t.Fatal("the login did not restart the absolute clock")
		}
	}
	v.with(func(s *session.Session) {
		if !s.CreatedAt().Equal(began) || !s.LoginAt().Equal(at) {
			t.Errorf("created %v, login %v, want %v, %v", s.CreatedAt(), s.LoginAt(), began, at)
		}
	})
	r.clock.advance(10 * time.Minute)
	if v.alive() {
		t.Error("alive two hours after the login")
	}
}

// Idle timeout and lifetime are options, and can be set for one session, kept in its record on every node.
func TestASessionHasItsOwnClocks(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(*session.Session)
		want time.Duration // from now until the end; 0: never
	}{
		"the manager's":   {func(*session.Session) {}, time.Hour},
		"shorter idle":    {func(s *session.Session) { s.SetIdleTimeout(time.Minute) }, time.Minute},
		"longer idle":     {func(s *session.Session) { s.SetIdleTimeout(3 * time.Hour) }, 3 * time.Hour},
		"shorter life":    {func(s *session.Session) { s.SetLifetime(10 * time.Minute) }, 10 * time.Minute},
		"idle above life": {func(s *session.Session) { s.SetIdleTimeout(30 * time.Hour) }, 10 * time.Hour},
		"no idle":         {func(s *session.Session) { s.SetIdleTimeout(session.Never) }, 10 * time.Hour},
		"no life": {func(s *session.Session) { s.SetLifetime(session.Never); s.SetIdleTimeout(20 * time.Hour) },
			20 * time.Hour},
		"neither": {func(s *session.Session) { s.SetIdleTimeout(session.Never); s.SetLifetime(session.Never) }, 0},
		"back to 0": {func(s *session.Session) {
			s.SetIdleTimeout(1e9)
			s.SetIdleTimeout(0)
			s.SetLifetime(1e9)
			s.SetLifetime(0)
		}, time.Hour},
		"remember": {func(s *session.Session) { s.Login("ada", session.Remember(40*24*time.Hour)) },
			40 * 24 * time.Hour},
		"a second":  {func(s *session.Session) { s.SetIdleTimeout(time.Second) }, time.Second},
		"half a µs": {func(s *session.Session) { s.SetIdleTimeout(time.Second + 500) }, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, clocks(time.Hour, 10*time.Hour))
			node := r.node(clocks(time.Hour, 10*time.Hour))
			v := r.visitor()
			want := time.Time{}
			if c.want > 0 {
				want = r.clock.now().Add(c.want)
			}
			v.with(func(s *session.Session) {
				s.Set("x", 1)
				c.set(s)
				if !s.ExpiresAt().Equal(want) {
					t.Errorf("at once: expires %v, want %v", s.ExpiresAt(), want)
				}
			})
			check := func(s *session.Session) {
				if s.IsNew() || !s.ExpiresAt().Equal(want) {
					t.Errorf("next request: new %v, expires %v, want %v", s.IsNew(), s.ExpiresAt(), want)
				}
			}
			v.on(node.Manager).with(check)
			if c.want == 0 {
				r.clock.advance(100 * 365 * 24 * time.Hour)
				v.with(func(s *session.Session) {
					if s.IsNew() {
						t.Error("a session without deadlines ended")
					}
				})
				return
			}
			other := v.clone()
			r.clock.advance(c.want - time.Microsecond)
			if other.with(func(s *session.Session) {
				if s.IsNew() {
					t.Error("ended early")
				}
			}); c.want > time.Microsecond {
				return
			}
			r.clock.advance(time.Hour)
			if v.alive() {
				t.Error("alive after its end")
			}
		})
	}
}

// Without limits in the options nothing ends by time; negative means none.
func TestNegativeOptionsMeanNone(t *testing.T) {
	r := newRig(t, clocks(never, never))
	v := r.visitor()
	v.with(func(s *session.Session) {
		if s.Set("x", 1); !s.ExpiresAt().IsZero() {
			t.Errorf("expires %v, want never", s.ExpiresAt())
		}
	})
	r.clock.advance(50 * 365 * 24 * time.Hour)
	if !v.alive() {
		t.Error("ended")
	}
	if n, err := r.Sweep(t.Context()); n != 0 || err != nil {
		t.Errorf("Sweep = %d, %v", n, err)
	}
	v.with(func(s *session.Session) { s.SetIdleTimeout(time.Hour) })
	r.clock.advance(2 * time.Hour)
	if v.alive() {
		t.Error("its own idle timeout does not count")
	}
}

// ExpiresAt is the stored deadline, and stays while nothing refreshes the session.
func TestExpiresAtIsTheStoredDeadline(t *testing.T) {
	r := newRig(t, clocks(time.Hour, 10*time.Hour), func(o *session.Options) { o.Cookie.Persistent = true })
	v := r.visitor()
	resp := v.with(func(s *session.Session) { s.Login("ada") })
	var first time.Time
	v.with(func(s *session.Session) { first = s.ExpiresAt() })
	infos, err := r.Sessions(t.Context(), "ada")
	if err != nil || len(infos) != 1 || !infos[0].ExpiresAt.Equal(first) || !first.Equal(r.clock.now().Add(time.Hour)) {
		t.Errorf("Sessions = %v, %v, want one that expires %v", infos, err, first)
	}
	if c := resp.Cookies()[0]; c.Expires.Sub(first).Abs() > time.Second || c.MaxAge != 3600 {
		t.Errorf("the cookie expires %v, max-age %d, want %v", c.Expires, c.MaxAge, first)
	}
	r.clock.advance(30 * time.Second) // below TouchEvery
	v.with(func(s *session.Session) {
		if !s.ExpiresAt().Equal(first) {
			t.Errorf("expires %v, want still %v", s.ExpiresAt(), first)
		}
	})
}

// An idle refresh is written at most once in TouchEvery, and moves the deadline.
func TestATouchIsWrittenOncePerTouchEvery(t *testing.T) {
	for name, c := range map[string]struct {
		opt     time.Duration
		step    time.Duration
		own     time.Duration
		touches int // in ten requests
	}{
		"default":          {0, 20 * time.Second, 0, 3},
		"negative":         {-1, time.Second, 0, 10},
		"negative, frozen": {-1, 0, 0, 10},
		"ten minutes":      {10 * time.Minute, 5 * time.Minute, 0, 5},
		"never due":        {10 * time.Minute, time.Second, 0, 0},
		"short own idle":   {10 * time.Minute, time.Minute, 4 * time.Minute, 5},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, clocks(time.Hour, never), func(o *session.Options) { o.TouchEvery = c.opt })
			v := r.visitor()
			v.with(func(s *session.Session) { s.Set("x", 1); s.SetIdleTimeout(c.own) })
			r.store.reset()
			for range 10 {
				r.clock.advance(c.step)
				if !v.alive() {
					t.Fatal("a session in use ended")
				}
			}
			if n := r.store.count("touch"); n != c.touches || r.store.count("save") != 0 {
				t.Errorf("%d touches, %d saves, want %d and none", n, r.store.count("save"), c.touches)
			}
		})
	}
}

// SeenAt is the last request before this one, exact to TouchEvery.
func TestSeenAtIsTheLastRequest(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.TouchEvery = -1 })
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("x", 1) })
	for range 3 {
		before := r.clock.now()
		r.clock.advance(7 * time.Minute)
		v.with(func(s *session.Session) {
			if !s.SeenAt().Equal(before) {
				t.Errorf("seen %v, want %v", s.SeenAt(), before)
			}
		})
	}
}

// A clock that steps backwards extends nothing, ends nothing, and undoes nothing.
func TestClockStepsBackwardsExtendNothing(t *testing.T) {
	r := newRig(t, clocks(time.Hour, 10*time.Hour),
		func(o *session.Options) { o.TouchEvery = -1; o.RenewEvery = 2 * time.Hour })
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	var end time.Time
	v.with(func(s *session.Session) { end = s.ExpiresAt() })
	r.clock.advance(-24 * time.Hour)
	for range 3 {
		v.with(func(s *session.Session) {
			if s.User() != "ada" || s.ExpiresAt().After(end) {
				t.Errorf("user %q, expires %v, want at most %v", s.User(), s.ExpiresAt(), end)
			}
			s.Set("x", 1)
		})
		v.with(func(s *session.Session) {
			if s.ExpiresAt().Before(end) {
				t.Errorf("a writer shortened the session: %v, want %v", s.ExpiresAt(), end)
			}
		})
	}
	r.clock.advance(24*time.Hour + time.Hour)
	if v.alive() {
		t.Error("the step backwards extended the session")
	}
}

// A session that went idle during a long request is gone.
func TestASessionThatWentIdleDuringARequestIsGone(t *testing.T) {
	r := newRig(t, clocks(time.Hour, never))
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("x", 1) })
	resp := v.with(func(s *session.Session) {
		r.clock.advance(2 * time.Hour)
		s.Set("x", 2)
	})
	if resp.StatusCode != 409 || resp.Header["Set-Cookie"] != nil {
		t.Errorf("status %d, cookie touched %v, want 409 and no cookie", resp.StatusCode,
			resp.Header["Set-Cookie"] != nil)
	}
	if v.alive() {
		t.Error("alive after its idle timeout")
	}
}

// Unless another request used it meanwhile.
func TestALongRequestIsKeptAliveByOthers(t *testing.T) {
	r := newRig(t, clocks(time.Hour, never))
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("x", 1) })
	resp := v.with(func(s *session.Session) {
		for range 3 {
			r.clock.advance(50 * time.Minute)
			if !v.clone().alive() {
				t.Error("ended")
			}
		}
		s.Set("x", 2)
	})
	if resp.StatusCode != 200 {
		t.Errorf("status %d", resp.StatusCode)
	}
}

// A touch never shortens, also when a node with other options does it.
func TestATouchNeverShortens(t *testing.T) {
	r := newRig(t, clocks(10*time.Hour, never))
	short := r.node(clocks(time.Hour, never))
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	before, _ := r.Sessions(t.Context(), "ada")
	r.clock.advance(30 * time.Minute)
	v.on(short.Manager).with(func(*session.Session) {})
	after, _ := r.Sessions(t.Context(), "ada")
	if len(after) != 1 || after[0].ExpiresAt.Before(before[0].ExpiresAt) || !after[0].SeenAt.After(before[0].SeenAt) {
		t.Errorf("before %v, after %v", before, after)
	}
}

// A sweep removes what has expired, sessions and what retired ids left, counts it, and nothing else.
func TestSweepRemovesWhatHasExpired(t *testing.T) {
	r := newRig(t, clocks(time.Hour, never))
	for range 700 {
		r.visitor().with(func(s *session.Session) { s.Set("x", 1) })
	}
	stays := r.visitor()
	stays.with(func(s *session.Session) { s.Set("x", 1) })
	stays.with(func(s *session.Session) { s.Login("ada"); s.SetIdleTimeout(3 * time.Hour) }) // leaves a tombstone
	never := r.visitor()
	never.with(func(s *session.Session) { s.SetIdleTimeout(-1); s.Set("x", 1) })
	if n, err := r.Sweep(t.Context()); n != 0 || err != nil {
		t.Errorf("Sweep = %d, %v before anything expired", n, err)
	}
	r.clock.advance(time.Hour + time.Second)
	if n, err := r.Sweep(t.Context()); n != 701 || err != nil {
		t.Errorf("Sweep = %d, %v, want 701", n, err)
	}
	if n, err := r.Sweep(t.Context()); n != 0 || err != nil {
		t.Errorf("second Sweep = %d, %v, want 0", n, err)
	}
	if !stays.alive() || !never.alive() {
		t.Error("a live session was swept")
	}
	r.clock.advance(200 * time.Hour)
	if n, err := r.Sweep(t.Context()); n != 1 || err != nil {
		t.Errorf("last Sweep = %d, %v, want 1", n, err)
	}
}

// Expired is told while the record is there; after the sweep the ticket is merely unknown.
func TestExpiredIsToldUntilTheSweep(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	r.clock.advance(25 * time.Hour)
	v.with(func(s *session.Session) {
		if !s.Expired() || !s.IsNew() {
			t.Error("not told as expired")
		}
	})
	if n, err := r.Sweep(t.Context()); n != 1 || err != nil {
		t.Errorf("Sweep = %d, %v", n, err)
	}
	v.with(func(s *session.Session) {
		if s.Expired() || !s.IsNew() {
			t.Error("told as expired after the sweep")
		}
	})
}

// Times come back to the microsecond, and what is finer is not made up.
func TestTimesAreKeptToTheMicrosecond(t *testing.T) {
	r := newRig(t)
	r.clock.advance(789 * time.Nanosecond)
	want := r.clock.now().Truncate(time.Microsecond)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	v.with(func(s *session.Session) {
		if !s.CreatedAt().Equal(want) || !s.LoginAt().Equal(want) || !s.SeenAt().Equal(want) {
			t.Errorf("created %v, login %v, seen %v, want %v", s.CreatedAt(), s.LoginAt(), s.SeenAt(), want)
		}
	})
}
