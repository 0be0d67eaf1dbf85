package redisstore

import (
	"cmp"
	"context"
	"strconv"
	"time"
)

// due is what a shard has to sweep: an id and the entry of a list that goes with it. The index keeps the entry until it
// is taken off its list, so that nothing stays there when the record goes by itself, or when a list cannot be reached.
type due struct {
	id    string
	entry string // list and token; "" when it is not known
}

// drop removes what is due: with a time a record that expired before, and whatever leads to one that is gone.
func (s *Store) drop(d due, before string) command {
	return dropScript.call(s.keys(d.id), d.id, before, d.entry)
}

// due returns what is due in some shards, from each index the same number, in all at most limit. more says that there
// may be others, and err that a shard did not answer.
func (s *Store) due(ctx context.Context, shard int, before time.Time, limit int) (dues []due, more bool, err error) {
	n := min(sweepGroup, shards-shard)
	share := (limit + n - 1) / n
	end := "(" + strconv.FormatInt(before.UnixMicro(), 10)
	var queries []command
	for i := range n {
		for _, key := range []string{s.dueKey(shard + i), s.oldEndsKey(shard + i)} {
			queries = append(queries, query("ZRANGEBYSCORE", key, "-inf", end, "LIMIT", "0", strconv.Itoa(share)))
		}
	}
	for i, reply := range s.reads(ctx, queries...) {
		members, replyErr := reply.AsStrSlice()
		err = cmp.Or(err, replyErr)
		more = more || len(members) == share
		for _, member := range members[:min(len(members), limit-len(dues))] {
			if d := parseDue(member, i%2 == 1); shardOf(d.id) == shard+i/2 { // anything else is nothing of ours
				dues = append(dues, d)
			}
		}
	}
	return dues, more, err
}

// parseDue reads a member of an index. In the old form it is the id alone.
func parseDue(member string, old bool) due {
	const size = len(noList) + tokenSize
	if old || len(member) < size {
		return due{id: member}
	}
	return due{member[size:], member[:size]}
}

// settle takes what is owed off the lists of users, and then out of the index. settled is how many were.
func (s *Store) settle(ctx context.Context, owed []due) (settled int, err error) {
	var calls, queries, done []command
	for _, d := range owed {
		if e, ok := parseEntry(d.entry); ok {
			calls = append(calls, s.unlist(e, d.id))
			queries = append(queries, query("ZREM", s.dueKey(shardOf(d.id)), d.entry+d.id))
		}
	}
	for i, reply := range s.runs(ctx, calls...) {
		if listErr := reply.Error(); listErr != nil && !isWrongType(listErr) {
			err = listErr
			continue
		}
		done = append(done, queries[i])
	}
	for _, reply := range s.reads(ctx, done...) { // to remove it twice does no harm
		if indexErr := reply.Error(); indexErr != nil {
			err = indexErr
			continue
		}
		settled++
	}
	return settled, err
}
