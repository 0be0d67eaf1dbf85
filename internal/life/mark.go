package life

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coatcheck/session/internal/bounded"
)

// A mark is what the store remembers under an id that is no session's: a tombstone that nothing led to. It is there
// until a time. A claim is a mark that somebody has only begun to set.

// claimed is what a claim holds, and claimLasts for how long nobody else has it: the one who did may have crashed.
const (
	claimed    = "begun"
	claimLasts = 2 * StoreTimeout
)

// Mark makes the store remember an id from now on, for so long.
func (k *Keeper) Mark(ctx context.Context, id string, lasts time.Duration) error {
	for attempt := 0; ; attempt++ {
		rec, err := k.Load(ctx, id)
		if errors.Is(err, ErrNotFound) {
			rec, err = &Record{ID: id, Kind: KindTombstone}, nil
		}
		if err == nil {
			rec.Data, rec.SeenAt = nil, laterOf(rec.SeenAt, k.Now())
			rec.ExpiresAt = rec.SeenAt.Add(lasts)
			err = k.Store.Save(ctx, rec)
		}
		if err = asConflict(err); !errors.Is(err, ErrConflict) {
			return err
		}
		if err := Pause(ctx, attempt); err != nil {
			return err
		}
	}
}

// MarkedAt is when an id was marked, zero when it is not.
func (k *Keeper) MarkedAt(ctx context.Context, id string) (time.Time, error) {
	rec, err := k.Load(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return time.Time{}, nil
	case err != nil:
		return time.Time{}, err
	}
	return rec.SeenAt, nil
}

// Claim reports false when the id was marked before. The error wraps ErrConflict while somebody else has the claim.
func (k *Keeper) Claim(ctx context.Context, id string) (bool, error) {
	now := k.Now()
	rec := &Record{ID: id, Kind: KindTombstone, SeenAt: now, ExpiresAt: now.Add(claimLasts), Data: []byte(claimed)}
	err := k.Store.Save(ctx, rec)
	if errors.Is(err, ErrConflict) {
		var old *Record
		if old, err = k.Load(ctx, id); err != nil {
			return false, asConflict(err)
		}
		if string(old.Data) != claimed {
			return false, nil
		}
		if now.Before(old.ExpiresAt) {
			return false, fmt.Errorf("session: another request takes over the session: %w", ErrConflict)
		}
		rec.Version = old.Version
		err = k.Store.Save(ctx, rec)
	}
	return err == nil, asConflict(err)
}

// Unclaim lets others have the claim. When it fails, the claim ends by itself.
func (k *Keeper) Unclaim(ctx context.Context, id string) {
	limited := bounded.Within(context.WithoutCancel(ctx), StoreTimeout)
	defer limited.End()
	_ = k.Store.Delete(limited, id)
}

// asConflict makes a record that went or changed meanwhile a reason to try again, and what else went wrong an outage.
func asConflict(err error) error {
	switch {
	case errors.Is(err, ErrNotFound):
		return fmt.Errorf("%w: %w", ErrConflict, err)
	case err == nil || errors.Is(err, ErrConflict):
		return err
	}
	return Unavailable(err)
}
