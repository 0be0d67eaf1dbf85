package sessiontest_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coatcheck/session"
)

var limitCreateMutants = []mutant{
	{"a sweep removes what was created within the limit", "does not index its end", func(s *store) {
		within := admitted(s)
		onExpired(func(rec *session.Record, before time.Time) bool {
			return expired(rec, before) && !within(rec.ID)
		})(s)
	}},
	{"pages show what was created within the limit", "does not index its id", func(s *store) {
		within := admitted(s)
		paging(func(recs []*session.Record) (kept []*session.Record) {
			for _, rec := range recs {
				if !within(rec.ID) {
					kept = append(kept, rec)
				}
			}
			return kept
		})(s)
	}},
	{"what was created within the limit comes back whole", "forgets the predecessor",
		admitting(func(rec *session.Record) { rec.Successor = "" })},
	{"what was created within the limit comes back whole", "keeps 64 KiB",
		admitting(func(rec *session.Record) { rec.Data = rec.Data[:min(len(rec.Data), 64<<10)] })},
	{"within the limit a create keeps nothing that its caller can still change", "keeps the data", func(s *store) {
		s.within = func(ctx context.Context, rec *session.Record, limit session.Limit) error {
			err := s.shelf.SaveWithin(ctx, rec, limit)
			if err == nil {
				s.alias(rec)
			}
			return err
		}
	}},
	{"what was created within the limit is saved and touched as any other", "does not touch it", func(s *store) {
		within := admitted(s)
		s.touch = func(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
			if within(id) && ctx.Err() == nil {
				return nil
			}
			return s.shelf.Touch(ctx, id, version, seen, expires)
		}
	}},
	{"a refused or cancelled create within the limit takes no place", "keeps the place of a cancelled one",
		losesPlaces(context.Canceled)},
	{"a refused or cancelled create within the limit takes no place", "keeps the place of a refused one",
		losesPlaces(session.ErrConflict)},
}

// admitting changes what is stored of what is created within a limit.
func admitting(change func(rec *session.Record)) change {
	return func(s *store) {
		s.within = func(ctx context.Context, rec *session.Record, limit session.Limit) error {
			rec = rec.Clone()
			change(rec)
			return s.shelf.SaveWithin(ctx, rec, limit)
		}
	}
}

// admitted tells which ids were created within a limit.
func admitted(s *store) func(id string) bool {
	var ids sync.Map
	s.within = func(ctx context.Context, rec *session.Record, limit session.Limit) error {
		err := s.shelf.SaveWithin(ctx, rec, limit)
		if err == nil {
			ids.Store(rec.ID, true)
		}
		return err
	}
	return func(id string) bool { _, ok := ids.Load(id); return ok }
}

// losesPlaces has a user's place stay taken after an error.
func losesPlaces(after error) change {
	return func(s *store) {
		var mu sync.Mutex
		lost := map[string]int{}
		s.within = func(ctx context.Context, rec *session.Record, limit session.Limit) error {
			mu.Lock()
			defer mu.Unlock()
			limit.Max -= lost[rec.User]
			err := s.shelf.SaveWithin(ctx, rec, limit)
			if errors.Is(err, after) {
				lost[rec.User]++
			}
			return err
		}
	}
}
