package life

import (
	"cmp"
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// To end a session takes a few trips to the store, one after the other. So of many sessions some are ended at the same
// time, but not so many that visitors wait for connections.
const (
	severalAtOnce = 8
	severalInARow = 16 * severalAtOnce // until their events are told
)

// outcome is what became of a session that was to be ended.
type outcome struct {
	ended  int
	events []Event
	err    error
}

// endSeveral calls end for the numbers below n, and says how many sessions that has ended. The caller's goroutine tells
// the events, in the order of the numbers. After an error no other session is begun with. A few sessions are ended one
// by one.
func (k *Keeper) endSeveral(ctx context.Context, n int, end func(i int) outcome) (ended int, err error) {
	size := severalInARow
	if n < 2*severalAtOnce {
		size = 1
	}
	for from := 0; from < n && err == nil; from += size {
		row := make([]outcome, min(size, n-from))
		again := atOnce(len(row), func(i int) error {
			row[i] = end(from + i)
			return row[i].err
		})
		for _, o := range row {
			ended += o.ended
			err = cmp.Or(err, o.err)
			k.Tell(ctx, o.events...)
		}
		again()
	}
	return ended, err
}

// atOnce calls fn for the numbers below n in their order, for some of them at the same time, until one fails. What
// panics meanwhile, or ends its goroutine, does so again when again is called.
func atOnce(n int, fn func(i int) error) (again func()) {
	var next, failed atomic.Int64
	var fallen atomic.Pointer[fall]
	work := func() {
		for i := next.Add(1); i <= int64(n) && failed.Load() == 0; i = next.Add(1) {
			if fn(int(i-1)) != nil {
				failed.Store(1)
			}
		}
	}
	if n == 1 { // as if there were no goroutines
		work()
		return func() {}
	}
	var all sync.WaitGroup
	for range min(n, severalAtOnce) {
		all.Go(func() {
			whole := false
			defer func() {
				if !whole {
					failed.Store(1)
					fallen.CompareAndSwap(nil, &fall{recover()})
				}
			}()
			work()
			whole = true
		})
	}
	all.Wait()
	return fallen.Load().again
}

// fall is how a goroutine ended before its time.
type fall struct{ value any }

// again has the same happen to its caller: a panic of a store, or of a test that gives up. nil does nothing.
func (f *fall) again() {
	switch {
	case f == nil:
	case f.value == nil:
		runtime.Goexit()
	default:
		panic(f.value)
	}
}

// oneByOne has no two calls of a function of the application overlap.
func oneByOne(judge func(*Record) bool) func(*Record) bool {
	if judge == nil {
		return nil
	}
	var mu sync.Mutex
	return func(rec *Record) bool {
		mu.Lock()
		defer mu.Unlock()
		return judge(rec)
	}
}
