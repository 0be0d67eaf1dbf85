package life

import (
	"context"
	"errors"
	"testing"
	"time"
)

// batches is a store that removes so many records, one call after the other, and fails in each.
type batches []int

var errShard = errors.New("a shard is away")

func (b *batches) Sweep(context.Context, time.Time, int) (int, error) {
	n := (*b)[0]
	*b = (*b)[1:]
	return n, errShard
}

func TestASweepGoesOnBehindAnErrorWhileBatchesAreWhole(t *testing.T) {
	left := batches{sweepBatch, sweepBatch, 3, sweepBatch}
	k := &Keeper{Rules: Rules{Now: time.Now}, can: Abilities{Sweeper: &left}}
	n, err := k.Sweep(t.Context())
	if n != 2*sweepBatch+3 || !errors.Is(err, ErrUnavailable) || !errors.Is(err, errShard) || len(left) != 1 {
		t.Errorf("Sweep = %d, %v, and %d batches are left", n, err, len(left))
	}
}
