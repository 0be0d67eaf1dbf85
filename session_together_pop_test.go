package session_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
)

// A function that works on a copy of the session may take a value out of it, which another goroutine still sees.
func TestAValueThatAFunctionTakesIsTakenOnce(t *testing.T) {
	for name, take := range map[string]func(s *session.Session, fn func(*session.Session)) error{
		"Atomic": func(s *session.Session, fn func(*session.Session)) error {
			return s.Atomic(t.Context(), func(s *session.Session) error { fn(s); return nil })
		},
		"TryLogin": func(s *session.Session, fn func(*session.Session)) error { return s.TryLogin("ada", fn) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newRig(t).visitor()
				v.with(func(s *session.Session) { s.Set("once", 1) })
				v.with(func(s *session.Session) {
					var inside, outside any
					var wg sync.WaitGroup
					err := take(s, func(copied *session.Session) {
						inside = copied.Pop("once")
						wg.Go(func() { outside = s.Pop("once") })
						synctest.Wait()
					})
					wg.Wait()
					if err != nil || inside != int64(1) || outside != nil || s.Err() != nil {
						t.Errorf("Pop = %v within and %v outside, with %v and %v; want 1, nothing and no error", inside,
							outside, err, s.Err())
					}
				})
			})
		})
	}
}

// Pop within a function that must use no other session waits for as long as a store may take, and is refused then.
func TestPopOfTheOuterSessionWithinAtomicIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newRig(t).visitor()
		v.with(func(s *session.Session) { s.Set("once", 1) })
		resp := v.with(func(s *session.Session) {
			var got any
			err := s.Atomic(t.Context(), func(*session.Session) error { got = s.Pop("once"); return nil })
			if err != nil || got != nil || s.Err() == nil {
				t.Errorf("Pop = %v, Atomic = %v, Err = %v; want nothing, nil and an error", got, err, s.Err())
			}
		})
		if resp.StatusCode == http.StatusOK {
			t.Error("the response says that all went well")
		}
		v.with(func(s *session.Session) { wantGet(t, s, "once", int64(1)) })
	})
}

// Who watches for what came too late is told of Atomic as of all else.
func TestAtomicThatIsOvertakenByTheFirstByteIsAnEvent(t *testing.T) {
	late := 0
	synctest.Test(t, func(t *testing.T) {
		var left *session.Session
		r := newRig(t, func(o *session.Options) {
			o.OnEvent = func(_ context.Context, e session.Event) {
				if e.Kind == session.EventLate {
					late++
					_ = left.Reload(t.Context()) // the session is free by then
				}
			}
		})
		var err error
		start := time.Now()
		r.visitor().do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
			left = s
			inAtomic, goOn := make(chan bool), make(chan bool)
			var wg sync.WaitGroup
			wg.Go(func() {
				err = s.Atomic(t.Context(), func(s *session.Session) error {
					s.Set("x", 1)
					close(inAtomic)
					<-goOn
					return nil
				})
			})
			<-inAtomic
			w.WriteHeader(http.StatusOK)
			close(goOn)
			wg.Wait()
		})
		if err == nil || late != 1 || time.Since(start) > 0 {
			t.Errorf("Atomic = %v, %d events late after %v, want an error and one at once", err, late,
				time.Since(start))
		}
	})
}
