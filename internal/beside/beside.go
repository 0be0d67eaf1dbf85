// Package beside keeps what is no session in a store of sessions: counts, links and marks, each in a record of its own.
// To everybody else such a record is a tombstone: it is in no list of sessions, no ticket opens it, and it is swept
// when it is over.
package beside

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/newest"
)

// Change replaces a record by what fn makes of it, by compare-and-set. A record that is not there has only an ID, and
// nothing is saved when fn returns nil. fn may run more than once: the last run counts. The error wraps ErrConflict
// when the context ended while others kept changing the record, and otherwise ErrUnavailable.
func Change(ctx context.Context, store session.Store, id string, fn func(*session.Record) *session.Record) error {
	rec, err := load(ctx, store, id) // one that is out of date is found out when it is replaced
	for err == nil {
		next := fn(rec)
		if next == nil {
			return nil
		}
		if err = store.Save(ctx, next); err == nil {
			return nil
		}
		if rec, err = after(ctx, store, id, err); ctx.Err() != nil {
			return fmt.Errorf("%w: %w", session.ErrConflict, ctx.Err())
		}
	}
	return fmt.Errorf("%w: %w", session.ErrUnavailable, err)
}

// after is the record to go on with when a save failed.
func after(ctx context.Context, store session.Store, id string, err error) (*session.Record, error) {
	var with *session.ConflictError
	switch {
	case errors.As(err, &with) && with.Newest != nil:
		return with.Newest, nil
	case errors.Is(err, session.ErrConflict) || errors.Is(err, session.ErrNotFound):
		return Load(ctx, store, id)
	}
	return nil, err
}

// Load returns a record as it is now, with nothing but its ID where there is none.
func Load(ctx context.Context, store session.Store, id string) (*session.Record, error) {
	return load(newest.With(ctx), store, id)
}

func load(ctx context.Context, store session.Store, id string) (*session.Record, error) {
	rec, err := store.Load(ctx, id)
	if errors.Is(err, session.ErrNotFound) {
		return &session.Record{ID: id}, nil
	}
	return rec, err
}

// Next is the record that replaces an old one, to be swept after a time.
func Next(old *session.Record, now, until time.Time, data []byte) *session.Record {
	return &session.Record{
		ID: old.ID, Kind: session.KindTombstone, Version: old.Version, CreatedAt: now, SeenAt: now,
		ExpiresAt: until, Data: data,
	}
}
