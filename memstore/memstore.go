// Package memstore keeps sessions in the memory of one process: for tests, for development, and for a service that runs
// as a single process and may ask its visitors to sign in again after a restart.
//
// Everything is gone when the process ends, and no other process sees it. A store grows up to Options.MaxSessions, or
// without limit; the manager's sweeps remove what has expired. Loading, saving, touching, deleting, and listing the
// sessions of a user cost the same with a million sessions as with a thousand.
//
// It is also the store to read before you write one. Every rule of [session.Store] and of the optional interfaces is
// kept here in plain sight:
//
//   - memstore.go has the three methods that every store needs, and Touch.
//   - shard.go has what one lock guards; table.go and queue.go are the two structures in it.
//   - share.go has Load and Save without a copy, for the manager.
//   - users.go and list.go answer ByUser and Page.
//   - sweep.go has Sweep; bound.go and evict.go keep the bound.
package memstore

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	"github.com/coatcheck/session"
)

var (
	_ session.Store      = (*Store)(nil)
	_ session.Toucher    = (*Store)(nil)
	_ session.Sweeper    = (*Store)(nil)
	_ session.Lister     = (*Store)(nil)
	_ session.Limiter    = (*Store)(nil)
	_ session.Watcher    = (*Store)(nil)
	_ session.Evicter    = (*Store)(nil)
	_ session.Forgetter  = (*Store)(nil)
	_ session.Sharer     = (*Store)(nil)
	_ session.LocalStore = (*Store)(nil)
)

// A miss is as frequent as visitors with an old cookie, so its error is made once.
var errNotFound = fmt.Errorf("memstore: %w", session.ErrNotFound)

// Page begins at the id "", so a record with that id could not be passed by.
var errEmptyID = errors.New("memstore: a record needs an id")

// Options say how much a store may keep. The zero value is a store without a limit.
type Options struct {
	// MaxSessions is the largest number of sessions at any moment. A save that would create one more first drops
	// another: one that had expired when the new one was seen, or else one of a visitor who is not signed in, or else
	// one of a user; the one unseen for longest goes first. A visitor who is not signed in never displaces a user: if
	// nothing else is left to drop, the new session itself is dropped. Zero and below: no limit.
	//
	// A session that is getting a new id is one session, even while both ids are there, and is not dropped meanwhile.
	// It costs nobody else a place. If every session is getting one, a session that is new is dropped itself. In
	// addition, the store keeps up to the same number of ids that were retired, by this or by logouts, in the same
	// order.
	MaxSessions int
}

// Store is a session store in memory. It is safe for concurrent use. Make one with [New].
type Store struct {
	seed   maphash.Seed
	shards [1 << shardBits]shard
	users  userIndex

	max        int
	bound      bound
	admissions admissions
	creating   sync.Mutex // held while a store with a bound creates, deletes or retires, so that the count is right
	watchers   watchers   // of what was dropped to keep the bound
	endings    watchers   // of what was deleted or retired
}

// New returns an empty store. A negative MaxSessions means the same as 0: no limit.
func New(opts Options) *Store {
	s := &Store{seed: maphash.MakeSeed(), max: max(opts.MaxSessions, 0)}
	for i := range s.shards {
		s.shards[i].init()
	}
	s.users.init(s.seed)
	return s
}

// Local reports that no call waits for anything but other goroutines, so the manager sets no timer for its loads.
func (*Store) Local() bool { return true }

// Forgets says that a store with a bound drops records.
func (s *Store) Forgets() string {
	if s.max == 0 {
		return ""
	}
	return "drops records when it is full (memstore.Options.MaxSessions)"
}

// Load returns a copy of the record.
func (s *Store) Load(ctx context.Context, id string) (*session.Record, error) {
	rec, _, err := s.LoadShared(ctx, id)
	if err != nil {
		return nil, err
	}
	return clone(rec), nil
}

// peek returns the record as it is kept, nil when there is none, and its note.
func (s *Store) peek(id string) (*session.Record, any) {
	hash := s.hash(id)
	sh := s.shard(hash)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if e := sh.table.find(hash, id); e != nil {
		return e.rec, e.note
	}
	return nil, nil
}

// Save creates the record if its Version is 0, and otherwise replaces the one that has that version.
func (s *Store) Save(ctx context.Context, rec *session.Record) error {
	return s.SaveShared(ctx, copied(rec), nil)
}

