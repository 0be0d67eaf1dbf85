package sessiontest_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/coatcheck/session"
)

const toldByLimiter = "the function that is told of a record dropped for a limited one may save such a one"

// hushed makes a store that tells nobody between two calls.
func hushed(s *store) (hush func() (end func())) {
	var quiet atomic.Bool
	s.evict = func(fn func(id, user string)) func() {
		return s.shelf.OnEvict(func(id, user string) {
			if !quiet.Load() {
				fn(id, user)
			}
		})
	}
	return func() func() {
		quiet.Store(true)
		return func() { quiet.Store(false) }
	}
}

var evictMutants = []mutant{
	{"a store with a bound keeps it and tells of each record that it dropped", "tells nobody", func(s *store) {
		s.evict = func(func(id, user string)) func() { return func() {} }
	}},
	{"a store with a bound keeps it and tells of each record that it dropped", "does not tell who it was",
		func(s *store) {
			s.evict = func(fn func(id, user string)) func() {
				return s.shelf.OnEvict(func(id, _ string) { fn(id, "") })
			}
		}},
	{"a store with a bound keeps it and tells of each record that it dropped", "not of those for a limited one",
		func(s *store) {
			hush := hushed(s)
			s.within = func(ctx context.Context, rec *session.Record, limit session.Limit) error {
				defer hush()()
				return s.shelf.SaveWithin(ctx, rec, limit)
			}
		}},
	{"a store with a bound keeps it and tells of each record that it dropped", "not of those for a shared one",
		func(s *store) {
			hush := hushed(s)
			s.keep = func(ctx context.Context, rec *session.Record, note any) error {
				defer hush()()
				return s.shelf.saveShared(ctx, rec, note)
			}
		}},
	{"a store with a bound keeps it and tells of each record that it dropped", "drops nothing", func(s *store) {
		s.max = 0
	}},
	{"a store with a bound keeps it and tells of each record that it dropped", "keeps one more", func(s *store) {
		if s.max > 0 {
			s.max++
		}
	}},
	{"the function that is told may use the store", "deletes nothing while it tells", func(s *store) {
		busy := busyWhileItTells(s)
		s.remove = func(ctx context.Context, id string) error {
			return cmp.Or(busy(), s.shelf.Delete(ctx, id))
		}
	}},
	{toldByLimiter, "admits nobody while it tells", func(s *store) {
		busy := busyWhileItTells(s)
		s.within = func(ctx context.Context, rec *session.Record, limit session.Limit) error {
			return cmp.Or(busy(), s.shelf.SaveWithin(ctx, rec, limit))
		}
	}},
	{"nobody is told after stop, and others still are", "goes on telling", func(s *store) {
		s.evict = func(fn func(id, user string)) func() {
			s.shelf.OnEvict(fn)
			return func() {}
		}
	}},
	{"nobody is told after stop, and others still are", "stops telling anybody", func(s *store) {
		s.evict = func(fn func(id, user string)) func() {
			s.shelf.OnEvict(fn)
			return func() {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.fns = nil
			}
		}
	}},
	{"a session that gets a new id costs nobody a place", "makes room for each new id", func(s *store) {
		s.save = onlyIDs(s, s.shelf.Save)
	}},
	{"a session is not dropped while it gets a new id", "does not know what a predecessor is", func(s *store) {
		s.save = onlyIDs(s, s.shelf.Save)
	}},
	{"a session is not dropped while it gets a new id", "drops the new record", func(s *store) {
		s.save = dropsFirst(s, func(rec *session.Record) bool { return rec.Predecessor() != "" })
	}},
	{"a session is not dropped while it gets a new id", "drops the old record", func(s *store) {
		s.save = dropsFirst(s, func(rec *session.Record) bool {
			return len(s.all(func(r *session.Record) bool { return r.Predecessor() == rec.ID })) > 0
		})
	}},
	{"a session is not dropped while it gets a new id", "drops the new record of a stranger", func(s *store) {
		s.save = dropsFirst(s, func(rec *session.Record) bool { return rec.Predecessor() != "" && rec.User == "" })
	}},
	{"a store with a bound says that it forgets", "says that it keeps all", func(s *store) {
		s.forget = func() string { return "" }
	}},
	{"many goroutines that fill a store are told of each record once", "chooses before it drops", func(s *store) {
		s.save = func(ctx context.Context, rec *session.Record) error {
			if err := s.ready(ctx); err != nil || s.max == 0 || rec.Version > 0 {
				return errors.Join(err, s.shelf.Save(ctx, rec))
			}
			all := s.all(func(*session.Record) bool { return true })
			if len(all) < s.max {
				return s.shelf.Save(ctx, rec)
			}
			yield()
			s.drop(all[0].ID)
			s.tell(all[0])
			return s.shelf.Save(ctx, rec)
		}
	}},
}

// onlyIDs saves records as if each were a session of its own.
func onlyIDs(s *store, save func(context.Context, *session.Record) error) func(context.Context, *session.Record) error {
	return func(ctx context.Context, rec *session.Record) error {
		if s.max == 0 || rec.Predecessor() == "" {
			return save(ctx, rec)
		}
		rec = rec.Clone()
		rec.Successor = ""
		return save(ctx, rec)
	}
}

// dropsFirst drops such a record before others for a new session, when more records than the bound are there.
func dropsFirst(s *store, such func(*session.Record) bool) func(context.Context, *session.Record) error {
	return func(ctx context.Context, rec *session.Record) error {
		live := s.all(func(r *session.Record) bool { return r.Kind == session.KindLive })
		if i := slices.IndexFunc(live, such); i >= 0 && s.max > 0 && len(live) > s.max && rec.Version == 0 {
			s.drop(live[i].ID)
			s.tell(live[i])
		}
		return s.shelf.Save(ctx, rec)
	}
}

// busyWhileItTells returns what gives an error while s tells of a record that was dropped.
func busyWhileItTells(s *store) func() error {
	telling := make(chan struct{}, 1000)
	s.evict = func(fn func(id, user string)) func() {
		return s.shelf.OnEvict(func(id, user string) {
			telling <- struct{}{}
			fn(id, user)
			<-telling
		})
	}
	return func() error {
		if len(telling) > 0 {
			return errors.New("busy")
		}
		return nil
	}
}

// tellsUnderLock has a lock that a save holds while it tells, and that every call waits for. The wait ends after an
// hour of the bubble in which it is used.
func tellsUnderLock(s *store) {
	lock := make(chan struct{}, 1)
	locked := func(do func() error) error {
		patience := time.NewTimer(time.Hour)
		defer patience.Stop()
		select {
		case lock <- struct{}{}:
			defer func() { <-lock }()
			return do()
		case <-patience.C:
			return errors.New("locked")
		}
	}
	s.save = func(ctx context.Context, rec *session.Record) error {
		return locked(func() error { return s.shelf.Save(ctx, rec) })
	}
	s.within = func(ctx context.Context, rec *session.Record, limit session.Limit) error {
		return locked(func() error { return s.shelf.SaveWithin(ctx, rec, limit) })
	}
	s.remove = func(ctx context.Context, id string) error {
		return locked(func() error { return s.shelf.Delete(ctx, id) })
	}
}
