package memstore

import (
	"sync"

	"github.com/coatcheck/session"
)

// shardBits is how many bits of an id's hash choose its shard. With 64 shards, processors seldom wait for each other.
const shardBits = 6

// shard is a part of the store under a lock of its own.
type shard struct {
	mu      sync.Mutex
	table   table
	due     queue // by ExpiresAt; what never expires is not in it
	idle    queue // sessions, by which is dropped first when there is no room; empty in a store without a bound
	retired queue // retired ids, likewise
}

// entry is a record and its place in everything that leads to it. The shard's lock guards it, save for the links
// between the entries of a user, which userIndex guards.
type entry struct {
	hash       uint64 // of the id; like it, never changed
	id         string
	rec        *session.Record // replaced, never changed: others read it without the lock
	note       any             // of SaveShared
	pos        [3]int32        // in the queues; 0 when it is in none
	heirs      int32           // live records that have this one as their predecessor, in a store with a bound
	prev, more *entry          // among the entries of the same user
}

func (sh *shard) init() {
	sh.table.init()
	sh.due = queue{which: 0, key: dueKey}
	sh.idle = queue{which: 1, key: idleKey}
	sh.retired = queue{which: 2, key: retiredKey}
}

func (sh *shard) insert(e *entry, bounded bool) {
	sh.table.insert(e)
	sh.due.update(e)
	if bounded {
		sh.idle.update(e)
		sh.retired.update(e)
	}
}

// standings is where an entry belongs in the queues of its shard.
type standings struct{ due, idle, retired standing }

func (sh *shard) standings(e *entry, bounded bool) standings {
	was := standings{due: sh.due.standing(e)}
	if bounded {
		was.idle, was.retired = sh.idle.standing(e), sh.retired.standing(e)
	}
	return was
}

// requeue puts the entry in its place after it was changed. was is where it belonged before.
func (sh *shard) requeue(e *entry, was standings, bounded bool) {
	if sh.due.falls(was.due, e) {
		sh.due.update(e)
	}
	if bounded && sh.idle.falls(was.idle, e) {
		sh.idle.update(e)
	}
	if bounded && sh.retired.falls(was.retired, e) {
		sh.retired.update(e)
	}
}

func (sh *shard) remove(e *entry) {
	sh.table.remove(e)
	sh.due.remove(e)
	sh.idle.remove(e)
	sh.retired.remove(e)
}
