package session_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
)

// One who no longer waits takes nobody along who waits for the same session.
func TestOneOfTwoWhoWaitMayLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, bubbled)
		v, _ := r.signIn("ada")
		stays := streaming(t, v).Done()
		for range 2 {
			v.with(func(s *session.Session) { s.Done() }) // and the request is over
			synctest.Wait()
		}
		if isClosed(stays) {
			t.Fatal("closed while the session lives")
		}
		v.with((*session.Session).Logout)
		synctest.Wait()
		if !isClosed(stays) {
			t.Error("not told that the session ended")
		}
	})
}

// The store is asked as long as somebody waits, and again when somebody else does.
func TestTheStoreIsAskedAsLongAsSomebodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, bubbled)
		node := r.node(bubbled)
		v, _ := r.signIn("ada")
		for range 3 {
			done := streaming(t, v).Done()
			time.Sleep(time.Minute)
			v.on(node.Manager).with((*session.Session).Logout)
			time.Sleep(10 * time.Second)
			if !isClosed(done) {
				t.Fatal("not told within ten seconds that the session ended elsewhere")
			}
			r.store.reset()
			time.Sleep(10 * time.Minute)
			if n := r.store.total(); n != 0 {
				t.Errorf("%d calls of the store while nobody waits", n)
			}
			v.with(func(s *session.Session) { s.Login("ada") })
		}
	})
}

func TestWhoLeavesWhileTheStoreIsAskedIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, bubbled)
		v, id := r.signIn("ada")
		ctx, leave := context.WithCancel(t.Context())
		s, err := r.Open(ctx, v.ticket())
		if err != nil {
			t.Fatal(err)
		}
		done := s.Done()
		time.Sleep(time.Second)
		if err := r.store.fullStore.Delete(ctx, id); err != nil {
			t.Fatal(err)
		}
		r.store.hook(func(string, string) error {
			leave()
			time.Sleep(time.Millisecond) // until it has left
			return nil
		})
		time.Sleep(time.Minute)
		if isClosed(done) {
			t.Error("who has left is told of the end")
		}
	})
}

func TestTheStoreIsAskedOncePerRoundHoweverManyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, bubbled)
		calls := func() int {
			r.store.reset()
			time.Sleep(time.Minute)
			return r.store.total()
		}
		var one int
		for i := range 10 {
			v, _ := r.signIn("ada")
			streaming(t, v).Done()
			if i == 0 {
				time.Sleep(time.Second)
				one = calls()
			}
		}
		time.Sleep(time.Second)
		if got := calls(); got != 10*one || one == 0 {
			t.Errorf("%d calls a minute for ten sessions, and %d for one", got, one)
		}
	})
}
