package session_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
)

// An explorer runs some requests in every order of their calls to the store. Each call waits until it is let go, and only
// one at a time is. What happens between two calls of one request cannot be told apart from outside, so that these are all
// the orders that matter.
type explorer struct {
	// preemptions is how often a request may be interrupted that could go on. Negative: any number of times. Two of them
	// find nearly all that three requests can do to each other, in a small part of the time.
	preemptions int

	mu      sync.Mutex
	waiting map[int]chan struct{}
	log     []string
	left    int // requests that have not ended
}

type requestKey struct{}

// as marks the context of a request, whose calls wait. Those with another context do not.
func as(ctx context.Context, i int) context.Context { return context.WithValue(ctx, requestKey{}, i) }

// step is what a store calls before it does anything.
func (x *explorer) step(ctx context.Context, call string) {
	i, ok := ctx.Value(requestKey{}).(int)
	if !ok {
		return
	}
	let := make(chan struct{})
	x.mu.Lock()
	x.waiting[i] = let
	x.mu.Unlock()
	<-let
	x.mu.Lock()
	x.log = append(x.log, fmt.Sprintf("%d:%s", i, call))
	x.mu.Unlock()
}

// ready returns the requests that wait, the one that went last first.
func (x *explorer) ready(last int) (list []int, left int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range x.waiting {
		list = append(list, i)
	}
	slices.Sort(list)
	if at := slices.Index(list, last); at > 0 {
		list = slices.Insert(slices.Delete(list, at, at+1), 0, last)
	}
	return list, x.left
}

func (x *explorer) letGo(i int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	close(x.waiting[i])
	delete(x.waiting, i)
}

// choice is one of several requests that could have gone on.
type choice struct{ taken, of int }

// run runs the requests in the order that the choices say, and beyond them takes the first. It returns all choices.
func (x *explorer) run(choices []choice, requests []func(ctx context.Context)) []choice {
	x.waiting, x.log, x.left = map[int]chan struct{}{}, nil, len(requests)
	for i, request := range requests {
		go func() {
			request(as(context.Background(), i))
			x.mu.Lock()
			x.left--
			x.mu.Unlock()
		}()
	}
	var made []choice
	for last, budget := -1, x.preemptions; ; {
		synctest.Wait()
		ready, left := x.ready(last)
		switch {
		case len(ready) > 0:
		case left == 0:
			return made
		default: // one waits for a moment before it tries again
			time.Sleep(time.Millisecond)
			continue
		}
		c := choice{of: len(ready)}
		interrupts := ready[0] == last
		if interrupts && budget == 0 {
			c.of = 1
		}
		if len(made) < len(choices) {
			c.taken = min(choices[len(made)].taken, c.of-1)
		}
		if interrupts && c.taken > 0 {
			budget--
		}
		made = append(made, c)
		last = ready[c.taken]
		x.letGo(last)
	}
}

// following returns the choices that come after these in the search, nil after the last.
func following(made []choice) []choice {
	for i := len(made) - 1; i >= 0; i-- {
		if made[i].taken+1 < made[i].of {
			next := slices.Clone(made[:i+1])
			next[i].taken++
			return next
		}
	}
	return nil
}

// search calls once for every order, until a check fails. Once makes new requests, and the check of what is left of them.
func (x *explorer) search(t *testing.T, once func() (requests []func(context.Context), check func() error)) (orders int, err error) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		for choices := []choice{}; choices != nil && err == nil; orders++ {
			requests, check := once()
			made := x.run(choices, requests)
			if err = check(); err != nil {
				err = fmt.Errorf("%w\nin the order %v", err, x.log)
			}
			choices = following(made)
		}
	})
	return orders, err
}

// stepStore lets an explorer decide when its calls happen.
type stepStore struct {
	fullStore
	x *explorer
}

func (s stepStore) Load(ctx context.Context, id string) (*session.Record, error) {
	s.x.step(ctx, "load")
	return s.fullStore.Load(ctx, id)
}

func (s stepStore) Save(ctx context.Context, rec *session.Record) error {
	s.x.step(ctx, "save")
	return s.fullStore.Save(ctx, rec)
}

func (s stepStore) SaveWithin(ctx context.Context, rec *session.Record, limit session.Limit) error {
	s.x.step(ctx, "save within")
	return s.fullStore.SaveWithin(ctx, rec, limit)
}

func (s stepStore) Delete(ctx context.Context, id string) error {
	s.x.step(ctx, "delete")
	return s.fullStore.Delete(ctx, id)
}

func (s stepStore) Touch(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
	s.x.step(ctx, "touch")
	return s.fullStore.Touch(ctx, id, version, seen, expires)
}

func (s stepStore) ByUser(ctx context.Context, user string) ([]*session.Record, error) {
	s.x.step(ctx, "list")
	return s.fullStore.ByUser(ctx, user)
}