// save keeps the record itself. It returns what had to go for it. The caller reports it, without a lock.
func (s *Store) save(ctx context.Context, rec *session.Record, note any) (dropped []victim, err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("memstore: save: %w", err)
	}
	switch {
	case rec.ID == "":
		return nil, errEmptyID
	case s.max == 0 && rec.Version == 0:
		return nil, s.create(rec, note)
	case s.max == 0:
		_, err = s.replace(rec, note)
		return nil, err
	case rec.Version == 0:
		return s.displace(rec, note)
	}
	return s.supersede(rec, note)
}

func (s *Store) create(rec *session.Record, note any) error {
	e := &entry{hash: s.hash(rec.ID), id: rec.ID, rec: rec, note: note}
	sh := s.shard(e.hash)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if old := sh.table.find(e.hash, rec.ID); old != nil {
		return conflict(old.rec)
	}
	advance(rec)
	sh.insert(e, s.max > 0)
	s.users.move(e, "", owner(rec))
	s.bound.add(e, 1)
	return nil
}

// replace returns the record that was there.
func (s *Store) replace(rec *session.Record, note any) (old *session.Record, err error) {
	hash := s.hash(rec.ID)
	sh := s.shard(hash)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	e := sh.table.find(hash, rec.ID)
	if e == nil {
		return nil, errNotFound
	}
	if e.rec.Version != rec.Version {
		return nil, conflict(e.rec)
	}
	advance(rec)
	old = e.rec
	was := sh.standings(e, s.max > 0)
	if (old.Kind == session.KindLive) != (rec.Kind == session.KindLive) {
		s.bound.add(e, -1)
		defer s.bound.add(e, 1)
		if rec.Successor != "" { // which counts from now on
			s.bound.disown(e, 1)
		}
	}
	e.rec, e.note = rec, note
	sh.requeue(e, was, s.max > 0)
	s.users.move(e, owner(old), owner(rec))
	return old, nil
}

// Delete removes the record if it is there.
func (s *Store) Delete(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memstore: delete: %w", err)
	}
	if s.leave(id) {
		s.endings.tell(victim{id: id})
	}
	return nil
}

// leave removes the record, and reports whether it was there. A store with a bound creates nothing meanwhile: until an
// heir that went is renounced as well, the count of sessions is one too low.
func (s *Store) leave(id string) (there bool) {
	if s.max > 0 {
		s.creating.Lock()
		defer s.creating.Unlock()
	}
	rec := s.remove(id)
	if rec != nil {
		s.renounce(rec)
	}
	return rec != nil
}

// remove returns the record that it removed, nil when there was none.
func (s *Store) remove(id string) *session.Record {
	hash := s.hash(id)
	sh := s.shard(hash)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	e := sh.table.find(hash, id)
	if e == nil {
		return nil
	}
	return s.drop(sh, e)
}

// drop removes the entry from everything that knows it. The caller holds the lock of sh. It returns the record, for the
// caller to renounce without the lock what it was to inherit.
func (s *Store) drop(sh *shard, e *entry) *session.Record {
	sh.remove(e)
	s.users.move(e, owner(e.rec), "")
	s.bound.add(e, -1)
	s.bound.disown(e, e.heirs)
	return e.rec
}

// Touch moves SeenAt and ExpiresAt of the record forward if it has the given version. The queues need not hear of it:
// they correct an entry that comes up too early.
func (s *Store) Touch(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memstore: touch: %w", err)
	}
	hash := s.hash(id)
	sh := s.shard(hash)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	e := sh.table.find(hash, id)
	if e == nil || e.rec.Version != version {
		return nil
	}
	rec := *e.rec
	if seen.After(rec.SeenAt) {
		rec.SeenAt = wall(seen)
	}
	if old := rec.ExpiresAt; !old.IsZero() && (expires.IsZero() || expires.After(old)) {
		rec.ExpiresAt = wall(expires)
	}
	e.rec = &rec
	return nil
}

func (s *Store) hash(id string) uint64 { return maphash.String(s.seed, id) }

func (s *Store) shard(hash uint64) *shard { return &s.shards[hash>>(64-shardBits)] }

// conflict hands over the record that stands in the way. It may run under the lock: conflicts are rare enough.
func conflict(rec *session.Record) error {
	return fmt.Errorf("memstore: save: %w", &session.ConflictError{Newest: clone(rec)})
}

// owner is the user under whose name the record is listed, "" when it is not.
func owner(rec *session.Record) string {
	if rec.Kind != session.KindLive {
		return ""
	}
	return rec.User
}
