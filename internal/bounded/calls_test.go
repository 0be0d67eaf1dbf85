package bounded

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestADetachedCallEndsByItsDeadlineAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := NewCalls(time.Second)
		parent, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		ctx := calls.Detach(parent)
		defer ctx.End()
		cancel()
		if err := ctx.Err(); err != nil {
			t.Errorf("Err = %v before the deadline, want nil", err)
		}
		at, _ := ctx.Deadline()
		<-ctx.Done()
		if now := time.Now(); !now.Equal(at) {
			t.Errorf("ended at %v, want %v", now, at)
		}
		if err := ctx.Err(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Err = %v, want the deadline", err)
		}
	})
}

func TestACallOutlastsItsParentUntilTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := NewCalls(time.Minute)
		for _, allowed := range []time.Duration{time.Second, time.Hour} {
			parent, hangUp := context.WithTimeout(t.Context(), allowed)
			ctx, begun := calls.Outlast(parent), time.Now()
			hangUp()
			<-ctx.Done()
			if took := time.Since(begun); took != allowed {
				t.Errorf("with %v the call took %v", allowed, took)
			}
			ctx.End()
		}
		parent, hangUp := context.WithCancel(t.Context())
		ctx := calls.Outlast(parent)
		hangUp()
		if err := ctx.Err(); err != nil {
			t.Errorf("Err = %v once the parent is over, want nil", err)
		}
	})
}

func TestNoCallTakesLongerThanAllowedNorMuchLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := NewCalls(time.Second)
		for range 100 {
			begun := time.Now()
			ctx := calls.Detach(t.Context())
			at, _ := ctx.Deadline()
			if took := at.Sub(begun); took > time.Second || took < 950*time.Millisecond {
				t.Errorf("the call has %v, want at most 1s, and a twentieth less at the least", took)
			}
			ctx.End()
			time.Sleep(7 * time.Millisecond) // virtual
		}
	})
}

func TestACallThatIsOverStaysOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := NewCalls(time.Second)
		over, late, other := calls.Detach(t.Context()), calls.Detach(t.Context()), calls.Detach(t.Context())
		over.End()
		if err := other.Err(); err != nil {
			t.Errorf("Err = %v once another call is over, want nil", err)
		}
		time.Sleep(time.Minute) // virtual
		late.End()
		over.End()
		if err := over.Err(); !errors.Is(err, context.Canceled) {
			t.Errorf("Err = %v, want canceled, which came first", err)
		}
		if err := late.Err(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Err = %v, want the deadline, which came first", err)
		}
	})
}

func TestADetachedCallHasTheValuesOfItsParent(t *testing.T) {
	ctx := NewCalls(time.Hour).Detach(context.WithValue(t.Context(), key{}, "v"))
	defer ctx.End()
	if got := ctx.Value(key{}); got != "v" {
		t.Errorf("Value = %v, want v", got)
	}
}

// Nor would the bubble of synctest end while a goroutine of the standard library waited for the context.
func TestAChildOfADetachedCallEndsWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithCancel(t.Context())
		ctx := NewCalls(time.Second).Detach(parent)
		child, stop := context.WithCancel(ctx)
		defer stop()
		cancel()
		if err := child.Err(); err != nil {
			t.Errorf("Err = %v once the parent of the call is over, want nil", err)
		}
		<-child.Done()
		if err := child.Err(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Err = %v, want the deadline", err)
		}
	})
}

func TestACallWithADeadlineKeepsIt(t *testing.T) {
	parent, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	limited, call := NewCalls(time.Second).Limit(parent)
	call.End()
	if limited != parent || parent.Err() != nil {
		t.Errorf("the call has the context %v, %v", limited, parent.Err())
	}
}

func TestDetachedCallsNeedNoTimerEach(t *testing.T) {
	calls := NewCalls(time.Hour)
	if n := testing.AllocsPerRun(100, func() {
		ctx := calls.Detach(t.Context())
		select {
		case <-ctx.Done():
			t.Error("ended early")
		default:
		}
		ctx.End()
	}); n > 1 {
		t.Errorf("%v allocations, want 1", n)
	}
}

func TestManyCallsMayBeginAtOnce(t *testing.T) {
	calls := NewCalls(20 * time.Millisecond)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				ctx := calls.Detach(t.Context())
				_, _, _ = ctx.Err(), ctx.Value(key{}), ctx.Done()
				ctx.End()
			}
			ctx := calls.Detach(t.Context())
			<-ctx.Done()
		})
	}
	all.Wait()
}
