package life_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/coatcheck/session/internal/life"
)

// place is something with a Quiet.
type place struct {
	context.Context
	mu   life.Quiet
	rest life.Few[struct{ life.Kept }]
}

func (p *place) Value(key any) any {
	if _, ok := key.(life.QuietKey); ok && p.mu.Hushed() {
		return p
	}
	return p.Context.Value(key)
}

func (p *place) Later(fn func()) { life.Later(&p.rest, &p.mu, fn) }

func (p *place) load(while func()) bool {
	defer life.Tell(&p.rest, &p.mu)
	p.mu.Lock()
	defer p.mu.Unlock()
	if life.Hush(&p.rest, &p.mu) != nil {
		return false
	}
	while()
	return true
}

func TestWhatHappensUnderTheLockIsToldAfterIt(t *testing.T) {
	p := &place{Context: t.Context()}
	told := 0
	for range 2 {
		if !p.load(func() {
			life.AfterQuiet(p, func() {
				told++
				if p.load(func() {}) {
					t.Error("whoever is told makes the same happen again")
				}
			})
			if told != 0 {
				t.Error("it is told at once")
			}
		}) || told != 1 {
			t.Errorf("it was told %d times", told)
		}
		told = 0
	}
	if !p.mu.WasHushed() || life.IsQuiet(p) {
		t.Error("it is still quiet, or never was")
	}
	life.AfterQuiet(p, func() { told++ })
	if told != 1 {
		t.Error("where nobody waits it is not told at once")
	}
}

// Two of them, one within the other, are both waited for.
func TestWhatHappensUnderTwoLocksIsToldAfterBoth(t *testing.T) {
	outer := &place{Context: t.Context()}
	inner := &place{Context: outer}
	told := false
	var tell func()
	tell = func() {
		if life.IsQuiet(inner) {
			life.AfterQuiet(inner, tell)
			return
		}
		told = true
	}
	outer.load(func() {
		inner.load(tell)
		if told {
			t.Error("it is told under the outer lock")
		}
	})
	if !told {
		t.Error("it is not told")
	}
}

func TestNothingIsToldTwiceOrNever(t *testing.T) {
	p := &place{Context: t.Context()}
	var told atomic.Int64
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 500 {
				life.AfterQuiet(p, func() { told.Add(1) })
			}
		})
		all.Go(func() {
			for range 500 {
				p.load(func() {})
			}
		})
	}
	all.Wait()
	if got := told.Load(); got != 4*500 {
		t.Errorf("told %d times", got)
	}
}
