package memstore

import (
	"sync"

	"github.com/coatcheck/session"
)

// shardBits is how many bits of an id's hash choose its shard. With 64 shards, processors seldom wait for each other.
const shardBits = 6

// shard is a part of the store under a lock of its own.
type shard struct {
	mu    sync.Mutex
	table table
	due   queue // by ExpiresAt; what never expires is not in it
	idle  queue // by who is dropped first when there is no room; empty in a store without a bound
}

// entry is a record and its place in everything that leads to it. The shard's lock guards it, save for the links between
// the entries of a user, which userIndex guards.
type entry struct {
	hash       uint64 // of the id; like it, never changed
	id         string
	next       *entry // in the chain of the table
	rec        session.Record
	pos        [2]int // in the two queues; 0 when it is in none
	prev, more *entry // among the entries of the same user
}

// before says whether e comes before the place given in the order of pages.
func (e *entry) before(hash uint64, id string) bool {
	return e.hash < hash || e.hash == hash && e.id < id
}

func (sh *shard) init() {
	sh.table.init()
	sh.due = queue{which: 0, key: dueKey}
	sh.idle = queue{which: 1, key: idleKey}
}

func (sh *shard) insert(e *entry, bounded bool) {
	sh.table.insert(e)
	sh.requeue(e, bounded)
}

// requeue puts the entry in its place after its record was replaced.
func (sh *shard) requeue(e *entry, bounded bool) {
	sh.due.update(e)
	if bounded {
		sh.idle.update(e)
	}
}

func (sh *shard) remove(e *entry) {
	sh.table.remove(e)
	sh.due.remove(e)
	sh.idle.remove(e)
}
