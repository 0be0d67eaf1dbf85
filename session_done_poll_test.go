package session_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// The interval holds for many connections that stay open on a store that takes its time.
func TestAThousandAreToldInTimeByASlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, bubbled)
		var done []<-chan struct{}
		for i := range 1000 {
			v := r.visitor()
			v.with(func(s *session.Session) { s.Login(fmt.Sprintf("user-%d", i%2)) })
			done = append(done, streaming(t, v).Done())
		}
		if n, err := r.node(bubbled).RevokeUser(t.Context(), "user-1"); n != 500 || err != nil {
			t.Fatal(n, err)
		}
		r.store.hook(func(string, string) error {
			time.Sleep(20 * time.Millisecond)
			return nil
		})
		time.Sleep(10 * time.Second)
		for i, d := range done {
			if isClosed(d) != (i%2 == 1) {
				t.Fatalf("the session of connection %d was revoked: %v, and it is told: %v", i, i%2 == 1, isClosed(d))
			}
		}
	})
}

// hung is a store that never answers once it has hung up.
type hung struct {
	fullStore
	silent atomic.Bool
}

func (h *hung) Load(ctx context.Context, id string) (*session.Record, error) {
	if !h.silent.Load() {
		return h.fullStore.Load(ctx, id)
	}
	<-ctx.Done()
	return nil, errors.New("no answer")
}

func TestCloseWaitsForNoStoreThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &hung{fullStore: memstore.New(memstore.Options{})}
		r := newRigOn(t, store, bubbled)
		for range 100 {
			v := r.visitor()
			v.with(func(s *session.Session) { s.Login("ada") })
			streaming(t, v).Done()
		}
		store.silent.Store(true)
		time.Sleep(6 * time.Second)
		synctest.Wait() // until the store is asked
		began := time.Now()
		r.Close()
		if waited := time.Since(began); waited != 0 {
			t.Errorf("Close waited for %v", waited)
		}
	})
}
