package sessiontest_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/coatcheck/session"
)

// shelf is a small store that keeps the contract, and the backend of all stores that break it. Records on it are
// replaced and never changed, so that they can be read without the lock.
type shelf struct {
	mu   sync.Mutex
	recs map[string]*session.Record
	torn map[string]bool // ids of records that were damaged
	note map[string]noted
	down bool
	max  int // 0: no bound
	fns  []*func(id, user string)

	lines     lines      // who watches
	admitting sync.Mutex // one SaveWithin at a time
}

func newShelf(max int) *shelf {
	return &shelf{
		recs: make(map[string]*session.Record), torn: make(map[string]bool), note: make(map[string]noted), max: max,
	}
}

var errDown = errors.New("shelf: the backend is down")

func (b *shelf) ready(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down {
		return errDown
	}
	return ctx.Err()
}

// fail makes every method fail from now on.
func (b *shelf) fail() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down = true
}

// tear damages a record.
func (b *shelf) tear(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.torn[id] = true
}

// get returns what is on the shelf: nil when nothing is, and never to be changed.
func (b *shelf) get(id string) *session.Record {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.recs[id]
}

// put places a record on the shelf as it is, whatever is there.
func (b *shelf) put(rec *session.Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.recs[rec.ID] = rec
}

func (b *shelf) drop(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.recs, id)
	delete(b.torn, id)
	delete(b.note, id)
}

// all returns the records that match, by id.
func (b *shelf) all(match func(*session.Record) bool) []*session.Record {
	b.mu.Lock()
	defer b.mu.Unlock()
	var recs []*session.Record
	for _, rec := range b.recs {
		if match(rec) {
			recs = append(recs, rec)
		}
	}
	slices.SortFunc(recs, func(x, y *session.Record) int { return cmp.Compare(x.ID, y.ID) })
	return recs
}

func (b *shelf) Load(ctx context.Context, id string) (*session.Record, error) {
	if err := b.ready(ctx); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.torn[id] {
		return nil, session.ErrCorrupt
	}
	if rec := b.recs[id]; rec != nil {
		return rec.Clone(), nil
	}
	return nil, session.ErrNotFound
}

func (b *shelf) Save(ctx context.Context, rec *session.Record) error {
	if err := b.ready(ctx); err != nil {
		return err
	}
	dropped, err := b.commit(rec)
	b.tell(dropped)
	if err == nil && rec.Kind != session.KindLive {
		b.lines.tell(rec.ID)
	}
	return err
}

func (b *shelf) Watch(ctx context.Context, tell func(id string)) error {
	return b.lines.listen(ctx, tell)
}

func (b *shelf) SaveWithin(ctx context.Context, rec *session.Record, limit session.Limit) error {
	if rec.Version != 0 {
		return errors.New("not a new record")
	}
	dropped, err := b.admit(ctx, rec, limit)
	b.tell(dropped)
	return err
}

func (b *shelf) admit(ctx context.Context, rec *session.Record,
	limit session.Limit) (dropped *session.Record, err error) {
	b.admitting.Lock()
	defer b.admitting.Unlock()
	recs, err := b.ByUser(ctx, rec.User)
	if err != nil {
		return nil, err
	}
	if !limit.Allows(recs) {
		return nil, session.ErrTooMany
	}
	return b.commit(rec)
}

// commit is the compare-and-set, and keeps the bound.
func (b *shelf) commit(rec *session.Record) (dropped *session.Record, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.torn[rec.ID] {
		return nil, session.ErrCorrupt
	}
	if err := b.compare(rec); err != nil {
		return nil, err
	}
	if b.max > 0 && rec.Version == 0 && !b.isLive(rec.Predecessor()) {
		dropped = b.makeRoom()
	}
	b.recs[rec.ID] = onward(rec)
	return dropped, nil
}

// makeRoom drops the session with the smallest id, when there are too many, but none that is getting a new id.
func (b *shelf) makeRoom() (dropped *session.Record) {
	var ids []string
	for id, rec := range b.recs {
		if b.isLive(id) && !b.isLive(rec.Predecessor()) {
			ids = append(ids, id)
		}
	}
	if len(ids) < b.max {
		return nil
	}
	for _, rec := range b.recs {
		ids = slices.DeleteFunc(ids, func(id string) bool { return len(ids) > 1 && id == rec.Predecessor() })
	}
	dropped = b.recs[slices.Min(ids)]
	delete(b.recs, dropped.ID)
	return dropped
}

func (b *shelf) isLive(id string) bool {
	rec := b.recs[id]
	return rec != nil && rec.Kind == session.KindLive
}

// compare says why the record may not be saved.
func (b *shelf) compare(rec *session.Record) error {
	switch old := b.recs[rec.ID]; {
	case old == nil && rec.Version > 0:
		return fmt.Errorf("shelf: %w", session.ErrNotFound)
	case old != nil && old.Version != rec.Version:
		return fmt.Errorf("shelf: %w", &session.ConflictError{Newest: old.Clone()})
	}
	return nil
}

// onward is a copy with the next version.
func onward(rec *session.Record) *session.Record {
	c := rec.Clone()
	c.Version++
	return c
}

func (b *shelf) Delete(ctx context.Context, id string) error {
	if err := b.ready(ctx); err != nil {
		return err
	}
	b.drop(id)
	b.lines.tell(id)
	return nil
}

func (b *shelf) Touch(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
	if err := b.ready(ctx); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if rec := b.recs[id]; rec != nil && rec.Version == version {
		b.recs[id] = touched(rec, seen, expires)
	}
	return nil
}

// touched is a copy with the later times.
func touched(rec *session.Record, seen, expires time.Time) *session.Record {
	c := rec.Clone()
	if seen.After(c.SeenAt) {
		c.SeenAt = seen
	}
	if !c.ExpiresAt.IsZero() && (expires.IsZero() || expires.After(c.ExpiresAt)) {
		c.ExpiresAt = expires
	}
	return c
}
