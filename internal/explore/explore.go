// Package explore runs a few requests in every order of their calls to a store, and checks what is left against the promises
// of this library. Only tests use it.
//
// What happens between two calls of one request cannot be told apart from outside, so that these are all the orders that
// matter, whatever the store is: one in memory, or a server.
package explore

import (
	"context"
	"fmt"
	"slices"
)

// Explorer lets one call to a store happen at a time, and decides which.
type Explorer struct {
	// Preemptions is how often a request may be interrupted that could go on. Negative: any number of times. Two of them
	// find nearly all that three requests can do to each other, in a small part of the time.
	Preemptions int

	// Settled, if set, returns when every request waits for its turn, pauses or has ended: synctest.Wait in a bubble. Then
	// others go on while one pauses before it tries again. Without it a pause is part of the way to the next call.
	Settled func()

	waiting map[int]event // what requests wait before
	left    int           // those that have not ended
	events  chan event
	log     []string
}

// event is what a request comes to when it goes on: its next call, or "" for its end.
type event struct {
	request int
	call    string
	let     chan struct{} // closed when the call may happen
}

type requestKey struct{}

// Step is what a store calls before it does anything. The call waits for its turn if it comes from a request that is
// explored; requests make one call at a time.
func (x *Explorer) Step(ctx context.Context, call string) {
	i, ok := ctx.Value(requestKey{}).(int)
	if !ok {
		return
	}
	let := make(chan struct{})
	x.events <- event{i, call, let}
	<-let
}

// Search calls once for every order, until a check fails. Once makes new requests, and the check of what is left of them.
func (x *Explorer) Search(once func() (requests []func(context.Context), check func() error, err error)) (orders int, err error) {
	for choices := []choice{}; choices != nil && err == nil; orders++ {
		requests, check, err := once()
		if err != nil {
			return orders, err
		}
		made := x.run(choices, requests)
		if err := check(); err != nil {
			return orders, fmt.Errorf("%w\nin the order %v", err, x.log)
		}
		choices = following(made)
	}
	return orders, nil
}

// choice is one of several requests that could have gone on.
type choice struct{ taken, of int }

// run runs the requests in the order that the choices say, and beyond them takes the first. It returns all choices.
func (x *Explorer) run(choices []choice, requests []func(context.Context)) (made []choice) {
	x.waiting, x.left, x.events, x.log = map[int]event{}, len(requests), make(chan event, len(requests)), nil
	for i, do := range requests {
		go func() {
			do(context.WithValue(context.Background(), requestKey{}, i))
			x.events <- event{request: i}
		}()
		x.await()
	}
	last, budget := -1, x.Preemptions
	for x.left > 0 {
		if len(x.waiting) == 0 { // all of them pause
			x.take(<-x.events)
			continue
		}
		ready := x.ready(last)
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
	return made
}

// letGo lets a request make its call.
func (x *Explorer) letGo(i int) {
	e := x.waiting[i]
	x.log = append(x.log, fmt.Sprintf("%d:%s", i, e.call))
	delete(x.waiting, i)
	close(e.let)
	x.await()
}

// await waits until the one request that runs waits for its next call, or has ended.
func (x *Explorer) await() {
	if x.Settled == nil {
		x.take(<-x.events)
		return
	}
	x.Settled()
	for len(x.events) > 0 {
		x.take(<-x.events)
	}
}

func (x *Explorer) take(e event) {
	if e.call == "" {
		x.left--
		return
	}
	x.waiting[e.request] = e
}

// ready returns the requests that wait, the one that went last first.
func (x *Explorer) ready(last int) (list []int) {
	for i := range x.waiting {
		list = append(list, i)
	}
	slices.Sort(list)
	if at := slices.Index(list, last); at > 0 {
		list = slices.Insert(slices.Delete(list, at, at+1), 0, last)
	}
	return list
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
