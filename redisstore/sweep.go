package redisstore

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

const (
	// sweepGroup is how many shards a sweep asks in one trip.
	sweepGroup = 64

	// sweepDrops is how many records it drops in one trip. Whoever else uses the connection waits for no more.
	sweepDrops = 50
)

// Sweep implements [session.Sweeper]. It asks the shards what has expired, and drops each record with a script of its
// own, so that others are served in between. A server also drops records by itself, fifteen minutes after their end;
// the sweep removes what still names those, in the shard and on the list of the user. A session that is in use longer
// than its index says is put back on that list if a failover has lost it there; if that fails, the next sweep tries
// again. What one server refuses does not keep the others from being swept.
func (s *Store) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, explain("sweep", err)
	}
	ctx = sharePatience(ctx)
	n := 0
	var failed error
	for shard := 0; shard < shards && n < limit; shard += sweepGroup {
		for more := true; more && n < limit; {
			dropped, again, err := s.sweepGroup(ctx, shard, before, limit-n)
			n, more = n+dropped, again && err == nil
			failed = cmp.Or(failed, err)
		}
	}
	if err := cmp.Or(failed, s.mendLists(ctx)); err != nil {
		return n, explain("sweep", err)
	}
	return n, nil
}

// sweepGroup drops at most limit records of some shards. again says that there may be more.
func (s *Store) sweepGroup(ctx context.Context, shard int, before time.Time, limit int) (n int, again bool, err error) {
	dues, more, failed := s.due(ctx, shard, before, limit)
	for some := range slices.Chunk(dues, sweepDrops) {
		if ctx.Err() != nil {
			break // what is not looked at stays due
		}
		dropped, gone, err := s.dropExpired(ctx, some, before)
		n, failed = n+dropped, cmp.Or(failed, err)
		again = again || more && dropped+gone > 0
	}
	return n, again, cmp.Or(failed, ctx.Err())
}

// dropExpired drops those of the records that have expired still. gone is how much is no longer due.
func (s *Store) dropExpired(ctx context.Context, some []due, before time.Time) (n, gone int, err error) {
	calls := make([]command, len(some))
	for i, d := range some {
		calls[i] = s.drop(d, micros(before))
	}
	var met outcome
	for i, reply := range s.runs(ctx, calls...) {
		answer, replyErr := reply.ToString()
		if err = cmp.Or(err, replyErr); replyErr != nil {
			met.failed(some[i], replyErr)
			continue
		}
		if some[i].entry == "" && answer != "torn" {
			met.old = append(met.old, some[i])
			s.note(answer)
		}
		met.answered(some[i], answer)
	}
	for _, id := range met.dropped {
		s.forget(id)
	}
	forgotten, oldErr := s.forgetOld(ctx, met.old)
	settled, settleErr := s.settle(ctx, met.owed)
	unknown, listErr := s.relist(ctx, met.moved)
	keepErr := s.keepDue(ctx, append(met.unknown, unknown...), before)
	return len(met.dropped), met.gone + forgotten + settled, errors.Join(err, oldErr, settleErr, listErr, keepErr)
}

// outcome is what became of records that were due.
type outcome struct {
	dropped []string
	gone    int   // how much is no longer due
	owed    []due // what is still on lists
	moved   []due // what ends later
	old     []due // what the old index need not have
	unknown []due // what may have moved
}

func (o *outcome) failed(d due, err error) {
	if d.entry != "" && judge(err) >= broken {
		o.unknown = append(o.unknown, d)
	}
}

func (o *outcome) answered(d due, answer string) {
	entry, dropped := strings.CutPrefix(answer, "dropped")
	switch {
	case answer == "owed":
		o.owed = append(o.owed, d)
	case dropped:
		o.dropped = append(o.dropped, d.id)
		o.owed = append(o.owed, due{d.id, entry})
	case answer == "moved":
		o.gone++
		o.moved = append(o.moved, d)
	case answer == "stale":
		o.gone++
	}
}

func (s *Store) forget(id string) {
	if s.cache != nil {
		s.cache.changed(id)
	}
}
