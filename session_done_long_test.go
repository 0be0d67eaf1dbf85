package session_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/coatcheck/session"
)

// lasting is a context that goes on for as long as the program. It counts who wants to be told of its end.
type lasting struct {
	context.Context
	over    chan struct{}
	waiting atomic.Int64
}

func (l *lasting) Done() <-chan struct{} { return l.over }

func (l *lasting) AfterFunc(func()) (stop func() bool) {
	l.waiting.Add(1)
	return sync.OnceValue(func() bool {
		l.waiting.Add(-1)
		return true
	})
}

// A program may open all of its sessions with one context, which then must not keep those that have ended.
func TestAContextKeepsNothingOfSessionsThatHaveEnded(t *testing.T) {
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, bubbled)
				ctx := &lasting{Context: context.Background(), over: make(chan struct{})}
				for _, ending := range []*rig{r, r.node(bubbled)} {
					v := ending.visitor()
					v.with(func(s *session.Session) { s.Login("ada") })
					s, err := r.Open(ctx, v.ticket())
					if err != nil {
						t.Fatal(err)
					}
					done := s.Done()
					if n := ctx.waiting.Load(); n != 1 {
						t.Fatalf("the context knows %d who wait, want 1", n)
					}
					end(ending, v, s.ID())
					<-done
					synctest.Wait()
					if n := ctx.waiting.Load(); n != 0 {
						t.Errorf("the context knows %d who wait for a session that has ended", n)
					}
				}
			})
		})
	}
}
