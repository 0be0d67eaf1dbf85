package life

import (
	"context"
	"sync/atomic"
	"time"
)

// Few holds what few of many things have, so that the others do not pay for it: a pointer, nil for the zero T. What it
// points to is never changed but replaced. It is safe for concurrent use.
type Few[T any] struct{ at atomic.Pointer[T] }

// Get returns what is held.
func (f *Few[T]) Get() (v T) {
	if at := f.at.Load(); at != nil {
		v = *at
	}
	return v
}

// Change has fn change what is held. It calls fn again when somebody else was faster.
func (f *Few[T]) Change(fn func(*T)) {
	for done := false; !done; {
		var v T
		was := f.at.Load()
		if was != nil {
			v = *was
		}
		fn(&v)
		done = f.at.CompareAndSwap(was, &v)
	}
}

// Await calls try until it returns nil: at once, and each time the channel that it returned is closed. Nobody waits
// longer than for a store: then the error is late, for whoever is waited for may be waiting as well.
func Await(ctx context.Context, late error, try func() <-chan struct{}) error {
	for {
		free := try()
		if free == nil {
			return nil
		}
		timer := time.NewTimer(StoreTimeout)
		select {
		case <-free:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return Unavailable(ctx.Err())
		case <-timer.C:
			return late
		}
	}
}
