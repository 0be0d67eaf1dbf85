package memstore

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/coatcheck/session"
)

// sweepShare is how many entries of a shard a sweep looks at before it goes on to the next one: whoever wants a record there
// meanwhile waits for no more.
const sweepShare = 8

// Sweep removes records that expired before the time given, at most limit of them, and says how many.
func (s *Store) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("memstore: sweep: %w", err)
	}
	total := 0
	for again := true; again && total < limit; {
		again = false
		for i := range s.shards {
			n, more := s.sweepShard(&s.shards[i], before, limit-total)
			total, again = total+n, again || more
		}
	}
	return total, nil
}

// sweepShard says how many it removed, and whether there may be more.
func (s *Store) sweepShard(sh *shard, before time.Time, limit int) (n int, more bool) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for range sweepShare {
		e, right := sh.due.first()
		switch {
		case !right:
			continue
		case e == nil || !e.rec.ExpiresAt.Before(before):
			return n, false
		case n >= limit:
			return n, true
		}
		s.drop(sh, e)
		n++
	}
	return n, true
}

// displace creates the record in a store with a bound, and returns what had to go for it.
func (s *Store) displace(rec *session.Record) (dropped victim, err error) {
	s.creating.Lock()
	defer s.creating.Unlock()
	// A save that is refused must drop nobody. Creating is what the lock is for, so the id stays free until we take it.
	var old session.Record
	if s.peek(rec.ID, &old) {
		return victim{}, fmt.Errorf("memstore: save: %w", &session.ConflictError{Newest: clone(&old)})
	}
	for s.count.Load() >= int64(s.max) {
		sh, v := s.worst(rec.SeenAt)
		if rec.User == "" && v.class > stranger {
			return victim{id: rec.ID}, nil
		}
		if sh != nil && s.dropVictim(sh, v, rec.SeenAt) {
			dropped = v
		}
	}
	return dropped, s.create(rec)
}

// class says who goes first.
type class uint8

const (
	expired  class = iota
	stranger       // retired ids of strangers among them
	retired        // an id that a user had: without it a late request finds nothing, but nobody is signed out
	member
)

func classOf(rec *session.Record) class {
	switch {
	case rec.User == "":
		return stranger
	case rec.Kind != session.KindLive:
		return retired
	}
	return member
}

// victim is a record that can be dropped.
type victim struct {
	rank
	id, user string
}

// worst finds what goes first in the whole store, and the shard it is in; nil when the store is empty.
func (s *Store) worst(now time.Time) (in *shard, v victim) {
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		w, ok := sh.worst(now)
		sh.mu.Unlock()
		if ok && (in == nil || w.before(v.rank)) {
			in, v = sh, w
		}
	}
	return in, v
}

func (sh *shard) worst(now time.Time) (victim, bool) {
	if e := sh.due.top(); e != nil && !e.rec.ExpiresAt.After(now) {
		return victim{rank{expired, e.rec.ExpiresAt}, e.rec.ID, e.rec.User}, true
	}
	e := sh.idle.top()
	if e == nil {
		return victim{}, false
	}
	return victim{rank{classOf(&e.rec), e.rec.SeenAt}, e.rec.ID, e.rec.User}, true
}

// dropVictim drops v if it still is what goes first in its shard: since it was found it may have been seen, signed in or
// deleted.
func (s *Store) dropVictim(sh *shard, v victim, now time.Time) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if w, ok := sh.worst(now); !ok || w.id != v.id || w.class != v.class || !w.at.Equal(v.at) {
		return false
	}
	s.drop(sh, sh.table.find(s.hash(v.id), v.id))
	return true
}

// OnEvict calls fn for each record that is dropped to keep the bound, in the goroutine whose save made it necessary and
// before that save returns. Expired records that a sweep removes are not dropped in this sense.
func (s *Store) OnEvict(fn func(id, user string)) (stop func()) { return s.watchers.add(fn) }

// watchers are the functions to call. The slice is replaced, never changed, so that telling needs no lock.
type watchers struct {
	mu  sync.Mutex
	fns []*func(id, user string)
}

func (w *watchers) add(fn func(id, user string)) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fns = append(slices.Clone(w.fns), &fn)
	return func() { w.remove(&fn) }
}

func (w *watchers) remove(fn *func(id, user string)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fns = slices.DeleteFunc(slices.Clone(w.fns), func(f *func(id, user string)) bool { return f == fn })
}

// tell tells of a record that was dropped, if one was.
func (w *watchers) tell(v victim) {
	if v.id == "" {
		return
	}
	w.mu.Lock()
	fns := w.fns
	w.mu.Unlock()
	for _, fn := range fns {
		(*fn)(v.id, v.user)
	}
}
