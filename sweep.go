package session

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/coatcheck/session/internal/life"
)

// sweepBatch is how many records one call of the store removes, so that none holds up others for long.
const sweepBatch = 500

// Sweep removes expired records from the store, in batches, and says how many: sessions, and what retired ids left
// behind. Sessions end on time without it; it frees space. The error wraps ErrNotSupported when the store cannot sweep,
// or ErrUnavailable.
func (m *Manager) Sweep(ctx context.Context) (int, error) {
	if m.sweeper == nil {
		return 0, fmt.Errorf("%w: %T cannot sweep", ErrNotSupported, m.store)
	}
	total := 0
	for before := m.now(); ; {
		n, err := m.sweeper.Sweep(ctx, before, sweepBatch)
		total += n
		if err != nil {
			return total, life.Unavailable(err)
		}
		if n < sweepBatch {
			return total, nil
		}
	}
}

func (m *Manager) startSweeper() {
	if m.sweeper == nil || m.opts.SweepEvery < 0 {
		return
	}
	m.keeper.Start(m.sweepUntilClosed)
}

func (m *Manager) sweepUntilClosed(ctx context.Context) {
	for life.Rest(ctx, jitter(m.opts.SweepEvery)) {
		if n, err := m.Sweep(ctx); err != nil && ctx.Err() == nil {
			m.opts.Logger.WarnContext(ctx, "session: sweep", "err", err)
		} else if n > 0 {
			m.opts.Logger.DebugContext(ctx, "session: swept", "removed", n)
		}
	}
}

// jitter spreads the sweeps of many nodes: a tenth more or less.
func jitter(d time.Duration) time.Duration {
	d = min(d, math.MaxInt64/2) // a tenth more than the longest is none
	return d - d/10 + rand.N(d/5+1)
}
