package sessiontest_test

import (
	"context"
	"sync"
	"time"

	"github.com/coatcheck/session"
)

var touchMutants = []mutant{
	{"a touch of another version changes nothing", "touches any version", func(s *store) {
		s.touch = func(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
			if rec := s.get(id); rec != nil {
				version = rec.Version
			}
			return s.shelf.Touch(ctx, id, version, seen, expires)
		}
	}},
	{"a touch of another version changes nothing", "compares 16 bits", func(s *store) {
		s.touch = func(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
			if rec := s.get(id); rec != nil && uint16(version) == uint16(rec.Version) {
				version = rec.Version
			}
			return s.shelf.Touch(ctx, id, version, seen, expires)
		}
	}},
	{"a touch keeps the later time seen", "takes the time given",
		onTouch(func(b *shelf, rec *session.Record, seen, expires time.Time) {
			rec = touched(rec, seen, expires)
			rec.SeenAt = seen
			b.put(rec)
		})},
	{"a touch keeps the later expiry, and never is the latest", "takes the expiry given",
		onTouch(func(b *shelf, rec *session.Record, seen, expires time.Time) {
			rec = touched(rec, seen, expires)
			rec.ExpiresAt = expires
			b.put(rec)
		})},
	{"a touch keeps the later expiry, and never is the latest", "lets a time follow never",
		onTouch(func(b *shelf, rec *session.Record, seen, expires time.Time) {
			forever := rec.ExpiresAt.IsZero()
			if rec = touched(rec, seen, expires); forever {
				rec.ExpiresAt = expires
			}
			b.put(rec)
		})},
	{"a touch keeps the later expiry, and never is the latest", "takes never for the earliest",
		onTouch(func(b *shelf, rec *session.Record, seen, expires time.Time) {
			if expires.IsZero() {
				expires = rec.ExpiresAt
			}
			b.put(touched(rec, seen, expires))
		})},
	{"a touch keeps the later expiry, and never is the latest", "takes both times or neither",
		onTouch(func(b *shelf, rec *session.Record, seen, expires time.Time) {
			if !seen.Before(rec.SeenAt) {
				b.put(touched(rec, seen, expires))
			}
		})},
	{"of concurrent touches the latest times stay", "compares before it sets",
		onTouch(func(b *shelf, rec *session.Record, seen, expires time.Time) {
			yield()
			rec = touched(rec, seen, expires)
			b.mu.Lock()
			defer b.mu.Unlock()
			if now := b.recs[rec.ID]; now != nil && now.Version == rec.Version {
				b.recs[rec.ID] = rec
			}
		})},
	{"a touch changes nothing else", "forgets the browser",
		onTouch(func(b *shelf, rec *session.Record, seen, expires time.Time) {
			rec = touched(rec, seen, expires)
			rec.UserAgent = ""
			b.put(rec)
		})},
	{"a touch changes nothing else", "brings a tombstone to life",
		onTouch(func(b *shelf, rec *session.Record, seen, expires time.Time) {
			rec = touched(rec, seen, expires)
			rec.Kind = session.KindLive
			b.put(rec)
		})},
	{"a touch never makes a save fail", "counts as a save",
		onTouch(func(b *shelf, rec *session.Record, seen, expires time.Time) {
			b.put(onward(touched(rec, seen, expires)))
		})},
	{"a touch never makes a save fail", "keeps its times after a save",
		onReplace(func(ctx context.Context, b *shelf, rec *session.Record) error {
			old := b.get(rec.ID)
			if old != nil {
				rec = touched(rec, old.SeenAt, old.ExpiresAt)
			}
			return b.Save(ctx, rec)
		})},
	{"touches neither disturb a save nor undo it", "puts back what it read", onTouch(putBack)},
	{"a delete is final for the touches that race it", "puts back what it read", onTouch(putBack)},
	{"a touch of what is not there is no error and creates nothing", "calls it not found", func(s *store) {
		s.touch = func(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
			if s.get(id) == nil && ctx.Err() == nil {
				return session.ErrNotFound
			}
			return s.shelf.Touch(ctx, id, version, seen, expires)
		}
	}},
	{"a touch of what is not there is no error and creates nothing", "creates it", func(s *store) {
		s.touch = func(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
			if s.get(id) == nil && ctx.Err() == nil {
				s.put(&session.Record{ID: id, Version: version, SeenAt: seen, ExpiresAt: expires})
			}
			return s.shelf.Touch(ctx, id, version, seen, expires)
		}
	}},
}

func putBack(b *shelf, rec *session.Record, seen, expires time.Time) {
	yield()
	b.put(touched(rec, seen, expires))
}

