package storm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coatcheck/session"
)

// errFault is a failure that the storm made up.
var errFault = errors.New("the connection broke")

// faulty is a store that is slow, fails and loses answers. It notes which id takes over from which.
type faulty struct {
	Store
	w *world
}

// bounded is one that drops records.
type bounded struct {
	faulty
	session.Evicter
}

func (w *world) wrap(store Store) Store {
	if e, ok := store.(session.Evicter); ok {
		return bounded{faulty{store, w}, e}
	}
	return faulty{store, w}
}

// fault says what goes wrong with a call.
type fault uint8

const (
	none fault = iota
	fails
	loses // the answer: it is done
	slow
	hangs  // until its context ends
	killed // its context ends meanwhile
)

// choose decides on the fault of a call.
func (w *world) choose(v *visit) fault {
	intN := w.others.intN
	if v != nil {
		intN = v.rng.IntN
	}
	if w.calm.Load() || w.faults == 0 || intN(w.faults) != 0 {
		return none
	}
	return []fault{fails, fails, loses, loses, loses, slow, killed, killed, hangs}[intN(9)]
}

// call makes a call, or what a fault leaves of it.
func (f faulty) call(ctx context.Context, what string, do func(context.Context) error) (err error) {
	v := visitOf(ctx)
	f.w.pace.step(v)
	f.w.calls.Add(1)
	if v != nil {
		v.calls++
		if v.calls == v.killAt {
			v.cancel()
		}
	}
	kind := f.w.choose(v)
	switch kind {
	case fails:
		err = errFault
	case loses:
		_ = do(ctx)
		err = errFault
	case slow:
		time.Sleep(3 * time.Millisecond)
		err = do(ctx)
	case killed:
		err = f.kill(ctx, do)
	case hangs:
		err = hang(ctx)
	default:
		err = do(ctx)
	}
	if v != nil && err != nil && !errors.Is(err, session.ErrNotFound) && !errors.Is(err, session.ErrConflict) {
		v.failed = true
	}
	f.w.logCall(v, what, kind, err)
	return err
}

// kill ends the context while the call is under way, or before where nothing takes time.
func (f faulty) kill(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if f.w.pace.settled != nil {
		cancel()
	} else {
		defer time.AfterFunc(time.Duration(f.w.others.intN(2000))*time.Microsecond, cancel).Stop()
	}
	return do(ctx)
}

// hang waits as a server does that does not answer. Where time is real it soon breaks the connection.
func hang(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-time.After(20 * time.Millisecond):
	}
	return errFault
}

func (f faulty) Load(ctx context.Context, id string) (rec *session.Record, err error) {
	err = f.call(ctx, "load "+f.w.name(id), func(ctx context.Context) (err error) {
		rec, err = f.Store.Load(ctx, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return rec, nil
}

func (f faulty) Save(ctx context.Context, rec *session.Record) error {
	return f.call(ctx, f.w.saves("save", rec), func(ctx context.Context) error {
		f.w.note(rec)
		return f.w.stored(rec, f.Store.Save(ctx, rec))
	})
}

func (f faulty) SaveWithin(ctx context.Context, rec *session.Record, limit session.Limit) error {
	what := f.w.saves("save within", rec) + " instead of " + f.w.name(limit.Instead)
	return f.call(ctx, what, func(ctx context.Context) error {
		f.w.note(rec)
		return f.w.stored(rec, f.Store.SaveWithin(ctx, rec, limit))
	})
}

func (w *world) saves(how string, rec *session.Record) string {
	return fmt.Sprintf("%s %s v%d %s %q successor %s", how, w.name(rec.ID), rec.Version, rec.Kind, rec.User,
		w.name(rec.Successor))
}

func (f faulty) Delete(ctx context.Context, id string) error {
	return f.call(ctx, "delete "+f.w.name(id), func(ctx context.Context) error {
		f.w.deleted(id)
		return f.Store.Delete(ctx, id)
	})
}

func (f faulty) Touch(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
	return f.call(ctx, "touch "+f.w.name(id), func(ctx context.Context) error {
		return f.Store.Touch(ctx, id, version, seen, expires)
	})
}

func (f faulty) ByUser(ctx context.Context, user string) (recs []*session.Record, err error) {
	err = f.call(ctx, "list "+user, func(ctx context.Context) (err error) {
		recs, err = f.Store.ByUser(ctx, user)
		return err
	})
	if err != nil {
		return nil, err
	}
	f.w.sort(recs)
	return recs, nil
}

func (f faulty) Page(ctx context.Context, after string, limit int) (recs []*session.Record, err error) {
	err = f.call(ctx, "page", func(ctx context.Context) (err error) {
		recs, err = f.Store.Page(ctx, after, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(recs) < limit {
		f.w.sort(recs)
	}
	return recs, nil
}

func (f faulty) Sweep(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = f.call(ctx, "sweep", func(ctx context.Context) (err error) {
		n, err = f.Store.Sweep(ctx, before, limit)
		return err
	})
	return n, err
}
