package memstore

import (
	"slices"
	"sync"
	"time"

	"github.com/coatcheck/session"
)

// displace creates the record in a store with a bound, and returns what had to go for it.
func (s *Store) displace(rec *session.Record, note any) (dropped []victim, err error) {
	s.creating.Lock()
	defer s.creating.Unlock()
	// A save that is refused must drop nobody. Creating is what the lock is for, so the id stays free until we take it.
	if old, _ := s.peek(rec.ID); old != nil {
		return nil, conflict(old)
	}
	if before := rec.Predecessor(); before != "" {
		return nil, s.createHeir(rec, note, before)
	}
	dropped, kept := s.makeRoom(rec)
	if !kept {
		advance(rec)
		return append(dropped, victim{id: rec.ID, user: rec.User}), nil
	}
	return dropped, s.create(rec, note)
}

// createHeir creates the record of a session that moves, which needs no room. Where the session has moved already, the
// move is lost. Where it is gone, the record will go as well: nobody must go for it.
func (s *Store) createHeir(rec *session.Record, note any, before string) error {
	if s.inherit(rec) {
		return s.create(rec, note)
	}
	if old, _ := s.peek(before); old != nil {
		return conflict(old)
	}
	return s.create(rec, note)
}

// supersede replaces a record in a store with a bound. One that is retired by it may be one too many of those.
func (s *Store) supersede(rec *session.Record, note any) (dropped []victim, err error) {
	if rec.Kind != session.KindLive {
		s.creating.Lock()
		defer s.creating.Unlock()
	}
	old, err := s.replace(rec, note)
	if err != nil {
		return nil, err
	}
	if rec.Predecessor() != old.Predecessor() {
		s.renounce(old)
		s.inherit(rec)
	}
	if rec.Kind == session.KindLive {
		return nil, nil
	}
	for s.bound.retired.Load() > int64(s.max) {
		sh, v := s.worst(rec.SeenAt, (*shard).worstRetired)
		if sh != nil && s.dropVictim(sh, v, rec.SeenAt, (*shard).worstRetired) && v.evictedFor(rec) {
			dropped = append(dropped, v)
		}
	}
	return dropped, nil
}

// makeRoom drops what has to go for a new record, and reports whether that may stay. The caller holds the lock for
// creating.
func (s *Store) makeRoom(rec *session.Record) (dropped []victim, kept bool) {
	count, worst := s.bound.sessions, (*shard).worst
	if rec.Kind != session.KindLive {
		count, worst = s.bound.retired.Load, (*shard).worstRetired
	}
	var aside []*entry
	defer func() { s.putBack(aside) }()
	for count() >= int64(s.max) {
		sh, v := s.worst(rec.SeenAt, worst)
		switch {
		case sh == nil: // what there was has gone
			return dropped, true
		case v.class == moving, rec.User == "" && v.class > stranger: // there are no others
			return dropped, false
		case s.moves(v):
			aside = append(aside, s.setAside(sh, v)...)
		case s.dropVictim(sh, v, rec.SeenAt, worst) && v.evictedFor(rec):
			dropped = append(dropped, v)
		}
	}
	return dropped, true
}

// moves reports whether v is the record of an id that a session is about to get. The session that it takes over is one
// with it, so neither goes. The queue cannot know: the two are in shards of their own.
func (s *Store) moves(v victim) bool {
	if v.predecessor == "" || v.class == expired {
		return false
	}
	old, _ := s.peek(v.predecessor)
	return old != nil && old.Kind == session.KindLive
}

// setAside takes v out of the queue, so that the next one comes up, and returns it for putBack. The caller holds the
// lock for creating until then: nobody else looks for what goes first.
func (s *Store) setAside(sh *shard, v victim) []*entry {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	e := sh.table.find(s.hash(v.id), v.id)
	if e == nil {
		return nil
	}
	sh.idle.remove(e)
	return []*entry{e}
}

func (s *Store) putBack(aside []*entry) {
	for _, e := range aside {
		sh := s.shard(e.hash)
		sh.mu.Lock()
		if sh.table.find(e.hash, e.id) == e {
			sh.idle.update(e)
		}
		sh.mu.Unlock()
	}
}

// class says who goes first.
type class uint8

const (
	expired class = iota
	stranger
	member
	moving // about to go on under another id
)

func classOf(e *entry) class {
	switch {
	case e.heirs > 0 && e.rec.Kind == session.KindLive:
		return moving
	case e.rec.User == "":
		return stranger
	}
	return member
}

// victim is a record that can be dropped.
type victim struct {
	rank
	id, user, predecessor string
	kind                  session.RecordKind
}

// evictedFor reports whether v goes for want of room. What has expired goes because a sweep has not come to it yet, and
// is told only if it was a session in the place of another one.
func (v victim) evictedFor(rec *session.Record) bool {
	return v.class != expired || v.kind == session.KindLive && rec.Kind == session.KindLive
}

// worst finds what goes first in the whole store, and the shard it is in; nil when there is nothing.
func (s *Store) worst(now time.Time, worst func(*shard, time.Time) (victim, bool)) (in *shard, v victim) {
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		w, ok := worst(sh, now)
		sh.mu.Unlock()
		if ok && (in == nil || w.before(v.rank)) {
			in, v = sh, w
		}
	}
	return in, v
}

// worst is the session that goes first, or anything that has expired.
func (sh *shard) worst(now time.Time) (victim, bool) { return sh.worstIn(&sh.idle, now) }

// worstRetired is the retired id that goes first, or anything that has expired.
func (sh *shard) worstRetired(now time.Time) (victim, bool) { return sh.worstIn(&sh.retired, now) }

// worstIn looks at what has expired before it looks at the queue. A session that moves has not: its new record says
// until when it lasts.
func (sh *shard) worstIn(q *queue, now time.Time) (victim, bool) {
	if e := sh.due.top(); e != nil && !e.rec.ExpiresAt.After(now) && classOf(e) != moving {
		return victimOf(e, rankOf(expired, e.rec.ExpiresAt)), true
	}
	e := q.top()
	if e == nil {
		return victim{}, false
	}
	return victimOf(e, rankOf(classOf(e), e.rec.SeenAt)), true
}

func victimOf(e *entry, r rank) victim {
	return victim{r, e.rec.ID, e.rec.User, e.rec.Predecessor(), e.rec.Kind}
}

// dropVictim drops v if it still is what goes first in its shard. Since it was found it may have been seen, signed in
// or deleted: then nothing is dropped, and whoever makes room has to look again.
func (s *Store) dropVictim(sh *shard, v victim, now time.Time, worst func(*shard, time.Time) (victim, bool)) bool {
	rec := s.dropIfWorst(sh, v, now, worst)
	if rec != nil {
		s.renounce(rec)
	}
	return rec != nil
}

func (s *Store) dropIfWorst(
	sh *shard, v victim, now time.Time, worst func(*shard, time.Time) (victim, bool),
) *session.Record {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if w, ok := worst(sh, now); !ok || w != v {
		return nil
	}
	return s.drop(sh, sh.table.find(s.hash(v.id), v.id))
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

// tell reports the records that were dropped.
func (w *watchers) tell(dropped ...victim) {
	if len(dropped) == 0 {
		return
	}
	w.mu.Lock()
	fns := w.fns
	w.mu.Unlock()
	for _, v := range dropped {
		for _, fn := range fns {
			(*fn)(v.id, v.user)
		}
	}
}