// onRemembered sweeps by records that it has from saves, as choose makes them of the one before and the next.
func onRemembered(choose func(known, saved *session.Record) *session.Record) change {
	return func(s *store) {
		var mu sync.Mutex
		known := map[string]*session.Record{}
		s.save = func(ctx context.Context, rec *session.Record) error {
			err := s.shelf.Save(ctx, rec)
			mu.Lock()
			defer mu.Unlock()
			switch before := known[rec.ID]; {
			case err != nil:
			case before == nil || rec.Version == 0:
				known[rec.ID] = rec.Clone()
			default:
				known[rec.ID] = choose(before, rec.Clone())
			}
			return err
		}
		onExpired(func(rec *session.Record, before time.Time) bool {
			mu.Lock()
			defer mu.Unlock()
			last := known[rec.ID]
			return last != nil && expired(last, before)
		})(s)
	}
}

func expired(rec *session.Record, before time.Time) bool {
	return !rec.ExpiresAt.IsZero() && rec.ExpiresAt.Before(before)
}

var sweepMutants = []mutant{
	{"a sweep removes what expired before the time given and nothing else", "counts the moment itself",
		onExpired(func(rec *session.Record, before time.Time) bool {
			return expired(rec, before.Add(time.Microsecond))
		})},
	{"a sweep removes what expired before the time given and nothing else", "counts in seconds",
		onExpired(func(rec *session.Record, before time.Time) bool {
			return expired(rec, before.Truncate(time.Second))
		})},
	{"a sweep removes what expired before the time given and nothing else", "leaves tombstones",
		onExpired(func(rec *session.Record, before time.Time) bool {
			return expired(rec, before) && rec.Kind == session.KindLive
		})},
	{"a record without an expiry survives every sweep", "takes never for long ago",
		onExpired(func(rec *session.Record, before time.Time) bool {
			return rec.ExpiresAt.Before(before)
		})},
	{"a sweep goes by the expiry that the last save gave", "goes by the first save", onRemembered(
		func(first, _ *session.Record) *session.Record { return first })},
	{"a sweep goes by the expiry that the last save gave", "learns of no earlier end", onRemembered(
		func(known, saved *session.Record) *session.Record {
			if known.ExpiresAt.IsZero() || !saved.ExpiresAt.IsZero() && saved.ExpiresAt.Before(known.ExpiresAt) {
				return known
			}
			return saved
		})},
	{"a sweep spares what was touched", "goes by the last save", func(s *store) {
		var saved sync.Map // id to expiry
		s.save = func(ctx context.Context, rec *session.Record) error {
			err := s.shelf.Save(ctx, rec)
			if err == nil {
				saved.Store(rec.ID, rec.Clone())
			}
			return err
		}
		onExpired(func(rec *session.Record, before time.Time) bool {
			last, ok := saved.Load(rec.ID)
			return ok && expired(last.(*session.Record), before)
		})(s)
	}},
	{"a sweep removes at most the limit and says how many", "knows no limit", func(s *store) {
		s.sweep = func(ctx context.Context, before time.Time, _ int) (int, error) {
			return s.shelf.Sweep(ctx, before, 1000)
		}
	}},
	{"a sweep removes at most the limit and says how many", "takes no limit for none", func(s *store) {
		s.sweep = func(ctx context.Context, before time.Time, limit int) (int, error) {
			if limit == 0 {
				limit = 1000
			}
			return s.shelf.Sweep(ctx, before, limit)
		}
	}},
	{"a sweep removes at most the limit and says how many", "does not count", func(s *store) {
		s.sweep = func(ctx context.Context, before time.Time, limit int) (int, error) {
			_, err := s.shelf.Sweep(ctx, before, limit)
			return 0, err
		}
	}},
	{"a sweep of less than the limit has left nothing", "stops at ten", func(s *store) {
		s.sweep = func(ctx context.Context, before time.Time, limit int) (int, error) {
			return s.shelf.Sweep(ctx, before, min(limit, 10))
		}
	}},
	{"a sweep goes by the time given and by no clock", "looks at the clock", func(s *store) {
		s.sweep = func(ctx context.Context, before time.Time, limit int) (int, error) {
			if now := time.Now(); before.After(now) {
				before = now
			}
			return s.shelf.Sweep(ctx, before, limit)
		}
	}},
	{"a sweep spares what is saved while it runs", "deletes by the ids that it has read", looksThenDeletes},
	{"a sweep spares what is touched while it runs", "deletes by the ids that it has read", looksThenDeletes},
}

func looksThenDeletes(s *store) {
	s.sweep = func(ctx context.Context, before time.Time, limit int) (int, error) {
		if err := s.ready(ctx); err != nil {
			return 0, err
		}
		recs := s.all(func(rec *session.Record) bool { return expired(rec, before) })
		recs = recs[:min(limit, len(recs))]
		yield()
		for _, rec := range recs {
			s.drop(rec.ID)
		}
		return len(recs), nil
	}
}
