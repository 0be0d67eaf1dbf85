package redisstore

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// sweepGroup is how many shards a sweep asks in one trip.
	sweepGroup = 64

	// sweepDrops is how many records it drops in one trip. Whoever else uses the connection waits for no more.
	sweepDrops = 50
)

// Sweep implements [session.Sweeper]. It asks the shards what has expired, and drops each record with a script of its own,
// so that others are served in between. A server drops records by itself too, [slack] after their end; the sweep also removes what still
// names those.
func (s *Store) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, explain("sweep", err)
	}
	n := 0
	for shard := 0; shard < shards && n < limit; shard += sweepGroup {
		for more := true; more && n < limit; {
			dropped, again, err := s.sweepGroup(ctx, shard, before, limit-n)
			n, more = n+dropped, again
			if err != nil {
				return n, explain("sweep", err)
			}
		}
	}
	return n, nil
}

// sweepGroup drops at most limit records of some shards. again says that there may be more.
func (s *Store) sweepGroup(ctx context.Context, shard int, before time.Time, limit int) (n int, again bool, err error) {
	ids, more, err := s.due(ctx, shard, before, limit)
	if err != nil {
		return 0, false, err
	}
	for some := range slices.Chunk(ids, sweepDrops) {
		dropped, stale, err := s.dropExpired(ctx, some, before)
		if n += dropped; err != nil {
			return n, false, err
		}
		again = again || more && dropped+stale > 0
	}
	return n, again, nil
}

// dropExpired drops those of the records that have expired still. stale is how many were gone already.
func (s *Store) dropExpired(ctx context.Context, ids []string, before time.Time) (n, stale int, err error) {
	calls := make([]call, len(ids))
	for i, id := range ids {
		calls[i] = call{dropScript, s.keys(id), []string{id, micros(before)}}
	}
	var unlist []call
	for i, reply := range s.run(ctx, calls...) {
		text, replyErr := reply.ToString()
		was, dropped := strings.CutPrefix(text, "dropped")
		switch {
		case replyErr != nil:
			err = replyErr
		case text == "stale":
			stale++
		case dropped:
			n++
			s.forget(ids[i])
			if e, ok := parseEntry(was); ok {
				unlist = append(unlist, s.unlist(e, ids[i]))
			}
		}
	}
	if len(unlist) > 0 {
		s.run(ctx, unlist...)
	}
	return n, stale, err
}

func (s *Store) forget(id string) {
	if s.cache != nil {
		s.cache.deleted(id)
	}
}

// due returns at most limit ids of records that have expired, the same number from each shard. more says that there may be others.
func (s *Store) due(ctx context.Context, shard int, before time.Time, limit int) (ids []string, more bool, err error) {
	queries := make([]query, min(sweepGroup, shards-shard))
	share := (limit + len(queries) - 1) / len(queries)
	end := "(" + strconv.FormatInt(before.UnixMicro(), 10)
	for i := range queries {
		queries[i] = query{"ZRANGEBYSCORE", s.endsKey(shard + i), []string{"-inf", end, "LIMIT", "0", strconv.Itoa(share)}}
	}
	for _, reply := range s.reads(ctx, queries...) {
		list, err := reply.AsStrSlice()
		if err != nil {
			return nil, false, err
		}
		more = more || len(list) == share
		ids = append(ids, list[:min(len(list), limit-len(ids))]...)
	}
	return ids, more, nil
}
