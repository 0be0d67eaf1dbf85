package session_test

import (
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/memstore"
)

func TestADeadlineEndsTheSessionWhateverItsLifetime(t *testing.T) {
	for name, row := range map[string]struct {
		set   func(s *session.Session, now time.Time)
		alive map[time.Duration]bool
	}{
		"sooner than the lifetime": {func(s *session.Session, now time.Time) { s.SetDeadline(now.Add(time.Hour)) },
			map[time.Duration]bool{59 * time.Minute: true, time.Hour: false}},
		"later than the lifetime": {func(s *session.Session, now time.Time) { s.SetDeadline(now.Add(30 * time.Hour)) },
			map[time.Duration]bool{29 * time.Hour: true, 30 * time.Hour: false}},
		"before a lifetime of its own": {func(s *session.Session, now time.Time) {
			s.SetDeadline(now.Add(time.Hour))
			s.SetLifetime(3 * time.Hour)
		}, map[time.Duration]bool{59 * time.Minute: true, time.Hour: false}},
		"taken back": {func(s *session.Session, now time.Time) {
			s.SetDeadline(now.Add(time.Hour))
			s.SetDeadline(time.Time{})
		}, map[time.Duration]bool{9 * time.Hour: true, 10 * time.Hour: false}},
		"never": {func(s *session.Session, now time.Time) {
			s.SetLifetime(session.Never)
			s.SetDeadline(now.Add(50 * time.Hour))
		}, map[time.Duration]bool{49 * time.Hour: true, 50 * time.Hour: false}},
		"the last one": {func(s *session.Session, _ time.Time) { s.SetDeadline(time.Unix(math.MaxInt64/2, 0)) },
			map[time.Duration]bool{200 * 365 * 24 * time.Hour: true}},
	} {
		t.Run(name, func(t *testing.T) {
			for after, alive := range row.alive {
				r := newRig(t, func(o *session.Options) {
					o.Lifetime, o.IdleTimeout = 10*time.Hour, session.Never
				})
				v := r.visitor()
				v.with(func(s *session.Session) { s.Login("ada"); row.set(s, r.clock.now()) })
				node := r.node(func(o *session.Options) { o.Lifetime, o.IdleTimeout = 10*time.Hour, session.Never })
				r.clock.advance(after)
				var user string
				v.on(node.Manager).with(func(s *session.Session) { user = s.User() })
				if (user == "ada") != alive {
					t.Errorf("after %v the user is %q", after, user)
				}
			}
		})
	}
}

func TestADeadlineThatIsPastEndsTheSession(t *testing.T) {
	for name, past := range map[string]time.Duration{"now": 0, "an hour ago": -time.Hour, "long ago": math.MinInt64} {
		r := newRig(t)
		v, _ := r.signIn("ada")
		ticket := v.ticket()
		resp := v.with(func(s *session.Session) { s.SetDeadline(r.clock.now().Add(past)) })
		if c := resp.Cookies(); len(c) != 1 || c[0].MaxAge >= 0 || r.opens(ticket) {
			t.Errorf("%s: the cookies are %v, and the ticket opens: %v", name, c, r.opens(ticket))
		}
	}
}

// A deadline alone is nothing to store for a stranger, and no data.
func TestADeadlineIsNoData(t *testing.T) {
	r := newRig(t)
	if resp := r.visitor().with(func(s *session.Session) {
		s.SetDeadline(r.clock.now().Add(time.Hour))
	}); len(resp.Cookies()) != 0 || r.store.total() != 0 {
		t.Errorf("a stranger with a deadline gets %v", resp.Cookies())
	}
	v, _ := r.signIn("ada")
	end := r.clock.now().Add(time.Hour)
	v.with(func(s *session.Session) { s.SetDeadline(end); s.Set("x", 1) })
	v.with(func(s *session.Session) {
		if len(s.All()) != 1 || !s.ExpiresAt().Equal(end) {
			t.Errorf("data %v, end %v, want %v", s.All(), s.ExpiresAt(), end)
		}
		s.Clear()
		s.Login("ada")
	})
	if !sees(v, func(s *session.Session) bool { return s.ExpiresAt().Equal(end) && len(s.All()) == 0 }) {
		t.Error("Clear and Login have moved the deadline")
	}
	v.with(func(s *session.Session) { s.Login("bob") })
	if !sees(v, func(s *session.Session) bool { return !s.ExpiresAt().Equal(end) }) {
		t.Error("another user has the deadline")
	}
}

