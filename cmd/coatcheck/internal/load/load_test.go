package load_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/load"
	"github.com/coatcheck/session/memstore"
)

func managerOn(t *testing.T, store session.Store) *session.Manager {
	t.Helper()
	m, err := session.New(store, session.Options{Secrets: []session.Secret{session.NewSecret()}, SweepEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// left is how many sessions a store has.
func left(t *testing.T, m *session.Manager) (n int) {
	t.Helper()
	for _, err := range m.All(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// slow is a store each call of which takes a while.
type slow struct{ *memstore.Store }

func (s slow) Load(ctx context.Context, id string) (*session.Record, error) {
	time.Sleep(time.Millisecond) // virtual
	return s.Store.Load(ctx, id)
}

func (s slow) Save(ctx context.Context, rec *session.Record) error {
	time.Sleep(time.Millisecond) // virtual
	return s.Store.Save(ctx, rec)
}

func TestARunMeasuresEveryKindOfOperationAndLeavesNothing(t *testing.T) {
	synctest.Test(t, measuresEveryKind)
}

func measuresEveryKind(t *testing.T) {
	m := managerOn(t, slow{memstore.New(memstore.Options{})})
	var steps atomic.Int64
	r, err := load.Run(t.Context(), m, load.Options{
		Clients: 3, Sessions: 10, Size: 20, Writes: 50, Duration: 100 * time.Millisecond,
		Step: func(n int) { steps.Add(int64(n)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Sessions != 10 || len(r.Operations) != 4 {
		t.Fatalf("%d sessions and %d kinds of operation, want 10 and 4", r.Sessions, len(r.Operations))
	}
	var total int64
	for _, o := range r.Operations {
		total += o.Count
		var charted int64
		for _, b := range o.Histogram {
			charted += b.Count
		}
		if charted != o.Count || o.PerSecond <= 0 || o.Median <= 0 || o.Median > o.P99 || o.P99 > o.Max {
			t.Errorf("%s: %+v does not agree with itself", o.Kind, o)
		}
	}
	if created, ended := r.Operations[0], r.Operations[3]; created.Count != 10 || ended.Count != 10 {
		t.Errorf("%d created and %d ended, want 10 and 10", created.Count, ended.Count)
	}
	if steps.Load() != total {
		t.Errorf("%d steps were told of, want %d", steps.Load(), total)
	}
	if n := left(t, m); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}

func TestARunThatIsInterruptedLeavesNothing(t *testing.T) {
	m := managerOn(t, memstore.New(memstore.Options{}))
	ctx, cancel := context.WithCancel(t.Context())
	var steps atomic.Int64
	_, err := load.Run(ctx, m, load.Options{Clients: 2, Sessions: 4, Writes: 10, Duration: time.Hour, Step: func(int) {
		if steps.Add(1) == 50 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v, want that it was cancelled", err)
	}
	if n := left(t, m); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}

// failing fails from some save on.
type failing struct {
	*memstore.Store
	saves atomic.Int64
}

func (f *failing) Save(ctx context.Context, rec *session.Record) error {
	if f.saves.Add(1) > 20 {
		return errors.New("the disk is full")
	}
	return f.Store.Save(ctx, rec)
}

func TestAStoreThatFailsEndsTheRun(t *testing.T) {
	m := managerOn(t, &failing{Store: memstore.New(memstore.Options{})})
	_, err := load.Run(t.Context(), m, load.Options{Clients: 2, Sessions: 4, Writes: 50, Duration: time.Hour,
		Step: func(int) {}})
	if !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("Run = %v, want that the store is not available", err)
	}
}
