package guard

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/coatcheck/session"
)

// takeUser admits a request by compare-and-set of a record of its own.
func (l *rule) takeUser(ctx context.Context, user string, now time.Time) (verdict, error) {
	id := countID(l.name, user)
	rec, err := l.load(ctx, id)
	for err == nil {
		v := l.judge(countOf(rec), now)
		if !v.ok {
			return v, nil
		}
		next := count(rec, now, v.full)
		if err = l.users.Save(ctx, next); err == nil {
			return v, nil
		}
		if rec, err = l.after(ctx, id, err); ctx.Err() != nil {
			return v, fmt.Errorf("guard: %w: %w", session.ErrConflict, ctx.Err())
		}
	}
	return verdict{}, fmt.Errorf("guard: count the requests of a user: %w: %w", session.ErrUnavailable, err)
}

// after is the record to go on with when a save failed.
func (l *rule) after(ctx context.Context, id string, err error) (*session.Record, error) {
	var with *session.ConflictError
	switch {
	case errors.As(err, &with) && with.Newest != nil:
		return with.Newest, nil
	case errors.Is(err, session.ErrConflict) || errors.Is(err, session.ErrNotFound):
		return l.load(ctx, id)
	}
	return nil, err
}

func (l *rule) load(ctx context.Context, id string) (*session.Record, error) {
	rec, err := l.users.Load(ctx, id)
	if errors.Is(err, session.ErrNotFound) {
		return &session.Record{ID: id}, nil
	}
	return rec, err
}

// countID looks like the id of a session. No ticket has this hash, so that the record opens nothing.
func countID(name, user string) string {
	sum := sha256.Sum256([]byte("coatcheck rate\x00" + name + "\x00" + user))
	return hex.EncodeToString(sum[:])
}

func countOf(rec *session.Record) int64 {
	if len(rec.Data) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(rec.Data))
}

// count is the record to be stored. As a tombstone it is in no list of sessions, and it is swept when the quota is
// whole again.
func count(old *session.Record, now time.Time, full int64) *session.Record {
	return &session.Record{
		ID: old.ID, Kind: session.KindTombstone, Version: old.Version, CreatedAt: now, SeenAt: now,
		ExpiresAt: time.UnixMicro(full).UTC(), Data: binary.BigEndian.AppendUint64(nil, uint64(full)),
	}
}