// Two requests at the same time both keep what they did.
func TestADeadlineSurvivesAConflict(t *testing.T) {
	r := newRig(t)
	v, _ := r.signIn("ada")
	end := r.clock.now().Add(time.Hour)
	v.with(func(s *session.Session) {
		s.SetDeadline(end)
		v.clone().with(func(s *session.Session) { s.Set("x", 1) })
	})
	if !sees(v, func(s *session.Session) bool { return s.ExpiresAt().Equal(end) && s.Get("x") == int64(1) }) {
		t.Error("the deadline or the value is lost")
	}
}

// No copy of a token lives longer than what the server remembers of its end.
func TestADeadlineOfACarriedSessionHolds(t *testing.T) {
	store, err := cookiestore.New(cookiestore.Options{Revocations: memstore.New(memstore.Options{})})
	if err != nil {
		t.Fatal(err)
	}
	c := newClock()
	m, err := session.New(store, session.Options{
		Secrets: []session.Secret{testSecret}, Now: c.now, IdleTimeout: session.Never, SweepEvery: session.Never,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	s, err := m.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	s.Login("ada")
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := s.Token()
	s.SetDeadline(c.now().Add(time.Hour))
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	if old, err := m.Open(t.Context(), before); err != nil || old.User() != "" {
		t.Errorf("the token without the deadline opens the session of %q, %v", old.User(), err)
	}
	c.advance(time.Hour)
	if now, err := m.Open(t.Context(), s.Token()); err != nil || now.User() != "" || !now.Expired() {
		t.Errorf("after the deadline the user is %q, %v", now.User(), err)
	}
}

func TestALoginKeepsTheTimeThatItIsTold(t *testing.T) {
	for name, row := range map[string]struct {
		at   func(now time.Time) time.Time
		want func(now time.Time) time.Time
	}{
		"yesterday": {
			func(now time.Time) time.Time { return now.Add(-24 * time.Hour) },
			func(now time.Time) time.Time { return now.Add(-24 * time.Hour) }},
		"longer ago than a lifetime": {
			func(now time.Time) time.Time { return now.Add(-1000 * time.Hour) },
			func(now time.Time) time.Time { return now.Add(-1000 * time.Hour) }},
		"a clock that runs ahead": {
			func(now time.Time) time.Time { return now.Add(time.Minute) },
			func(now time.Time) time.Time { return now }},
		"before there were computers": {
			func(time.Time) time.Time { return time.Unix(math.MinInt64/2, 0) },
			func(time.Time) time.Time { return time.UnixMicro(1) }},
		"1970": {
			func(time.Time) time.Time { return time.Unix(0, 0) },
			func(time.Time) time.Time { return time.UnixMicro(1) }},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *session.Options) { o.Lifetime, o.IdleTimeout = 48*time.Hour, session.Never })
			v := r.visitor()
			v.with(func(s *session.Session) { s.Set("cart", 1) })
			r.clock.advance(47 * time.Hour)
			now := r.clock.now()
			v.with(func(s *session.Session) { s.Login("ada", session.LoginAt(row.at(now))) })
			r.clock.advance(47 * time.Hour) // the clocks run from the call
			if !sees(v, func(s *session.Session) bool {
				return s.User() == "ada" && s.LoginAt().Equal(row.want(now)) && s.Get("cart") == int64(1)
			}) {
				t.Error("the session is over, or has another time")
			}
			infos, err := r.Sessions(t.Context(), "ada")
			if err != nil || len(infos) != 1 || !infos[0].LoginAt.Equal(row.want(now)) {
				t.Errorf("Sessions = %+v, %v", infos, err)
			}
			r.clock.advance(time.Hour)
			if !sees(v, func(s *session.Session) bool { return s.User() == "" }) {
				t.Error("the session lives longer than a lifetime")
			}
		})
	}
}

