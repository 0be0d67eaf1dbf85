package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coatcheck/session"
)

// result is what was measured of a store.
type result struct {
	store          string
	sessions       int
	bytes          int64 // of one session
	filled, swept  time.Duration
	removed        int
	sweptFew       time.Duration // the last few
	idle, sweeping [len(operations)]histogram
}

func measure(ctx context.Context, b *backend, c config) (*result, error) {
	r := &result{store: c.store, sessions: c.sessions}
	w := newCrowd(b, c)
	if err := r.fill(ctx, w); err != nil {
		return nil, fmt.Errorf("fill: %w", err)
	}
	fmt.Fprintf(c.progress, "%s: filled in %v\n", c.store, r.filled.Round(time.Second))
	if err := r.sweep(ctx, w, c); err != nil {
		return nil, err
	}
	return r, w.check(ctx)
}

func (r *result) fill(ctx context.Context, w *crowd) error {
	before, err := w.size(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := w.fillAll(ctx); err != nil {
		return err
	}
	r.filled = time.Since(began)
	if err := w.settle(ctx); err != nil {
		return err
	}
	after, err := w.size(ctx)
	r.bytes = (after - before) / int64(len(w.ids))
	return err
}

// sweep lets the idle server and the one that is swept take turns, so that whatever else the machine does slows both.
func (r *result) sweep(ctx context.Context, w *crowd, c config) error {
	var clock atomic.Int64
	clock.Store(w.start.UnixNano())
	m, err := session.New(w.Store, session.Options{
		Secrets: []session.Secret{session.NewSecret()}, SweepEvery: -1,
		Now: func() time.Time { return time.Unix(0, clock.Load()) },
	})
	if err != nil {
		return err
	}
	defer m.Close()
	var warmUp [len(operations)]histogram
	idle := func() error { return wait(ctx, max(c.idle, min(r.swept/time.Duration(c.rounds), 5*time.Second))) }
	if err := w.serve(ctx, &warmUp, idle); err != nil {
		return err
	}
	for round := range c.rounds {
		if err := w.serve(ctx, &r.idle, idle); err != nil {
			return err
		}
		clock.Store(w.sweepAt(round).UnixNano())
		err := w.serve(ctx, &r.sweeping, func() error {
			began := time.Now()
			n, err := m.Sweep(ctx)
			r.swept += time.Since(began)
			r.removed += n
			return err
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(c.progress, "%s: %d removed in %v\n", c.store, r.removed, r.swept.Round(time.Millisecond))
	}
	clock.Store(w.sweepAt(c.rounds).UnixNano())
	return r.sweepFew(ctx, m)
}

// sweepFew is the sweep of a site on a day like any other, while nobody comes.
func (r *result) sweepFew(ctx context.Context, m *session.Manager) error {
	began := time.Now()
	n, err := m.Sweep(ctx)
	r.sweptFew = time.Since(began)
	if err == nil && n != few {
		err = fmt.Errorf("the last sweep removed %d, want %d", n, few)
	}
	return err
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// serve lets the visitors come until fn returns. Each does one operation after the other, and at least one of each.
func (w *crowd) serve(ctx context.Context, into *[len(operations)]histogram, fn func() error) error {
	done := make(chan struct{})
	var all sync.WaitGroup
	var took [visitors][len(operations)]histogram
	var errs [visitors + 1]error
	for i := range visitors {
		all.Go(func() { errs[i] = visitor{w, i}.come(ctx, &took[i], done) })
	}
	errs[visitors] = fn()
	close(done)
	all.Wait()
	for i := range took {
		for op := range into {
			into[op].add(&took[i][op])
		}
	}
	return errors.Join(errs[:]...)
}

func (v visitor) come(ctx context.Context, took *[len(operations)]histogram, done <-chan struct{}) error {
	for {
		for i, op := range operations {
			call := op.call(v, ctx)
			began := time.Now()
			if err := call(); err != nil {
				return fmt.Errorf("%s: %w", op.name, err)
			}
			took[i].note(time.Since(began))
		}
		select {
		case <-done:
			return nil
		default:
		}
	}
}

// check looks at some sessions of each sort: what expired is gone, what did not is there as it was saved.
func (w *crowd) check(ctx context.Context) error {
	for n := range min(w.expiring, 1000) {
		if _, err := w.Load(ctx, w.id(n)); !errors.Is(err, session.ErrNotFound) {
			return fmt.Errorf("an expired session was swept, and loading it gives %w", err)
		}
	}
	for n := w.expiring; n < min(len(w.ids)-few, w.expiring+1000); n++ {
		rec, err := w.Load(ctx, w.id(n))
		if err != nil {
			return fmt.Errorf("a live session: %w", err)
		}
		if rec.Version != w.versions[n] || len(rec.Data) != dataSize {
			return fmt.Errorf("a live session is %v, want version %d", rec, w.versions[n])
		}
	}
	return nil
}
