package life

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/coatcheck/session/internal/bounded"
	"github.com/coatcheck/session/internal/newest"
)

// A mark is what the store remembers under an id that is no session's: a tombstone that nothing led to. It is there
// until a time. A claim is a mark that somebody has only begun to set.

// claimed is what a claim begins with, before what tells it from others, and claimLasts for how long nobody else has
// it: the one who did may have crashed.
const (
	claimed    = "begun"
	claimLasts = 2 * StoreTimeout
)

// Mark makes the store remember ids from now on, for so long.
func (k *Keeper) Mark(ctx context.Context, ids []string, lasts time.Duration) error {
	for _, id := range ids {
		if err := k.mark(ctx, id, lasts); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) mark(ctx context.Context, id string, lasts time.Duration) error {
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

// MarkedAt is when one of the ids was marked last, zero when none is. Another node may just have done it.
func (k *Keeper) MarkedAt(ctx context.Context, ids []string) (last time.Time, err error) {
	ctx = newest.With(ctx)
	for _, id := range ids {
		rec, err := k.Load(ctx, id)
		switch {
		case err == nil:
			last = laterOf(last, rec.SeenAt)
		case !errors.Is(err, ErrNotFound):
			return time.Time{}, err
		}
	}
	return last, nil
}

// Claim claims all of the ids. It returns none, and keeps no claim, when one of them was marked before. The error wraps
// ErrConflict while somebody else has a claim. The order is that of everybody, so that of those who come at the same
// time one gets them all.
func (k *Keeper) Claim(ctx context.Context, ids []string) (claims []*Record, err error) {
	for _, id := range slices.Sorted(slices.Values(ids)) {
		rec, err := k.claim(ctx, id)
		if rec == nil {
			k.Unclaim(ctx, claims)
			return nil, err
		}
		claims = append(claims, rec)
	}
	return claims, nil
}

// claim returns what it stored, nil on an error or when the id was marked before.
func (k *Keeper) claim(ctx context.Context, id string) (*Record, error) {
	now := k.Now()
	rec := &Record{ID: id, Kind: KindTombstone, SeenAt: now, ExpiresAt: now.Add(claimLasts)}
	rec.Data = []byte(claimed + rand.Text())
	err := k.Store.Save(ctx, rec)
	if errors.Is(err, ErrConflict) {
		var old *Record
		if old, err = k.Load(ctx, id); err != nil {
			return nil, asConflict(err)
		}
		if !bytes.HasPrefix(old.Data, []byte(claimed)) {
			return nil, nil
		}
		if now.Before(old.ExpiresAt) {
			return nil, fmt.Errorf("session: another request takes over the session: %w", ErrConflict)
		}
		rec.Version = old.Version
		err = k.Store.Save(ctx, rec)
	}
	if err = asConflict(err); errors.Is(err, ErrUnavailable) {
		k.unclaimLost(ctx, rec)
	}
	if err != nil {
		return nil, err
	}
	rec.Version++
	return rec, nil
}

// unclaimLost gives up a claim of which nobody knows whether it is there. Somebody else may have one of the same
// version. A store that hangs is not waited for once more: the claim ends by itself.
func (k *Keeper) unclaimLost(ctx context.Context, rec *Record) {
	if ctx.Err() != nil {
		return
	}
	limited := bounded.Within(context.WithoutCancel(ctx), StoreTimeout)
	defer limited.End()
	if now, err := k.Load(limited, rec.ID); err == nil && bytes.Equal(now.Data, rec.Data) {
		k.Unclaim(limited, []*Record{now})
	}
}

// Unclaim lets others have the claims, at once, but for one that has become a mark meanwhile. When it fails, a claim
// ends by itself.
func (k *Keeper) Unclaim(ctx context.Context, claims []*Record) {
	limited := bounded.Within(context.WithoutCancel(ctx), StoreTimeout)
	defer limited.End()
	for _, rec := range claims {
		rec.ExpiresAt = rec.SeenAt.Add(-ClockSkew)
		_ = k.Store.Save(limited, rec)
	}
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
