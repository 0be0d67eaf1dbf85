package guard_test

import (
	"io"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

func TestFreshWantsARecentSignIn(t *testing.T) {
	r := newRig(t, guard.Options{LoginPage: "/login", ReloginPage: "/confirm"})
	h := r.Fresh(10 * time.Minute)(inside)
	v := r.signIn("ada")
	r.clock.advance(10 * time.Minute)
	wantInside(t, v.get(h, "/password", asPage))
	r.clock.advance(time.Microsecond)
	wantProblem(t, v.get(h, "/password", asJSON), 401, guard.NotFresh)
	if w := v.get(h, "/password", asPage); w.Code != 303 ||
		w.Header().Get("Location") != "/confirm?return=%2Fpassword" {
		t.Errorf("status %d, Location %q, want the page that confirms", w.Code, w.Header().Get("Location"))
	}
	v.with(func(s *session.Session) { s.Login("ada") })
	wantInside(t, v.get(h, "/password", asPage))
	if w := r.visitor().get(h, "/password", asPage); w.Header().Get("Location") != "/login?return=%2Fpassword" {
		t.Errorf("a stranger: Location %q, want the login page", w.Header().Get("Location"))
	}
}

// A sign-in that another site vouches for, or that was taken over, is as old as it is.
func TestALoginAtAnEarlierTimeIsNotFresh(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.Fresh(10 * time.Minute)(inside)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada", session.LoginAt(r.clock.now().Add(-9*time.Minute))) })
	wantInside(t, v.get(h, "/", asJSON))
	r.clock.advance(time.Minute + time.Second)
	wantProblem(t, v.get(h, "/", asJSON), 401, guard.NotFresh)
}

func TestASignInFromTheFutureIsNotFresh(t *testing.T) {
	r := newRig(t, guard.Options{})
	v := r.signIn("ada")
	r.clock.advance(-time.Minute)
	wantInside(t, v.get(r.Fresh(time.Minute)(inside), "/", asJSON))
	r.clock.advance(-time.Second)
	wantProblem(t, v.get(r.Fresh(time.Minute)(inside), "/", asJSON), 401, guard.NotFresh)
}

// logTo lets a manager log.
func logTo(w io.Writer) func(*session.Options) {
	return func(o *session.Options) { o.Logger = slog.New(slog.NewTextHandler(w, nil)) }
}

// A time of nothing would send a user to sign in again and again, and a negative one would believe the future alone.
func TestFreshRefusesATimeThatNobodyCanKeep(t *testing.T) {
	for _, d := range []time.Duration{0, -1, -time.Minute, math.MinInt64} {
		var log strings.Builder
		r := newRig(t, guard.Options{LoginPage: "/login"}, logTo(&log))
		h := r.Fresh(d)(inside)
		v := r.signIn("ada")
		r.clock.advance(-time.Minute / 2) // the node that signed her in is ahead
		for name, v := range map[string]*visitor{"a user": v, "a stranger": r.visitor()} {
			if w := v.get(h, "/", asPage); w.Code != 500 || !strings.Contains(log.String(), "guard: Fresh") {
				t.Errorf("Fresh(%v): %s gets %d, log %q, want a failure that names it", d, name, w.Code, log.String())
			}
		}
	}
}

func TestTheLongestTimeIsFreshForEver(t *testing.T) {
	r := newRig(t, guard.Options{}, func(o *session.Options) { o.IdleTimeout, o.Lifetime = -1, -1 })
	v := r.signIn("ada")
	r.clock.advance(200 * 365 * 24 * time.Hour)
	wantInside(t, v.get(r.Fresh(math.MaxInt64)(inside), "/"))
}

// Whoever compares a time only, and does not wait, takes one as short as a test wants it.
func TestATimeThatNobodyWaitsForMayBeShort(t *testing.T) {
	r := newRig(t, guard.Options{ReloginPage: "/confirm", EndWithin: time.Microsecond})
	h := r.Fresh(time.Microsecond)(inside)
	v := r.signIn("ada")
	wantInside(t, v.get(h, "/", asJSON))
	r.clock.advance(2 * time.Microsecond)
	wantProblem(t, v.get(h, "/", asJSON), 401, guard.NotFresh)
}
