package carried

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coatcheck/session/internal/life"
)

// everySession is the id under which a carrier remembers that all sessions of a user were ended. It is no id of a
// session.
func everySession(user string) string {
	sum := sha256.Sum256([]byte("coatcheck v1 every session of " + user))
	return hex.EncodeToString(sum[:])
}

func (r *Records) canRevoke() error {
	if !r.remembers {
		return fmt.Errorf("%w: %s cannot end a session that is with the client; give it a store for revocations",
			life.ErrNotSupported, r.k.StoreType)
	}
	return nil
}

// Revoke retires ids, for ever: nobody knows when the last copy of their sessions ends.
func (r *Records) Revoke(ctx context.Context, e life.Ending, ids []string) (n int, err error) {
	if err := r.canRevoke(); err != nil {
		return 0, err
	}
	for _, id := range life.IDs(ids) {
		ended, err := r.k.End(ctx, &life.Record{ID: id}, life.Ending{Why: e.Why, Itself: true})
		for _, rec := range ended {
			r.k.Tell(ctx, life.Event{Kind: life.EventEnded, ID: rec.ID, Reason: e.Why})
		}
		n += len(ended)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// RevokeUser remembers that what began before now is over, but for the sessions to keep. How many that ends, nobody
// knows. Why is not remembered: the next one would say it of those that ended before.
func (r *Records) RevokeUser(ctx context.Context, e life.Ending, keep []string) (int, error) {
	if err := r.canRevoke(); err != nil {
		return 0, err
	}
	if err := life.CheckUser(e.Of); err != nil {
		return 0, err
	}
	keep = life.IDs(keep)
	rec := &life.Record{ID: everySession(e.Of), Kind: life.KindTombstone, Data: []byte(strings.Join(keep, " "))}
	rec.SeenAt = r.k.Now().Truncate(time.Microsecond)
	for attempt := 0; ; attempt++ {
		old, err := r.k.Load(ctx, rec.ID)
		switch {
		case err == nil:
			rec.Version = old.Version
			if !rec.SeenAt.After(old.SeenAt) { // sessions that were kept then have that time in their seals
				rec.SeenAt = old.SeenAt.Add(time.Microsecond)
			}
		case !errors.Is(err, life.ErrNotFound):
			return 0, err
		}
		err = r.k.Store.Save(ctx, rec)
		switch {
		case err == nil:
			r.k.AskAll()
			r.k.Tell(ctx, life.Event{Kind: life.EventEnded, User: e.Of, Reason: e.Why})
			return 0, nil
		case !errors.Is(err, life.ErrConflict) || attempt > 0 && life.Pause(ctx, attempt) != nil:
			return 0, life.Unavailable(err)
		}
	}
}
