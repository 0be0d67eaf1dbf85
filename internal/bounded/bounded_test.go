package bounded

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheDeadlineEndsWhoWaitsAndWhoOnlyAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waited, asked := Within(t.Context(), time.Second), Within(t.Context(), time.Second)
		defer waited.End()
		defer asked.End()
		begin := time.Now()
		<-waited.Done()
		if took := time.Since(begin); took != time.Second {
			t.Errorf("waited for %v, want 1s", took)
		}
		for _, ctx := range []*Context{waited, asked} {
			if err := ctx.Err(); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Err = %v, want the deadline", err)
			}
		}
	})
}

func TestAnEarlierDeadlineOfTheParentHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		ctx := Within(parent, time.Minute)
		defer ctx.End()
		want, _ := parent.Deadline()
		if got, bounded := ctx.Deadline(); !bounded || !got.Equal(want) {
			t.Errorf("Deadline = %v, %v, want that of the parent, %v", got, bounded, want)
		}
		later := Within(parent, time.Millisecond)
		defer later.End()
		if got, _ := later.Deadline(); !got.Before(want) {
			t.Errorf("Deadline = %v, want one before that of the parent, %v", got, want)
		}
	})
}

func TestWhatEndsTheParentEndsTheContext(t *testing.T) {
	for _, wait := range []bool{false, true} {
		parent, cancel := context.WithCancel(t.Context())
		ctx := Within(parent, time.Hour)
		defer ctx.End()
		if wait {
			ctx.Done()
		}
		if err := ctx.Err(); err != nil {
			t.Errorf("Err = %v before the end", err)
		}
		cancel()
		if err := ctx.Err(); !errors.Is(err, context.Canceled) {
			t.Errorf("Err = %v, want canceled", err)
		}
		<-ctx.Done()
	}
}

func TestEndEndsTheContextForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		early, late := Within(t.Context(), time.Second), Within(t.Context(), time.Second)
		early.Done()
		early.End()
		late.End()
		late.End()
		time.Sleep(time.Minute) // virtual
		for _, ctx := range []*Context{early, late} {
			<-ctx.Done()
			if err := ctx.Err(); !errors.Is(err, context.Canceled) {
				t.Errorf("Err = %v, want canceled, which came first", err)
			}
		}
	})
}

func TestAReasonStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithCancel(t.Context())
		ctx := Within(parent, time.Second)
		defer ctx.End()
		time.Sleep(time.Second) // virtual
		if err := ctx.Err(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Err = %v, want the deadline", err)
		}
		cancel()
		ctx.End()
		if err := ctx.Err(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Err = %v, want the deadline still", err)
		}
	})
}

type key struct{}

func TestValuesAreThoseOfTheParent(t *testing.T) {
	ctx := Within(context.WithValue(t.Context(), key{}, "v"), time.Hour)
	defer ctx.End()
	before := ctx.Value(key{})
	ctx.Done()
	if after := ctx.Value(key{}); before != "v" || after != "v" {
		t.Errorf("Value = %v before the timer and %v after, want v", before, after)
	}
}

// The bubble of synctest would not end while a goroutine of the standard library waited for the context.
func TestAChildEndsWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := Within(context.WithoutCancel(t.Context()), time.Second)
		child, cancel := context.WithCancel(ctx)
		defer cancel()
		called := make(chan struct{})
		context.AfterFunc(ctx, func() { close(called) })
		<-child.Done()
		<-called
		if err := child.Err(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Err = %v, want the deadline", err)
		}
	})
}

func TestManyMayUseItAtOnce(t *testing.T) {
	ctx := Within(t.Context(), time.Hour)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, _, _ = ctx.Err(), ctx.Value(key{}), ctx.Done()
			ctx.End()
			<-ctx.Done()
		})
	}
	all.Wait()
}

func TestACallThatNeverWaitsAllocatesOnce(t *testing.T) {
	parent := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		ctx := Within(parent, time.Second)
		if ctx.Err() != nil {
			t.Error("ended early")
		}
		ctx.End()
	}); n > 1 {
		t.Errorf("%v allocations, want 1", n)
	}
}

func TestUntilItsDeadlineAContextOutlivesItsParent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "v"))
		ctx := Until(parent, time.Now().Add(time.Second))
		defer ctx.End()
		cancel()
		if err := ctx.Err(); err != nil || ctx.Value(key{}) != "v" {
			t.Errorf("after the end of its parent: %v, with the value %v", err, ctx.Value(key{}))
		}
		<-ctx.Done()
		if err := ctx.Err(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Err = %v, want the deadline", err)
		}
	})
}

func TestOnlyADetachedContextEndsByItsDeadlineAlone(t *testing.T) {
	detached := NewCalls(time.Minute).Detach(t.Context())
	defer detached.End()
	within := Within(t.Context(), time.Minute)
	defer within.End()
	if !Detached(detached) || Detached(within) || Detached(t.Context()) {
		t.Error("Detached is not true of one that was detached, or of another one")
	}
}
