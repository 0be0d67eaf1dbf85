package memstore

import (
	"hash/maphash"
	"sync"
)

// userIndex leads from a user to the entries listed under that name. The entries are linked to each other, so that one
// of a thousand is taken out as fast as an only one. Its locks are taken under a shard's lock, never the other way
// round.
type userIndex struct {
	seed   maphash.Seed
	shards [1 << shardBits]userShard
}

type userShard struct {
	mu    sync.Mutex
	first map[string]*entry
}

func (x *userIndex) init(seed maphash.Seed) {
	x.seed = seed
	for i := range x.shards {
		x.shards[i].first = make(map[string]*entry)
	}
}

func (x *userIndex) shard(user string) *userShard {
	return &x.shards[maphash.String(x.seed, user)>>(64-shardBits)]
}

// move lists e under another name; "" is the name of what is not listed. The caller holds the lock of e's shard, so
// nobody can load what was saved before it is listed.
func (x *userIndex) move(e *entry, from, to string) {
	if from == to {
		return
	}
	if from != "" {
		x.shard(from).remove(e, from)
	}
	if to != "" {
		x.shard(to).add(e, to)
	}
}

func (u *userShard) add(e *entry, user string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	e.more = u.first[user]
	if e.more != nil {
		e.more.prev = e
	}
	u.first[user] = e
}

func (u *userShard) remove(e *entry, user string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if e.more != nil {
		e.more.prev = e.prev
	}
	switch {
	case e.prev != nil:
		e.prev.more = e.more
	case e.more != nil:
		u.first[user] = e.more
	default:
		delete(u.first, user)
	}
	e.prev, e.more = nil, nil
}

// ids returns the ids listed under the name. The records themselves are guarded by locks that cannot be taken here.
func (u *userShard) ids(user string) []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	var ids []string
	for e := u.first[user]; e != nil; e = e.more {
		ids = append(ids, e.id)
	}
	return ids
}
