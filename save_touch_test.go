package session_test

import (
	"io"
	"net/http"
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

// With -1 every request says once that its session was seen, however many commits it takes.
func TestARequestThatTouchesAlwaysWritesOnce(t *testing.T) {
	set := func(s *session.Session) error { s.Set("x", 2); return nil }
	with := func(fn func(*session.Session)) handler {
		return func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
			fn(s)
			io.WriteString(w, "hello")
		}
	}
	for name, row := range map[string]struct {
		do     handler
		writes int
	}{
		"reads":        {func(http.ResponseWriter, *http.Request, *session.Session) {}, 1},
		"with a body":  {with(func(*session.Session) {}), 1},
		"writes":       {with(func(s *session.Session) { s.Set("x", 2) }), 1},
		"saves":        {with(func(s *session.Session) { s.Set("x", 2); s.Save(bg) }), 1},
		"saves naught": {with(func(s *session.Session) { s.Save(bg) }), 1},
		"atomic":       {with(func(s *session.Session) { s.Atomic(bg, set) }), 1},
		"another id":   {with((*session.Session).Regenerate), 2},
		"late": {func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
			io.WriteString(w, "hello")
			s.Set("x", 2)
		}, 2},
	} {
		for _, idle := range []time.Duration{time.Second, 0, session.Never} {
			r := newRig(t, func(o *session.Options) { o.TouchEvery, o.IdleTimeout = -1, idle })
			v, _ := r.signIn("ada")
			for range 2 { // the clock stands
				r.store.reset()
				v.do(row.do)
				if n := r.store.count("touch") + r.store.count("save"); n != row.writes {
					t.Errorf("%s, idle %v: %v, want %d writes", name, idle, r.store.calls, row.writes)
				}
			}
		}
	}
}

// A connection that lasts keeps its session alive as long as it saves that.
func TestASessionThatIsTouchedAlwaysLivesAsLongAsItsConnection(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.TouchEvery, o.IdleTimeout = -1, time.Hour })
	v, _ := r.signIn("ada")
	s := v.open()
	r.store.reset()
	for range 100 {
		r.clock.advance(time.Minute)
		if err := s.Save(bg); err != nil {
			t.Fatal(err)
		}
	}
	if got := r.store.count("touch"); got != 100 {
		t.Errorf("%d touches, want one each minute", got)
	}
	v.isUser("ada")
}

// A session that a machine with a clock ahead has served is touched before that time has come, once in each request: a
// store may count from the last touch how long it keeps a record. A clock that is a little ahead is as good as right.
func TestASessionThatWasSeenInTheFutureIsTouched(t *testing.T) {
	for _, row := range []struct{ idle, ahead, step time.Duration }{
		{30 * time.Minute, 15 * time.Minute, time.Microsecond},
		{time.Minute, time.Minute, time.Microsecond}, // which nodes may differ by
	} {
		r := newRig(t, func(o *session.Options) { o.IdleTimeout = row.idle })
		v, _ := r.signIn("ada")
		r.clock.advance(-row.ahead)
		for _, want := range []int{0, 1} {
			r.store.reset()
			v.with(func(s *session.Session) { s.Save(bg) })
			if n := r.store.count("touch"); n != want {
				t.Errorf("idle %v, %v ahead: %d touches, want %d", row.idle, row.ahead, n, want)
			}
			r.clock.advance(-row.step)
		}
	}
}
