package memstore

import (
	"context"
	"fmt"
	"time"

	"github.com/coatcheck/session"
)

// sweepShare is how many entries of a shard a sweep looks at before it goes on to the next one: whoever wants a record
// there meanwhile waits for no more.
const sweepShare = 8

// Sweep removes records that expired before the given time, at most limit of them, and says how many.
func (s *Store) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("memstore: sweep: %w", err)
	}
	total := 0
	var heirs []*session.Record
	defer func() {
		for _, rec := range heirs {
			s.renounce(rec)
		}
	}()
	for again := true; again && total < limit; {
		again = false
		for i := range s.shards {
			n, more := s.sweepShard(&s.shards[i], before, limit-total, &heirs)
			total, again = total+n, again || more
		}
	}
	return total, nil
}

// sweepShard says how many it removed, and whether there may be more. It adds what it removed to heirs, as far as it
// was one.
func (s *Store) sweepShard(sh *shard, before time.Time, limit int, heirs *[]*session.Record) (n int, more bool) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for range sweepShare {
		e, right := sh.due.first()
		switch {
		case !right:
			continue
		case e == nil || !e.rec.ExpiresAt.Before(before):
			return n, false
		case n >= limit:
			return n, true
		}
		if rec := s.drop(sh, e); rec.Predecessor() != "" && s.max > 0 {
			*heirs = append(*heirs, rec)
		}
		n++
	}
	return n, true
}
