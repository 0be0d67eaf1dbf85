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
// than its index says is put back on that list if a failover has lost it there. What one server refuses does not keep
// the others from being swept.
func (s *Store) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, explain("sweep", err)
	}
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
		dropped, gone, err := s.dropExpired(ctx, some, before)
		n, failed = n+dropped, cmp.Or(failed, err)
		again = again || more && dropped+gone > 0
	}
	return n, again, failed
}

// dropExpired drops those of the records that have expired still. gone is how much is no longer due.
func (s *Store) dropExpired(ctx context.Context, some []due, before time.Time) (n, gone int, err error) {
	calls := make([]command, len(some))
	for i, d := range some {
		calls[i] = s.drop(d, micros(before))
	}
	var owed, moved, old []due
	for i, reply := range s.runs(ctx, calls...) {
		answer, replyErr := reply.ToString()
		if replyErr == nil && some[i].entry == "" {
			old = append(old, some[i])
			s.note(answer)
		}
		entry, dropped := strings.CutPrefix(answer, "dropped")
		switch {
		case replyErr != nil:
			err = replyErr
		case answer == "owed":
			owed = append(owed, some[i])
		case dropped:
			n++
			s.forget(some[i].id)
			owed = append(owed, due{some[i].id, entry})
		case answer == "moved":
			gone++
			moved = append(moved, some[i])
		case answer != "kept":
			gone++
		}
	}
	s.forgetOld(ctx, old)
	settled, settleErr := s.settle(ctx, owed)
	return n, gone + settled, errors.Join(err, settleErr, s.relist(ctx, moved))
}

func (s *Store) forget(id string) {
	if s.cache != nil {
		s.cache.changed(id)
	}
}
