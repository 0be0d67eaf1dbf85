package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coatcheck/session"
)

var evictRules = []rule{
	{name: "a store with a bound keeps it and tells of each record that it dropped", clause: "Evicter 1",
		needs: []need{bounded}, check: tellsOfDropped},
	{name: "the function that is told may use the store", clause: "Evicter 1", needs: []need{bounded},
		check: toldWithoutLock},
	{name: "the function that is told of a record dropped for a limited one may save such a one", clause: "Evicter 1",
		needs: []need{bounded, limiter}, check: toldByLimiter},
	{name: "nobody is told after stop, and others still are", clause: "Evicter 1", needs: []need{bounded},
		check: stopsTelling},
	{name: "many goroutines that fill a store are told of each record once", clause: "Evicter 1",
		needs: []need{bounded}, check: manyFill},
	{name: "a session that gets a new id costs nobody a place", clause: "Evicter 2", needs: []need{bounded},
		check: movesInAFullStore},
	{name: "a session is not dropped while it gets a new id", clause: "Evicter 2", needs: []need{bounded},
		check: keptWhileItMoves},
	{name: "a store with a bound says that it forgets", clause: "Forgetter", needs: []need{bounded}, check: saysIt},
}

const bound = 8

// fillable is a store with a bound.
type fillable struct {
	*env
	session.Evicter
}

func (e *env) fillable() (fillable, error) {
	s := e.opts.Bounded(bound)
	ev, ok := s.(session.Evicter)
	if !ok {
		return fillable{}, fmt.Errorf("the store with a bound, a %T, is no session.Evicter", s)
	}
	return fillable{&env{Store: s, opts: e.opts}, ev}, nil
}

// told collects what is reported about dropped records.
type told struct {
	mu    sync.Mutex
	users map[string]string // by id
	twice []string
}

func (t *told) add(id, user string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.users == nil {
		t.users = make(map[string]string)
	}
	if _, again := t.users[id]; again {
		t.twice = append(t.twice, id)
	}
	t.users[id] = user
}

func (t *told) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.users)
}

// matches checks that each of the records was either reported or is still there, and that at most bound are.
func (t *told) matches(ctx context.Context, e *env, ids []string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.twice) > 0 {
		return fmt.Errorf("OnEvict reports %q twice", t.twice[0])
	}
	kept := 0
	for _, id := range ids {
		user, dropped := t.users[id]
		_, err := e.Load(ctx, id)
		switch {
		case err == nil && dropped:
			return fmt.Errorf("OnEvict reports %q, which is still there", id)
		case err == nil:
			kept++
		case !errors.Is(err, session.ErrNotFound):
			return fmt.Errorf("Load(%q) = %w, want the record or ErrNotFound", id, err)
		case !dropped:
			return fmt.Errorf("OnEvict does not report %q, which is gone", id)
		case user != sample(id).User:
			return fmt.Errorf("OnEvict reports %q with user %q, want %q", id, user, sample(id).User)
		}
	}
	if kept != min(bound, len(ids)) || len(t.users) != len(ids)-kept {
		return fmt.Errorf("%d records are left and %d were reported, want %d and %d", kept, len(t.users), bound,
			len(ids)-bound)
	}
	return nil
}

// waysToCreate are by each method that the store has.
func (e *env) waysToCreate() []func(context.Context, *session.Record) error {
	ways := []func(context.Context, *session.Record) error{
		func(ctx context.Context, rec *session.Record) error { return e.create(ctx, rec) },
	}
	if e.limiter() != nil {
		ways = append(ways, func(ctx context.Context, rec *session.Record) error {
			return e.admit(ctx, within(1), rec)
		})
	}
	if e.sharer() != nil {
		ways = append(ways, func(ctx context.Context, rec *session.Record) error {
			return e.saveShared(ctx, rec, nil)
		})
	}
	return ways
}

func tellsOfDropped(ctx context.Context, e *env) error {
	f, err := e.fillable()
	if err != nil {
		return err
	}
	var t told
	defer f.OnEvict(t.add)()
	ids, ways := handles(3*bound), f.waysToCreate()
	for i, id := range ids {
		if err := ways[i%len(ways)](ctx, sample(id)); err != nil {
			return err
		}
		if want := max(0, i+1-bound); t.len() != want {
			return fmt.Errorf("after %d saves OnEvict has reported %d records, want %d", i+1, t.len(), want)
		}
	}
	return t.matches(ctx, f.env, ids)
}

// toldWithoutLock uses the store in the function, with a guard against one that would wait for ever.
func toldWithoutLock(ctx context.Context, e *env) error {
	f, err := e.fillable()
	if err != nil {
		return err
	}
	var inside error
	defer f.OnEvict(func(id, _ string) {
		_, loadErr := f.Load(ctx, handle(0))
		inside = errors.Join(inside, lost(loadErr), f.remove(ctx, id), f.remove(ctx, handle(1)))
	})()
	err = answers(func() error { return f.createAll(ctx, handles(2*bound)) })
	if err != nil { // the function may still be at work
		return err
	}
	return inside
}

// toldByLimiter signs the same user in once more in the function: what makes logins wait for each other must not be
// held.
func toldByLimiter(ctx context.Context, e *env) error {
	f, err := e.fillable()
	if err != nil || f.limiter() == nil {
		return err
	}
	var inside error
	more := handles(bound + 2)[bound:]
	again := false // what is saved in the function drops a record as well
	defer f.OnEvict(func(string, string) {
		if !again {
			again = true
			inside = f.admit(ctx, within(100), owned(more[1], "ada"))
		}
	})()
	if err := f.createAll(ctx, handles(bound)); err != nil {
		return err
	}
	err = answers(func() error { return f.admit(ctx, within(100), owned(more[0], "ada")) })
	if err != nil { // the function may still be at work
		return err
	}
	return inside
}

// answers returns what do returns, or an error when that takes too long.
func answers(do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	guard := time.NewTimer(10 * time.Second)
	defer guard.Stop()
	select {
	case err := <-done:
		return err
	case <-guard.C:
		return errors.New("a function that uses the store waits for ever: it is called with a lock held")
	}
}

func stopsTelling(ctx context.Context, e *env) error {
	f, err := e.fillable()
	if err != nil {
		return err
	}
	var stopped, stays told
	stop := f.OnEvict(stopped.add)
	defer f.OnEvict(stays.add)()
	if err := f.createAll(ctx, handles(bound+1)); err != nil {
		return err
	}
	stop()
	stop()
	if err := f.createAll(ctx, handles(bound + 3)[bound+1:]); err != nil {
		return err
	}
	if stopped.len() != 1 || stays.len() != 3 {
		return fmt.Errorf("three records were dropped, one of them before stop: OnEvict reported %d, and the other "+
			"function of %d, want 1 and 3",
			stopped.len(), stays.len())
	}
	return nil
}

func manyFill(ctx context.Context, e *env) error {
	f, err := e.fillable()
	if err != nil {
		return err
	}
	var t told
	defer f.OnEvict(t.add)()
	ids := handles(racers * 10)
	errs := race(racers, func(i int) error { return f.createAll(ctx, ids[i*10:(i+1)*10]) })
	return first(errors.Join(errs...), t.matches(ctx, f.env, ids))
}

// saysIt asks as those do who must not be forgotten. An Evicter that says nothing is taken for one that
// forgets.
func saysIt(_ context.Context, e *env) error {
	f, err := e.fillable()
	if err == nil && session.Forgets(f.Store) == "" {
		return errors.New("a store with a bound says that it forgets nothing: what must be kept would be kept there")
	}
	return err
}
