package sessiontest_test

import (
	"context"
	"slices"
	"time"

	"github.com/coatcheck/session"
)

// onWithin changes which of the user's records count, and keeps the rest.
func onWithin(count func(b *shelf, rec *session.Record, limit session.Limit) int) change {
	return func(s *store) {
		s.within = func(ctx context.Context, rec *session.Record, limit session.Limit) error {
			s.admitting.Lock()
			defer s.admitting.Unlock()
			if err := s.ready(ctx); err != nil {
				return err
			}
			if count(s.shelf, rec, limit) >= limit.Max {
				return session.ErrTooMany
			}
			return s.shelf.Save(ctx, rec)
		}
	}
}

// counting counts the records that match.
func counting(match func(r, rec *session.Record, limit session.Limit) bool) change {
	return onWithin(func(b *shelf, rec *session.Record, limit session.Limit) int {
		return len(b.all(func(r *session.Record) bool { return match(r, rec, limit) }))
	})
}

func unexpired(r *session.Record, now time.Time) bool {
	return r.ExpiresAt.IsZero() || r.ExpiresAt.After(now)
}

var limitMutants = []mutant{
	{"a user has room up to the limit", "admits one less",
		onWithin(func(b *shelf, rec *session.Record, limit session.Limit) int {
			return 1 + len(b.all(func(r *session.Record) bool {
				return live(r, rec.User) && unexpired(r, limit.Now) && r.ID != limit.Instead
			}))
		})},
	{"a user has room up to the limit", "admits all",
		counting(func(_, _ *session.Record, _ session.Limit) bool { return false })},
	{"what is refused at the limit changes nothing", "saves first and counts then", func(s *store) {
		s.within = func(ctx context.Context, rec *session.Record, limit session.Limit) error {
			if err := s.shelf.Save(ctx, rec); err != nil {
				return err
			}
			limit.Max++
			if recs, _ := s.shelf.ByUser(ctx, rec.User); !limit.Allows(recs) {
				return session.ErrTooMany
			}
			return nil
		}
	}},
	{"within the limit a taken id is still a conflict", "overwrites", func(s *store) {
		s.within = func(ctx context.Context, rec *session.Record, limit session.Limit) error {
			if err := s.ready(ctx); err != nil {
				return err
			}
			s.put(onward(rec))
			return nil
		}
	}},
	{"within the limit a record with a version is refused", "replaces it",
		counting(func(r, rec *session.Record, l session.Limit) bool {
			return live(r, rec.User) && unexpired(r, l.Now) && r.ID != l.Instead
		})},
	{"within the limit a record with a version is refused", "creates it, with the version after that", func(s *store) {
		s.within = func(ctx context.Context, rec *session.Record, _ session.Limit) error {
			if err := s.ready(ctx); err != nil {
				return err
			}
			if s.get(rec.ID) != nil {
				return session.ErrConflict
			}
			s.put(onward(rec))
			return nil
		}
	}},
	{"only live records of the same user count", "counts any kind",
		counting(func(r, rec *session.Record, l session.Limit) bool {
			return r.User == rec.User && unexpired(r, l.Now) && r.ID != l.Instead
		})},
	{"only live records of the same user count", "counts everybody's",
		counting(func(r, _ *session.Record, l session.Limit) bool {
			return r.Kind == session.KindLive && unexpired(r, l.Now) && r.ID != l.Instead
		})},
	{"what has expired does not count", "counts what nobody swept",
		counting(func(r, rec *session.Record, l session.Limit) bool {
			return live(r, rec.User) && r.ID != l.Instead
		})},
	{"what has expired does not count", "does not count what never expires",
		counting(func(r, rec *session.Record, l session.Limit) bool {
			return live(r, rec.User) && r.ExpiresAt.After(l.Now) && r.ID != l.Instead
		})},
	{"the record whose place is taken does not count", "counts it",
		counting(func(r, rec *session.Record, l session.Limit) bool {
			return live(r, rec.User) && unexpired(r, l.Now)
		})},
	{"the record whose place is taken does not count", "counts nothing when there is one",
		counting(func(r, rec *session.Record, l session.Limit) bool {
			return live(r, rec.User) && unexpired(r, l.Now) && l.Instead == ""
		})},
	{"what is one session with the record whose place is taken still counts", "takes it for one that is counted",
		onWithin(func(b *shelf, rec *session.Record, l session.Limit) int {
			all := b.all(func(r *session.Record) bool { return live(r, rec.User) && unexpired(r, l.Now) })
			moved := session.Moves(all)
			return len(slices.DeleteFunc(all, func(r *session.Record) bool {
				_, other := moved[r.ID]
				return other || !l.Counts(r)
			}))
		})},
	{"a session that gets a new id counts once", "counts each of its ids",
		counting(func(r, rec *session.Record, l session.Limit) bool {
			return live(r, rec.User) && l.Counts(r)
		})},
	{"a session that gets a new id counts once", "does not count what has a predecessor",
		counting(func(r, rec *session.Record, l session.Limit) bool {
			return live(r, rec.User) && l.Counts(r) && r.Predecessor() == ""
		})},
	{"a session that gets a new id counts once", "counts those it has in common",
		onWithin(func(b *shelf, rec *session.Record, l session.Limit) int {
			return len(b.all(func(r *session.Record) bool {
				before := b.recs[r.Predecessor()]
				return live(r, rec.User) && l.Counts(r) && (before == nil || before.Kind != session.KindLive)
			}))
		})},
	{"a record that leaves makes room", "counts all that ever were", func(s *store) {
		n := map[string]int{}
		s.within = func(ctx context.Context, rec *session.Record, limit session.Limit) error {
			s.admitting.Lock()
			defer s.admitting.Unlock()
			if n[rec.User] >= limit.Max {
				return session.ErrTooMany
			}
			n[rec.User]++
			return s.shelf.Save(ctx, rec)
		}
	}},
	{"of concurrent creates as many succeed as there is room for", "counts and saves without a lock", unlocked},
	{"of concurrent creates as many succeed as there is room for", "all that come too late give up", func(s *store) {
		s.within = func(ctx context.Context, rec *session.Record, limit session.Limit) error {
			if !s.admitting.TryLock() {
				return session.ErrTooMany
			}
			defer s.admitting.Unlock()
			yield()
			recs, err := s.shelf.ByUser(ctx, rec.User)
			if err != nil {
				return err
			}
			if !limit.Allows(recs) {
				return session.ErrTooMany
			}
			return s.shelf.Save(ctx, rec)
		}
	}},
	{"two stores keep one limit", "counts and saves without a lock", unlocked},
	{"room is a matter of the time given", "looks at the clock",
		counting(func(r, rec *session.Record, _ session.Limit) bool {
			return live(r, rec.User) && unexpired(r, time.Now())
		})},
}

func unlocked(s *store) {
	s.within = func(ctx context.Context, rec *session.Record, limit session.Limit) error {
		recs, err := s.shelf.ByUser(ctx, rec.User)
		if err != nil {
			return err
		}
		yield()
		if !limit.Allows(recs) {
			return session.ErrTooMany
		}
		return s.shelf.Save(ctx, rec)
	}
}
