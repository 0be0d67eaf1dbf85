package sessiontest_test

import (
	"context"
	"flag"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/nullstore"
	"github.com/coatcheck/session/sessiontest"
)

func BenchmarkStore(b *testing.B) {
	sessiontest.RunBenchmarks(b, func(*testing.B) session.Store { return newStore(newShelf(0), sound) })
}

// benchmarked runs the benchmarks a few times each and reports whether one failed.
func benchmarked(t *testing.T, newStore func() session.Store) (failed bool) {
	t.Helper()
	benchtime := flag.Lookup("test.benchtime").Value
	before := benchtime.String()
	if err := benchtime.Set("150x"); err != nil {
		t.Fatal(err)
	}
	defer benchtime.Set(before)
	testing.Benchmark(func(b *testing.B) {
		sessiontest.RunBenchmarks(b, func(*testing.B) session.Store { return newStore() })
		failed = b.Failed()
	})
	return failed
}

func TestRunBenchmarks(t *testing.T) {
	var loads, saves, deletes, touches, lists, sweeps atomic.Int32
	counted := func(s *store) {
		inner := *s
		s.load = func(ctx context.Context, id string) (*session.Record, error) {
			loads.Add(1)
			return inner.load(ctx, id)
		}
		s.save = func(ctx context.Context, rec *session.Record) error {
			saves.Add(1)
			return inner.save(ctx, rec)
		}
		s.remove = func(ctx context.Context, id string) error {
			deletes.Add(1)
			return inner.remove(ctx, id)
		}
		s.touch = func(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
			touches.Add(1)
			return inner.touch(ctx, id, version, seen, expires)
		}
		s.byUser = func(ctx context.Context, user string) ([]*session.Record, error) {
			lists.Add(1)
			return inner.byUser(ctx, user)
		}
		s.sweep = func(ctx context.Context, before time.Time, limit int) (int, error) {
			sweeps.Add(1)
			return inner.sweep(ctx, before, limit)
		}
	}
	if benchmarked(t, func() session.Store { return newStore(newShelf(0), counted) }) {
		t.Error("a benchmark of a sound store failed")
	}
	for name, test := range map[string]struct {
		calls *atomic.Int32
		want  int32
	}{
		"Load": {&loads, 300}, "Save": {&saves, 9000}, "Delete": {&deletes, 300}, "Touch": {&touches, 150},
		"ByUser": {&lists, 150},
		"Sweep":  {&sweeps, 2},
	} {
		if got := test.calls.Load(); got < test.want {
			t.Errorf("the benchmarks call %s %d times, want at least %d", name, got, test.want)
		}
	}
}

func TestABenchmarkOfWhatDoesNotWorkFails(t *testing.T) {
	broken := func(s *store) {
		s.sweep = func(context.Context, time.Time, int) (int, error) { return 0, nil }
	}
	if !benchmarked(t, func() session.Store { return newStore(newShelf(0), broken) }) {
		t.Error("RunBenchmarks of a store that sweeps nothing did not fail")
	}
}

func TestRunBenchmarksOfAStoreWithoutAbilities(t *testing.T) {
	if benchmarked(t, func() session.Store { return struct{ session.Store }{newShelf(0)} }) {
		t.Error("RunBenchmarks of a store with three methods failed, want what it lacks skipped")
	}
	if benchmarked(t, func() session.Store { return nullstore.New() }) {
		t.Error("RunBenchmarks of a store that keeps nothing failed, want everything skipped")
	}
}
