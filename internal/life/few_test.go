package life_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session/internal/life"
)

func TestWhatFewHaveIsChangedByOneAfterTheOther(t *testing.T) {
	var few life.Few[[2]int]
	if v := few.Get(); v != [2]int{} {
		t.Errorf("Get = %v, want the zero value", v)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 100 {
				few.Change(func(v *[2]int) { v[i%2]++ })
			}
		})
	}
	all.Wait()
	if v := few.Get(); v != [2]int{400, 400} {
		t.Errorf("Get = %v, and each change counts", v)
	}
}

func TestNobodyWaitsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late, never, free := errors.New("late"), make(chan struct{}), make(chan struct{})
		close(free)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		tries := 0
		again := func() <-chan struct{} {
			if tries++; tries < 3 {
				return free
			}
			return nil
		}
		if err := life.Await(t.Context(), late, again); err != nil || tries != 3 {
			t.Errorf("Await = %v after %d tries, want 3", err, tries)
		}
		blocked := func() <-chan struct{} { return never }
		begin := time.Now()
		if err := life.Await(t.Context(), late, blocked); err != late || time.Since(begin) != life.StoreTimeout {
			t.Errorf("Await = %v after %v", err, time.Since(begin))
		}
		if err := life.Await(ended, late, blocked); !errors.Is(err, context.Canceled) {
			t.Errorf("Await = %v, want the end of the context", err)
		}
	})
}
