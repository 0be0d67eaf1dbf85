package atomicfile_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/coatcheck/session/internal/atomicfile"
)

func TestLockIsHeldByOneAtATime(t *testing.T) {
	dir, path := open(t)
	// Each has its own descriptors, as two processes would have.
	dirs := []*atomicfile.Dir{dir, dir, mustOpen(t, path), mustOpen(t, path)}
	var inside, count atomic.Int32
	var wg sync.WaitGroup
	for _, d := range dirs {
		wg.Go(func() {
			for range 50 {
				unlock, err := d.Lock(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				if n := inside.Add(1); n != 1 {
					t.Errorf("%d hold the lock", n)
				}
				count.Add(1)
				inside.Add(-1)
				unlock()
			}
		})
	}
	wg.Wait()
	if count.Load() != 200 {
		t.Errorf("the lock was held %d times, want 200", count.Load())
	}
}

func TestWaitingForALockEndsWithTheContext(t *testing.T) {
	dir, path := open(t)
	unlock, err := dir.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	for name, d := range map[string]*atomicfile.Dir{"of this process": dir, "of another process": mustOpen(t, path)} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() {
				_, err := d.Lock(ctx)
				done <- err
			}()
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("Lock = %v, want context.Canceled", err)
			}
		})
	}
}

// TestALockFileThatWasRemovedLocksNothing removes the file under the one who has it. Who waits for it must notice that
// it waits for the wrong one.
func TestALockFileThatWasRemovedLocksNothing(t *testing.T) {
	dir, path := open(t)
	unlockFirst, err := dir.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, third := mustOpen(t, path), mustOpen(t, path)
	trying := &tryingContext{Context: t.Context(), slept: make(chan struct{})}
	waiting := make(chan func())
	go func() {
		unlock, err := second.Lock(trying)
		if err != nil {
			t.Error(err)
		}
		waiting <- unlock
	}()
	<-trying.slept
	if err := os.Remove(filepath.Join(path, "lock")); err != nil {
		unlockFirst()
		(<-waiting)()
		t.Skip("an open file cannot be removed here")
	}
	unlockFirst()
	unlockSecond := <-waiting
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if unlock, err := third.Lock(ctx); err == nil {
		unlock()
		t.Error("two hold the lock")
	}
	unlockSecond()
}

// tryingContext tells when somebody looks at Done the second time: the first time is to wait in line, the second to
// wait for another process, with the file open.
type tryingContext struct {
	context.Context
	looks atomic.Int32
	slept chan struct{}
}

func (c *tryingContext) Done() <-chan struct{} {
	if c.looks.Add(1) == 2 {
		close(c.slept)
	}
	return c.Context.Done()
}
