package transfer

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/coatcheck/session"
)

// removeEnded ends the copies of what this pass has not met any more.
func (c *Copying) removeEnded(ctx context.Context) error {
	for after := ""; ; {
		found, err := c.Journal.unmet(ctx, c.pass, after, batchSize)
		if err != nil || len(found) == 0 {
			return err
		}
		list := slices.Collect(maps.Values(found))
		var ended []entry
		var mu sync.Mutex
		err = together(ctx, list, func(ctx context.Context, e entry) error {
			gone, err := c.endCopy(ctx, e)
			if gone {
				mu.Lock()
				defer mu.Unlock()
				ended = append(ended, e)
			}
			return err
		})
		if err = errors.Join(err, c.Journal.forget(context.WithoutCancel(ctx), ended)); err != nil {
			return err
		}
		after = slices.Max(slices.Collect(maps.Keys(found)))
	}
}

// endCopy ends a copy whose original is gone, unless the site has used it. It reports whether the original is gone.
func (c *Copying) endCopy(ctx context.Context, e entry) (bool, error) {
	rec, reason, err := load(ctx, c.From, e.ID)
	if err != nil || rec != nil || reason != "" {
		return false, err
	}
	there, _, err := load(ctx, c.To, e.ID)
	if err != nil {
		return false, err
	}
	if there == nil || over(there, c.M.Now()) {
		return true, nil
	}
	if !e.untouched(there) {
		c.keep()
		return true, nil
	}
	err = c.To.Save(ctx, c.retired(there))
	switch {
	case err == nil:
		c.count(&c.done.Removed)
	case errors.Is(err, session.ErrNotFound), errors.Is(err, session.ErrConflict):
		c.keep()
	default:
		return false, unavailable(err)
	}
	return true, nil
}

// retired is what becomes of a copy. It is replaced, and not deleted, because only that fails when somebody has used
// it.
func (c *Copying) retired(rec *session.Record) *session.Record {
	now := c.M.Now()
	return &session.Record{
		ID: rec.ID, User: rec.User, Kind: session.KindTombstone, Version: rec.Version,
		CreatedAt: rec.CreatedAt, SeenAt: now, LoginAt: rec.LoginAt, ExpiresAt: now.Add(tombstoneLife),
	}
}
