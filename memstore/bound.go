package memstore

import (
	"sync/atomic"

	"github.com/coatcheck/session"
)

// bound counts what a store with a bound has. A session that is getting a new id is there twice: the record of the new id
// names the old one as its predecessor, and counts when the old one is retired or gone.
type bound struct {
	live    atomic.Int64
	heirs   atomic.Int64 // live records whose predecessor is live
	retired atomic.Int64
}

func (b *bound) sessions() int64 { return b.live.Load() - b.heirs.Load() }

// add counts an entry that comes (1) or goes (-1). The caller holds the lock of its shard.
func (b *bound) add(e *entry, n int64) {
	if e.rec.Kind != session.KindLive {
		b.retired.Add(n)
		return
	}
	b.live.Add(n)
	if n < 0 && e.heirs > 0 { // which now count themselves
		b.heirs.Add(-int64(e.heirs))
		e.heirs = 0
	}
}

// inherit notes that a live record has come (1) or gone (-1) whose predecessor has the id, and reports whether that is live.
func (s *Store) inherit(id string, n int) bool {
	if id == "" || s.max == 0 {
		return false
	}
	hash := s.hash(id)
	sh := s.shard(hash)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	e := sh.table.find(hash, id)
	if e == nil || e.rec.Kind != session.KindLive || e.heirs+n < 0 {
		return false
	}
	was := sh.standings(e)
	e.heirs += n
	s.bound.heirs.Add(int64(n))
	sh.requeue(e, was, true)
	return true
}

// inheritAll notes that the heirs of these ids have gone.
func (s *Store) inheritAll(ids []string) {
	for _, id := range ids {
		s.inherit(id, -1)
	}
}
