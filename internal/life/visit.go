package life

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Visitor changes the session of a record. refused is an error that ends the walk; with another one the session could
// not be changed, or has ended.
type Visitor func(ctx context.Context, rec *Record) (refused, err error)

// visits are one walk over sessions.
type visits struct {
	k       *Keeper
	visit   Visitor
	since   time.Time       // a session that was not seen since then comes once; zero: any may come again
	done    map[string]bool // by id
	changed int
	failed  failures // of sessions that cannot be changed
}

// VisitUser visits the live sessions of a user until no other is there, and says how many were changed.
func (k *Keeper) VisitUser(ctx context.Context, user string, visit Visitor) (int, error) {
	v := visits{k: k, visit: visit, done: map[string]bool{}}
	for range 10 { // a session that moves all the time cannot keep this busy for ever
		recs, err := k.SessionsOf(ctx, user)
		if err != nil {
			return v.changed, v.failed.and(err)
		}
		before := len(v.done)
		for _, rec := range recs {
			if err := v.change(ctx, rec); err != nil {
				return v.changed, err
			}
		}
		if len(v.done) == before {
			break
		}
	}
	return v.changed, v.failed.all()
}

// VisitAll visits all live sessions, those that got a new id after since under that too, and says how many were
// changed.
func (k *Keeper) VisitAll(ctx context.Context, since time.Time, visit Visitor) (int, error) {
	v := visits{k: k, visit: visit, done: map[string]bool{}, since: since}
	for rec, err := range k.All(ctx, since) {
		if err == nil {
			err = v.change(ctx, rec)
		} else {
			err = v.failed.and(err)
		}
		if err != nil {
			return v.changed, err
		}
	}
	return v.changed, v.failed.all()
}

// change changes the session of a record that was listed. The error is one that ends the walk.
func (v *visits) change(ctx context.Context, rec *Record) error {
	if v.done[rec.ID] {
		return nil
	}
	if v.since.IsZero() || !rec.SeenAt.Before(v.since) {
		v.done[rec.ID] = true
	}
	refused, err := v.visit(ctx, rec)
	switch {
	case refused != nil:
		return refused
	case err == nil:
		v.changed++
	case ctx.Err() != nil:
		return v.failed.and(err)
	case !errors.Is(err, ErrEnded):
		v.failed.add(err)
	case !v.since.IsZero(): // else one that was renewed is in the next list
		return v.follow(ctx, rec)
	}
	return nil
}

// follow changes a session that got a new id after it was listed.
func (v *visits) follow(ctx context.Context, rec *Record) error {
	heir, err := v.k.Heir(ctx, rec.ID)
	switch {
	case err != nil:
		v.failed.add(err)
	case heir != nil && heir.ID != rec.ID:
		return v.change(ctx, heir)
	}
	return nil
}

// maxFailures is how many sessions that cannot be changed are told of one by one.
const maxFailures = 100

// failures are errors of many sessions, of which the first are told.
type failures struct {
	first error
	count int
}

// add remembers that a session cannot be changed.
func (f *failures) add(err error) {
	if f.count++; f.count <= maxFailures {
		f.first = errors.Join(f.first, err)
	}
}

// and is an error that ended the walk, after those of sessions.
func (f *failures) and(err error) error { return errors.Join(f.first, err) }

// all is the error of all sessions, nil when there was none.
func (f *failures) all() error {
	if f.count <= maxFailures {
		return f.first
	}
	return errors.Join(f.first, fmt.Errorf("session: and so for %d more sessions", f.count-maxFailures))
}
