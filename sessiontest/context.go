package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/coatcheck/session"
)

var contextRules = []rule{
	{name: "a cancelled context is an error of every method", clause: "Store 7", bare: true, check: cancelledIsAnError},
	{name: "a cancelled call changes nothing or all", clause: "Store 7", check: cancelledChangesNothingOrAll},
	{name: "a save that is cancelled on its way stores all or nothing", clause: "Store 7", check: cancelledOnTheWay},
}

// call is a call of one method.
type call struct {
	name string
	do   func(context.Context) error
}

// calls are calls of all methods that the store has, for a record that is there with version 1.
func (e *env) calls(id string) []call {
	list := []call{
		{"Load", func(ctx context.Context) error { _, err := e.Load(ctx, id); return err }},
		{"Save of a new record", func(ctx context.Context) error { return e.Save(ctx, sample(idC)) }},
		{"Save", func(ctx context.Context) error { return e.Save(ctx, next(id, 1)) }},
		{"Delete", func(ctx context.Context) error { return e.Delete(ctx, id) }},
	}
	if s := e.toucher(); s != nil {
		list = append(list, call{"Touch", func(ctx context.Context) error {
			return s.Touch(ctx, id, 1, at(day), at(2*day))
		}})
	}
	if s := e.sweeper(); s != nil {
		list = append(list, call{"Sweep", func(ctx context.Context) error {
			_, err := s.Sweep(ctx, at(9*day), 100)
			return err
		}})
	}
	if s := e.lister(); s != nil {
		list = append(list,
			call{"ByUser", func(ctx context.Context) error { _, err := s.ByUser(ctx, sample(id).User); return err }},
			call{"Page", func(ctx context.Context) error { _, err := s.Page(ctx, "", 10); return err }},
		)
	}
	if s := e.sharer(); s != nil {
		list = append(list,
			call{"LoadShared", func(ctx context.Context) error { _, _, err := s.LoadShared(ctx, id); return err }},
			call{"SaveShared", func(ctx context.Context) error { return s.SaveShared(ctx, next(id, 1), nil) }},
		)
	}
	if s := e.limiter(); s != nil {
		list = append(list, call{"SaveWithin", func(ctx context.Context) error {
			return s.SaveWithin(ctx, sample(idC), within(1))
		}})
	}
	return list
}

func cancelledIsAnError(ctx context.Context, e *env) error {
	if err := e.create(ctx, sample(idA)); err != nil {
		return err
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	late, cancel := context.WithTimeout(ctx, -time.Second)
	defer cancel()
	for _, c := range e.calls(idA) {
		// The record is there, or it is not known to be gone: so these would be wrong answers.
		err := first(wantOutage(c.name+" with a cancelled context", c.do(cancelled)),
			wantOutage(c.name+" with a context whose time is over", c.do(late)))
		if err != nil {
			return err
		}
	}
	return nil
}

func cancelledChangesNothingOrAll(ctx context.Context, e *env) error {
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	for i := range e.calls(idA) {
		id := handle(i)
		if err := e.create(ctx, sample(id)); err != nil {
			return err
		}
		c := e.calls(id)[i]
		_ = c.do(cancelled) // that it is an error is another rule
		if err := first(e.wantNothingOrAll(ctx, id), e.wantNothingOrAll(ctx, idC)); err != nil {
			return fmt.Errorf("after %s with a cancelled context: %w", c.name, err)
		}
	}
	return nil
}

// wantNothingOrAll wants a record as it was before one of the calls, or as it is afterwards, and its list likewise. It
// looks twice, because a server may finish what its caller has given up, and do so between the record and the list.
func (e *env) wantNothingOrAll(ctx context.Context, id string) error {
	if e.nothingOrAll(ctx, id) == nil {
		return nil
	}
	return e.nothingOrAll(ctx, id)
}

func (e *env) nothingOrAll(ctx context.Context, id string) error {
	rec, err := e.Load(ctx, id)
	if errors.Is(err, session.ErrNotFound) {
		return e.wantUnlisted(ctx, id)
	}
	if err != nil {
		return fmt.Errorf("Load(%q) = %w, want the record or ErrNotFound", id, err)
	}
	touched := stored(sample(id))
	touched.SeenAt, touched.ExpiresAt = at(day), at(2*day)
	for _, want := range []*session.Record{stored(sample(id)), touched, stored(next(id, 1))} {
		if differences(rec, want) == "" {
			return e.wantListed(ctx, rec)
		}
	}
	return fmt.Errorf("Load(%q) gives a record that is neither the old one nor the new one", id)
}

// cancelledOnTheWay cancels saves a little earlier or later.
func cancelledOnTheWay(ctx context.Context, e *env) error {
	for i := range 40 {
		id := handle(i)
		if err := e.create(ctx, sample(id)); err != nil {
			return err
		}
		err := cancelledAfter(ctx, i, func(ctx context.Context) error { return e.Save(ctx, next(id, 1)) })
		if err == nil {
			err = e.wantStored(ctx, next(id, 1))
		} else {
			err = e.wantNothingOrAll(ctx, id)
		}
		if err != nil {
			return fmt.Errorf("after a save that was cancelled on its way: %w", err)
		}
	}
	return nil
}

// cancelledAfter runs fn with a context that is cancelled when the scheduler has been called some times.
func cancelledAfter(ctx context.Context, turns int, fn func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	started := make(chan struct{})
	go func() {
		close(started)
		for range turns {
			runtime.Gosched()
		}
		cancel()
	}()
	<-started
	return fn(ctx)
}
