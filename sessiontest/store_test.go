package sessiontest_test

import (
	"context"
	"runtime"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessiontest"
)

// store is a store on a shelf. Each method is a function that can be replaced, which is how it is broken.
type store struct {
	*shelf
	load   func(ctx context.Context, id string) (*session.Record, error)
	save   func(ctx context.Context, rec *session.Record) error
	remove func(ctx context.Context, id string) error
	touch  func(ctx context.Context, id string, version uint64, seen, expires time.Time) error
	sweep  func(ctx context.Context, before time.Time, limit int) (int, error)
	byUser func(ctx context.Context, user string) ([]*session.Record, error)
	page   func(ctx context.Context, after string, limit int) ([]*session.Record, error)
	within func(ctx context.Context, rec *session.Record, limit session.Limit) error
	watch  func(ctx context.Context, tell func(id string)) error
	evict  func(fn func(id, user string)) (stop func())
	forget func() string
	keep   func(ctx context.Context, rec *session.Record, note any) error
	share  func(ctx context.Context, id string) (*session.Record, any, error)
	shares func(session.Store) bool
}

var (
	_ session.Store     = (*store)(nil)
	_ session.Toucher   = (*store)(nil)
	_ session.Sweeper   = (*store)(nil)
	_ session.Lister    = (*store)(nil)
	_ session.Limiter   = (*store)(nil)
	_ session.Watcher   = (*store)(nil)
	_ session.Evicter   = (*store)(nil)
	_ session.Forgetter = (*store)(nil)
	_ session.Sharer    = (*store)(nil)
)

// A change breaks a store.
type change func(*store)

// sound changes nothing.
func sound(*store) {}

func newStore(b *shelf, change change) *store {
	s := &store{
		shelf: b, load: b.Load, save: b.Save, remove: b.Delete, touch: b.Touch, sweep: b.Sweep,
		byUser: b.ByUser, page: b.Page, within: b.SaveWithin, watch: b.Watch, evict: b.OnEvict,
		forget: b.Forgets, keep: b.saveShared, share: b.loadShared,
	}
	s.shares = func(other session.Store) bool { return other == session.Store(s) }
	change(s)
	return s
}

func (s *store) Load(ctx context.Context, id string) (*session.Record, error) { return s.load(ctx, id) }
func (s *store) Save(ctx context.Context, rec *session.Record) error          { return s.save(ctx, rec) }
func (s *store) Delete(ctx context.Context, id string) error                  { return s.remove(ctx, id) }
func (s *store) Touch(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
	return s.touch(ctx, id, version, seen, expires)
}
func (s *store) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	return s.sweep(ctx, before, limit)
}
func (s *store) ByUser(ctx context.Context, user string) ([]*session.Record, error) {
	return s.byUser(ctx, user)
}
func (s *store) Page(ctx context.Context, after string, limit int) ([]*session.Record, error) {
	return s.page(ctx, after, limit)
}
func (s *store) SaveWithin(ctx context.Context, rec *session.Record, limit session.Limit) error {
	return s.within(ctx, rec, limit)
}
func (s *store) Watch(ctx context.Context, tell func(id string)) error { return s.watch(ctx, tell) }
func (s *store) OnEvict(fn func(id, user string)) (stop func())        { return s.evict(fn) }
func (s *store) SaveShared(ctx context.Context, rec *session.Record, note any) error {
	return s.keep(ctx, rec, note)
}
func (s *store) LoadShared(ctx context.Context, id string) (*session.Record, any, error) {
	return s.share(ctx, id)
}
func (s *store) Shares(other session.Store) bool { return s.shares(other) }
func (s *store) Forgets() string                 { return s.forget() }

// check runs all rules on stores with that change, without those to skip.
func check(ctx context.Context, change change, skip ...string) error {
	return sessiontest.Check(ctx, func() session.Store { return newStore(newShelf(0), change) },
		sessiontest.CheckOptions{
			Peer:    func(s session.Store) session.Store { return newStore(s.(*store).shelf, change) },
			Break:   func(s session.Store) { s.(*store).fail() },
			Corrupt: func(s session.Store, id string) { s.(*store).tear(id) },
			Bounded: func(max int) session.Store { return newStore(newShelf(max), change) },
			Skip:    skip,
		})
}

// yield lets all others run, as a slow backend would.
func yield() {
	for range 50 {
		runtime.Gosched()
	}
}
