package session_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// A session that has timed out is not one of those that are too many, however late it began.
func TestAnExpiredSessionIsNotCountedAmongThoseThatHaveToGo(t *testing.T) {
	r := newRig(t)
	first, second := r.visitor(), r.visitor()
	first.with(signIn("ada"))
	r.clock.advance(time.Minute)
	second.with(signIn("ada"))
	r.clock.advance(time.Minute)
	r.visitor().with(func(s *session.Session) { s.Login("ada"); s.SetIdleTimeout(time.Minute) })
	r.clock.advance(time.Hour)
	n := r.node(atMost(2, session.EvictOldest))
	n.visitor().with(signIn("ada"))
	if a, b := first.on(n.Manager).user(), second.on(n.Manager).user(); a != "" || b != "ada" {
		t.Errorf("the first is %q and the second %q, want the first alone to go", a, b)
	}
}

// Who signs in anew takes their own place, also where there are too many.
func TestASessionThatSignsInAnewIsNotCountedAmongThoseThatHaveToGo(t *testing.T) {
	r := newRig(t)
	var visitors []*visitor
	for range 3 {
		v := r.visitor()
		v.with(signIn("ada"))
		r.clock.advance(time.Minute)
		visitors = append(visitors, v)
	}
	n := r.node(atMost(2, session.EvictOldest))
	visitors[2].on(n.Manager).with(signIn("ada"))
	for i, want := range []string{"", "ada", "ada"} {
		if got := visitors[i].on(n.Manager).user(); got != want {
			t.Errorf("visitor %d is %q, want %q", i, got, want)
		}
	}
}

// A store that found no room is asked again where there is some by then.
func TestALoginIsNotRefusedForRoomThatIsThereByNow(t *testing.T) {
	r := newRig(t, atMost(2, session.RefuseNew))
	r.visitor().with(signIn("ada"))
	refused := false
	r.store.hook(func(call, _ string) error {
		if call == "save" && !refused {
			refused = true
			return session.ErrTooMany
		}
		return nil
	})
	v := r.visitor()
	if resp := v.with(signIn("ada")); resp.StatusCode != http.StatusOK || !refused || v.user() != "ada" {
		t.Errorf("status %d, then signed in as %q, want 200 and ada", resp.StatusCode, v.user())
	}
}

// Where the oldest session cannot be ended nobody signs in, and the store is not asked for ever.
func TestALoginThatCannotMakeRoomSaysSo(t *testing.T) {
	for name, broken := range map[string]func(call string) bool{
		"the end":  func(call string) bool { return call == "save" || call == "delete" },
		"the list": func(call string) bool { return call == "by user" },
	} {
		t.Run(name, func(t *testing.T) {
			store := newLame()
			r := newRigOn(t, store, atMost(1, session.EvictOldest))
			first := r.visitor()
			first.with(signIn("ada"))
			calls := 0
			r.store.hook(func(call, _ string) error {
				if calls++; calls == 1 { // the login, which finds no room
					return nil
				}
				if broken(call) {
					return errDown
				}
				return nil
			})
			if name == "the list" {
				store.fail("by user")
			}
			v := r.visitor()
			v.with(func(s *session.Session) {
				s.Login("ada")
				if err := s.Save(t.Context()); !errors.Is(err, session.ErrUnavailable) || calls > 8 {
					t.Errorf("Save = %v after %d calls, want ErrUnavailable after a few", err, calls)
				}
				_ = s.Reload(t.Context())
			})
			r.store.hook(nil)
			store.fail("")
			if got := first.user(); got != "ada" {
				t.Errorf("the first is %q, want ada still", got)
			}
		})
	}
}

// Whoever was signed out by a limit is told so within a day. What that takes is a small record each, and no more.
func TestWhatALimitEndedIsKeptForADayAtMost(t *testing.T) {
	const times = 1000
	const day = 24 * time.Hour
	for idle, lasts := range map[time.Duration]time.Duration{time.Hour: time.Hour, 30 * day: day} {
		r := newRig(t, atMost(1, session.EvictOldest), clocks(idle, session.Never))
		for range times {
			r.signIn("ada")
		}
		kept, size := 0, 0
		for after, more := "", true; more; {
			page, err := r.store.fullStore.Page(t.Context(), after, 200)
			if more = len(page) == 200; err != nil {
				t.Fatal(err)
			}
			for _, rec := range page {
				after = rec.ID
				if rec.Kind == session.KindTombstone {
					kept, size = kept+1, size+len(rec.Data)
				}
			}
		}
		if kept != times-1 || size > 100*kept {
			t.Errorf("%d are kept with %d bytes of data, want %d with 100 each at most", kept, size, times-1)
		}
		r.clock.advance(lasts)
		if n, err := r.Sweep(t.Context()); n != 0 || err != nil {
			t.Errorf("after %v: Sweep = %d, %v, want that all are kept", lasts, n, err)
		}
		r.clock.advance(time.Microsecond)
		if n, err := r.Sweep(t.Context()); n < times-1 || err != nil {
			t.Errorf("after more than %v: Sweep = %d, %v, want %d at least", lasts, n, err, times-1)
		}
	}
}
