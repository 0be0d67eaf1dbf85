package life_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session/internal/life"
)

// Each session that cannot be stored is one to remove later, and in a long outage there is no end of them. New ones
// come also while the store is asked about another, which is put back when it does not answer.
func TestAKeeperRemembersNoMoreOrphansThanItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var out atomic.Bool
		var removed atomic.Int64
		k := life.New(slowly{w.shelf, &out, &removed}, life.Abilities{}, w.Rules)
		defer k.Close()
		out.Store(true)
		var wave sync.WaitGroup
		for range 100 {
			for range 50 {
				wave.Go(func() {
					d := new(life.Draft)
					d.Begin(k, nil)
					d.Do(set(t, "x", "1"))
					if d.Commit(t.Context(), life.Mode{CanTell: true}) == nil {
						t.Error("a session was stored during the outage")
					}
				})
			}
			time.Sleep(300 * time.Millisecond)
		}
		wave.Wait()
		out.Store(false)
		time.Sleep(time.Minute)
		if n := removed.Load(); n < life.MaxOrphans || n > life.MaxOrphans+1 {
			t.Errorf("%d records are removed after the outage, want %d", n, life.MaxOrphans)
		}
	})
}

// slowly is a shelf that takes a second for a delete, and does nothing, while it is out.
type slowly struct {
	*shelf
	out     *atomic.Bool
	removed *atomic.Int64
}

func (s slowly) Save(ctx context.Context, rec *life.Record) error {
	if s.out.Load() {
		return errors.New("down")
	}
	return s.shelf.Save(ctx, rec)
}

func (s slowly) Delete(ctx context.Context, id string) error {
	if s.out.Load() {
		time.Sleep(time.Second)
		return errors.New("down")
	}
	s.removed.Add(1)
	return s.shelf.Delete(ctx, id)
}
