package redisstore

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// sweepGroup is how many shards a sweep asks in one trip.
const sweepGroup = 64

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
	ids, err := s.due(ctx, shard, before, limit)
	if err != nil || len(ids) == 0 {
		return 0, false, err
	}
	calls := make([]call, len(ids))
	for i, id := range ids {
		calls[i] = call{dropScript, s.keys(id), []string{id, micros(before)}}
	}
	stale := 0
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
	return n, len(ids) == limit && n+stale > 0, err
}

func (s *Store) forget(id string) {
	if s.cache != nil {
		s.cache.deleted(id)
	}
}

// due returns at most limit ids of records that have expired.
func (s *Store) due(ctx context.Context, shard int, before time.Time, limit int) ([]string, error) {
	cmds := make([]rueidis.Completed, min(sweepGroup, shards-shard))
	end := "(" + strconv.FormatInt(before.UnixMicro(), 10)
	for i := range cmds {
		cmds[i] = s.client.B().Arbitrary("ZRANGEBYSCORE").Keys(s.endsKey(shard+i)).Args("-inf", end, "LIMIT", "0", strconv.Itoa(limit)).Build()
	}
	var ids []string
	for _, reply := range s.client.DoMulti(ctx, cmds...) {
		list, err := reply.AsStrSlice()
		if err != nil {
			return nil, err
		}
		ids = append(ids, list[:min(len(list), limit-len(ids))]...)
	}
	return ids, nil
}
