// Package explore runs a few requests in every order of their calls to a store, and checks what is left against the
// promises of this library. Only tests use it.
//
// What happens between two calls of one request cannot be told apart from outside, so that these are all the orders
// that matter, whatever the store is: one in memory, or a server.
package explore

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Explorer lets one call to a store happen at a time, and decides which.
type Explorer struct {
	// Preemptions is how often a request may be interrupted that could go on. Negative: any number of times. Two of
	// them find nearly all that three requests can do to each other, in a small part of the time.
	Preemptions int

	// Faults is how many calls may fail: either nothing is done, or all of it, and only the answer is lost.
	Faults int

	// Settled, if set, returns when every request waits for its turn, pauses or has ended: synctest.Wait in a bubble.
	// Then others go on while one pauses before it tries again. Without it a pause is part of the way to the next call.
	Settled func()

	waiting map[int]event // what requests wait before
	left    int           // those that have not ended
	events  chan event
	last    int          // the request that went last
	streak  int          // how many calls it made in a row
	budget  int          // interruptions that may still come
	faults  int          // calls that may still fail
	faulted map[int]bool // requests of which a call has failed
	asleep  map[int]bool // requests whose next call makes no difference here: that order was tried
	names   map[string]int
	log     []string
}

// event is what a request comes to when it goes on: its next call, or "" for its end.
type event struct {
	request int
	call    string
	id      string    // of the record that the call is about; "" when it may be about any
	let     chan Fate // says that the call may happen
}

// Fate is what becomes of a call to a store.
type Fate uint8

// The fates.
const (
	Happens Fate = iota
	Fails        // nothing is done, and the answer is an error
	IsLost       // it is done, but the answer is an error
)

func (f Fate) String() string {
	return [...]string{"", " fails", " happens, and the answer is lost"}[f]
}

type requestKey struct{}

// Step is what a store calls before it does anything to the record with this id; "" stands for any. The call waits for
// its turn if it comes from a request that is explored; requests make one call at a time.
func (x *Explorer) Step(ctx context.Context, call, id string) Fate {
	i, ok := ctx.Value(requestKey{}).(int)
	if !ok {
		return Happens
	}
	return x.stop(i, call, id)
}

// stop holds a request up until its turn comes.
func (x *Explorer) stop(request int, call, id string) Fate {
	let := make(chan Fate)
	x.events <- event{request, call, id, let}
	return <-let
}

// Faulted reports whether a call of a request has failed.
func (x *Explorer) Faulted(request int) bool { return x.faulted[request] }

// Search calls once for every order, until a check fails. Once makes new requests, and the check of what is left of
// them.
func (x *Explorer) Search(once func() (requests []func(context.Context), check func() error, err error)) (orders int,
	err error) {
	for choices := []choice{}; choices != nil && err == nil; {
		requests, check, err := once()
		if err != nil {
			return orders, err
		}
		made, whole := x.run(choices, requests)
		choices = following(made)
		if !whole {
			continue
		}
		orders++
		if err := check(); err != nil {
			return orders, fmt.Errorf("%w\n\tin the order\n\t%s", err, x.order())
		}
	}
	return orders, nil
}

// order is the calls of the last run, one in each line, by the number of the request and of the record.
func (x *Explorer) order() string { return strings.Join(x.log, "\n\t") }

// run runs the requests in the order that the choices say, and beyond them takes the first. It returns all choices, and
// whether the order is one to check: not when it differs from an earlier one in nothing that matters.
func (x *Explorer) run(choices []choice, requests []func(context.Context)) (made []choice, whole bool) {
	x.begin(requests)
	for x.left > 0 {
		if len(x.waiting) == 0 { // all of them pause
			x.take(<-x.events)
			continue
		}
		options := x.options()
		if len(options) == 0 {
			x.finish()
			return made, false
		}
		c := choice{of: len(options)}
		if len(made) < len(choices) {
			c.taken = min(choices[len(made)].taken, c.of-1)
		}
		made = append(made, c)
		x.choose(options, c.taken)
	}
	return made, true
}

// begin starts the requests, up to their first calls.
func (x *Explorer) begin(requests []func(context.Context)) {
	x.waiting, x.left, x.events, x.log = map[int]event{}, len(requests), make(chan event, len(requests)), nil
	x.last, x.streak, x.budget, x.faults = -1, 0, x.Preemptions, x.Faults
	x.faulted, x.asleep, x.names = map[int]bool{}, map[int]bool{}, map[string]int{}
	for i, do := range requests {
		go func() {
			do(context.WithValue(context.Background(), requestKey{}, i))
			x.events <- event{request: i}
		}()
		x.await()
	}
}

// finish lets all go on to their ends.
func (x *Explorer) finish() {
	for x.left > 0 {
		if len(x.waiting) == 0 {
			x.take(<-x.events)
			continue
		}
		x.letGo(option{request: x.ready()[0]})
	}
}

// letGo lets a request make its call.
func (x *Explorer) letGo(o option) {
	e := x.waiting[o.request]
	x.log = append(x.log, fmt.Sprintf("%d: %s%s%s", o.request, e.call, x.nameOf(e.id), o.fate))
	delete(x.waiting, o.request)
	if x.last != o.request {
		x.last, x.streak = o.request, 0
	}
	x.streak++
	if o.fate != Happens {
		x.faults--
		x.faulted[o.request] = true
	}
	e.let <- o.fate
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
	x.number(e.id)
}

// number counts the ids in the order in which they come up, which is the same in every run of an order.
func (x *Explorer) number(id string) int {
	n, ok := x.names[id]
	if !ok && id != "" {
		n = len(x.names) + 1
		x.names[id] = n
	}
	return n
}

func (x *Explorer) nameOf(id string) string {
	if id == "" {
		return ""
	}
	return fmt.Sprint(" ", x.number(id))
}

// ready returns the requests that wait, the one that went last first.
func (x *Explorer) ready() (list []int) {
	for i := range x.waiting {
		list = append(list, i)
	}
	slices.Sort(list)
	if at := slices.Index(list, x.last); at > 0 {
		list = slices.Insert(slices.Delete(list, at, at+1), 0, x.last)
	}
	return list
}
