package life

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// sweepBatch is how many records one call of the store removes, so that none holds up others for long.
const sweepBatch = 500

// Sweep removes what has expired from the store, in batches, and says how much. It goes on behind an error as long as
// the store removes whole batches: one of its servers may refuse what the others do.
func (k *Keeper) Sweep(ctx context.Context) (int, error) {
	if !k.CanSweep() {
		return 0, fmt.Errorf("%w: %s cannot sweep", ErrNotSupported, k.StoreType)
	}
	total := 0
	var failed error
	for before := k.Now(); ; {
		n, err := k.can.Sweeper.Sweep(ctx, before, sweepBatch)
		total, failed = total+n, cmp.Or(failed, err)
		switch {
		case n >= sweepBatch:
		case failed != nil:
			return total, Unavailable(failed)
		default:
			return total, nil
		}
	}
}

// CanSweep reports whether the store can.
func (k *Keeper) CanSweep() bool { return k.can.Sweeper != nil }

// SweepEvery sweeps until the keeper is closed, if the store can.
func (k *Keeper) SweepEvery(d time.Duration) {
	if !k.CanSweep() {
		return
	}
	k.Start(func(ctx context.Context) {
		for Rest(ctx, jitter(d)) {
			if n, err := k.Sweep(ctx); err != nil && ctx.Err() == nil {
				k.Logger.WarnContext(ctx, "session: sweep", "err", err)
			} else if n > 0 {
				k.Logger.DebugContext(ctx, "session: swept", "removed", n)
			}
		}
	})
}

// jitter spreads the sweeps of many nodes: a tenth more or less.
func jitter(d time.Duration) time.Duration {
	d = min(d, math.MaxInt64/2) // a tenth more than the longest is none
	return d - d/10 + rand.N(d/5+1)
}
