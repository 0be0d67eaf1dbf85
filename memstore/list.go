package memstore

import (
	"context"
	"fmt"

	"github.com/coatcheck/session"
)

// ByUser returns the live records of the user. Nobody is signed in as "", so that list is empty.
func (s *Store) ByUser(ctx context.Context, user string) ([]*session.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("memstore: list user: %w", err)
	}
	if user == "" {
		return nil, nil
	}
	var recs []*session.Record
	seen := make(map[string]bool)
	for again := true; again; {
		recs, again = s.look(recs, user, seen)
	}
	return recs, nil
}

// look adds the records of the user whose ids it has not seen. One that is not the user's any more may have got a new
// id since the index was read. That id was listed before the old one left, so that another look finds it.
func (s *Store) look(recs []*session.Record, user string, seen map[string]bool) (_ []*session.Record, again bool) {
	for _, id := range s.users.shard(user).ids(user) {
		if seen[id] {
			continue
		}
		seen[id] = true
		if rec, _ := s.peek(id); rec != nil && owner(rec) == user {
			recs = append(recs, listed(rec))
		} else {
			again = true
		}
	}
	return recs, again
}

// Page returns records in the order of the tables, one shard after the other.
func (s *Store) Page(ctx context.Context, after string, limit int) ([]*session.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("memstore: list: %w", err)
	}
	var hash uint64
	if after != "" {
		hash = s.hash(after)
	}
	var recs []*session.Record
	for i := hash >> (64 - shardBits); i < uint64(len(s.shards)) && len(recs) < limit; i++ {
		recs = s.shards[i].page(recs, hash, after, limit)
		hash, after = 0, "" // the shards that follow are wanted from their beginning
	}
	return recs, nil
}

func (sh *shard) page(recs []*session.Record, hash uint64, id string, limit int) []*session.Record {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.table.after(hash, id, func(e *entry) bool {
		recs = append(recs, listed(e.rec))
		return len(recs) < limit
	})
	return recs
}
