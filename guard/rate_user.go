package guard

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/coatcheck/session"
)

// takeUser admits a request by compare-and-set of a record of its own.
func (l *rule) takeUser(ctx context.Context, user string, now func() time.Time) (v verdict, err error) {
	err = change(ctx, l.users, countID(l.name, user), func(rec *session.Record) *session.Record {
		at := now()
		if v = l.judge(countOf(rec), at); !v.ok {
			return nil
		}
		return counted(rec, at, v.full, binary.BigEndian.AppendUint64(nil, uint64(v.full)))
	})
	return v, err
}

// change replaces a record by what fn makes of it, by compare-and-set. A record that is not there has only an ID, and
// nothing is saved when fn returns nil. fn may run more than once.
func change(ctx context.Context, store session.Store, id string, fn func(*session.Record) *session.Record) error {
	rec, err := load(ctx, store, id)
	for err == nil {
		next := fn(rec)
		if next == nil {
			return nil
		}
		if err = store.Save(ctx, next); err == nil {
			return nil
		}
		if rec, err = after(ctx, store, id, err); ctx.Err() != nil {
			return fmt.Errorf("guard: %w: %w", session.ErrConflict, ctx.Err())
		}
	}
	return fmt.Errorf("guard: count a request: %w: %w", session.ErrUnavailable, err)
}

// after is the record to go on with when a save failed.
func after(ctx context.Context, store session.Store, id string, err error) (*session.Record, error) {
	var with *session.ConflictError
	switch {
	case errors.As(err, &with) && with.Newest != nil:
		return with.Newest, nil
	case errors.Is(err, session.ErrConflict) || errors.Is(err, session.ErrNotFound):
		return load(ctx, store, id)
	}
	return nil, err
}

func load(ctx context.Context, store session.Store, id string) (*session.Record, error) {
	rec, err := store.Load(ctx, id)
	if errors.Is(err, session.ErrNotFound) {
		return &session.Record{ID: id}, nil
	}
	return rec, err
}

func countOf(rec *session.Record) int64 {
	if len(rec.Data) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(rec.Data))
}

// counted is the record to be stored. As a tombstone it is in no list of sessions, and it is swept when the quota is
// whole again.
func counted(old *session.Record, now time.Time, full int64, data []byte) *session.Record {
	return &session.Record{
		ID: old.ID, Kind: session.KindTombstone, Version: old.Version, CreatedAt: now, SeenAt: now,
		ExpiresAt: time.UnixMicro(full).UTC(), Data: data,
	}
}