// Whoever signs in again with a sign-in of long ago, as at a provider that asks for nothing, has all of a lifetime.
func TestASecondLoginAtAnEarlierTimeBeginsTheClocksAnew(t *testing.T) {
	const day = 24 * time.Hour
	for name, row := range map[string]struct {
		before, age time.Duration
		opts        []session.LoginOption
		factors     int
	}{
		"now":                       {29 * day, 0, nil, 0},
		"by the sign-in before":     {29 * day, 29 * day, nil, 0},
		"by one before the session": {29 * day, 59 * day, nil, 0},
		"by a factor":               {29 * day, 31 * day, []session.LoginOption{session.Factor("pwd")}, 1},
		"by two":                    {29 * day, 31 * day, []session.LoginOption{session.Factor("pwd", "otp")}, 2},
		"of 1975":                   {29 * day, 50 * 365 * day, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *session.Options) { o.IdleTimeout, o.Lifetime = session.Never, 30*day })
			v, _ := r.signIn("ada")
			r.clock.advance(row.before)
			v.with(func(s *session.Session) { s.Login("ada") }) // the session is older than any lifetime by now
			r.clock.advance(row.before)
			at := r.clock.now().Add(-row.age)
			opts := append(row.opts, session.LoginAt(at))
			resp := v.do(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
				s.Set("cart", 1)
				r.atTheSaveOf(s.ID(), func() { v.clone().with(func(s *session.Session) { s.Set("x", 1) }) })
				s.Login("ada", opts...)
			})
			r.clock.advance(30*day - time.Microsecond)
			if !sees(v, func(s *session.Session) bool {
				return s.User() == "ada" && s.LoginAt().Equal(at) && s.Has("cart") && s.Has("x") &&
					len(s.Factors()) == row.factors
			}) {
				t.Errorf("status %d, and the session is over, or has lost something", resp.StatusCode)
			}
			r.clock.advance(time.Microsecond)
			v.isTold("lifetime")
		})
	}
}

func TestATimeOfALoginThatNobodyCanMeanIsRefused(t *testing.T) {
	r := newRig(t)
	for name, opt := range map[string]session.LoginOption{
		"zero":   session.LoginAt(time.Time{}),
		"future": session.LoginAt(r.clock.now().Add(time.Minute + time.Second)),
		"last":   session.LoginAt(time.Unix(math.MaxInt64/2, 0)),
		"a deadline that is past": func(s *session.Session) {
			s.SetDeadline(r.clock.now().Add(-time.Second))
		},
	} {
		s, err := r.Open(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		err = s.TryLogin("ada", opt)
		if err == nil || s.User() != "" || !strings.HasPrefix(err.Error(), "session: ") {
			t.Errorf("%s: TryLogin = %v, user %q", name, err, s.User())
		}
	}
	resp := r.visitor().do(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		session.LoginAt(r.clock.now())(s)
		if s.Err() == nil || errors.Is(s.Err(), session.ErrEnded) {
			t.Errorf("LoginAt outside of a Login: %v", s.Err())
		}
	})
	if resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("LoginAt outside of a Login is answered with %d", resp.StatusCode)
	}
}

// A user whose sessions were ended signs in again with a sign-in from before that.
func TestALoginAtAnEarlierTimeOutlivesARevocationBeforeIt(t *testing.T) {
	store, err := cookiestore.New(cookiestore.Options{Revocations: memstore.New(memstore.Options{})})
	if err != nil {
		t.Fatal(err)
	}
	c := newClock()
	m, err := session.New(store, session.Options{
		Secrets: []session.Secret{testSecret}, Now: c.now, SweepEvery: session.Never,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	s, err := m.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	s.Set("cart", 1)
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.advance(time.Hour)
	if _, err := m.RevokeUser(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	c.advance(time.Second)
	s.Login("ada", session.LoginAt(c.now().Add(-time.Minute)))
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again, err := m.Open(t.Context(), s.Token()); err != nil || again.User() != "ada" {
		t.Errorf("the user is %q, %v", again.User(), err)
	}
}
