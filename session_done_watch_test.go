package session_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
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

// lookedAt counts what is loaded from a store that tells what ended.
type lookedAt struct {
	*memstore.Store
	loads atomic.Int64
}

func (l *lookedAt) Load(ctx context.Context, id string) (*session.Record, error) {
	l.loads.Add(1)
	return l.Store.Load(ctx, id)
}

// A store tells every node of every end. None asks for sessions that it was not told of.
func TestAStoreThatTellsOfOneEndIsAskedForOneSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &lookedAt{Store: memstore.New(memstore.Options{})}
		m := manage(t, store, session.Options{Secrets: []session.Secret{testSecret}, SweepEvery: session.Never})
		r := newRigOn(t, store.Store, bubbled)
		var last *visitor
		var done <-chan struct{}
		for range 5 {
			last, _ = r.signIn("ada")
			done = streaming(t, last.on(m)).Done()
		}
		synctest.Wait()
		store.loads.Store(0)
		last.with((*session.Session).Logout)
		synctest.Wait()
		if n := store.loads.Load(); n != 1 || !isClosed(done) {
			t.Errorf("%d sessions were asked for, and whoever waits is told: %v; want one and true", n, isClosed(done))
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
