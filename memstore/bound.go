package memstore

import (
	"sync/atomic"

	"github.com/coatcheck/session"
)

// bound counts what a store with a bound has. A session that is getting a new id is there twice or more: each record of
// an id that it may get names the old one as its predecessor. They are its heirs. When the old one is retired, the one
// that it names counts in its place, and the others have lost: they are about to be removed.
type bound struct {
	live    atomic.Int64
	heirs   atomic.Int64 // live records that do not count
	retired atomic.Int64
}

func (b *bound) sessions() int64 { return b.live.Load() - b.heirs.Load() }

// add counts an entry that comes (1) or goes (-1). The caller holds the lock of its shard.
func (b *bound) add(e *entry, n int64) {
	if e.rec.Kind == session.KindLive {
		b.live.Add(n)
	} else {
		b.retired.Add(n)
	}
}

// disown notes that an entry has that many heirs fewer, which now count themselves. The caller holds the lock of its
// shard.
func (b *bound) disown(e *entry, n int32) {
	n = min(n, e.heirs)
	e.heirs -= n
	b.heirs.Add(-int64(n))
}

// inherit notes that an heir has come, and reports whether there is a session to inherit.
func (s *Store) inherit(heir *session.Record) bool {
	hash := s.hash(heir.Predecessor())
	sh := s.shard(hash)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	e := sh.table.find(hash, heir.Predecessor())
	if e == nil || e.rec.Kind != session.KindLive {
		return false
	}
	e.heirs++ // which raises its rank, so that the queues need not hear of it
	s.bound.heirs.Add(1)
	return true
}

// renounce notes that a record is no heir any more, if it was one: it went, or was saved as a session of its own.
func (s *Store) renounce(heir *session.Record) {
	id := heir.Predecessor()
	if id == "" || s.max == 0 {
		return
	}
	hash := s.hash(id)
	sh := s.shard(hash)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	e := sh.table.find(hash, id)
	if e == nil || e.rec.Kind != session.KindLive && e.rec.Successor == heir.ID {
		return
	}
	was := sh.standings(e, true)
	s.bound.disown(e, 1)
	sh.requeue(e, was, true)
}
