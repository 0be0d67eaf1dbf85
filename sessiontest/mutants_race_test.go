package sessiontest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/coatcheck/session"
)

var raceMutants = []mutant{
	{"of concurrent saves at one version exactly one succeeds", "compares before it sets", onReplace(compareThenSet)},
	{"savers that try again after a conflict lose nothing", "compares before it sets", onReplace(compareThenSet)},
	{"of concurrent creates of one id exactly one succeeds", "looks before it creates",
		onSave(func(ctx context.Context, b *shelf, rec *session.Record) error {
			if rec.Version > 0 || ctx.Err() != nil {
				return b.Save(ctx, rec)
			}
			return compareThenSet(ctx, b, rec)
		})},
	{"of concurrent creates of one id exactly one succeeds", "lists those that lost", func(s *store) {
		var owners sync.Map // user to id
		s.save = func(ctx context.Context, rec *session.Record) error {
			owners.Store(rec.User, rec.ID)
			return s.shelf.Save(ctx, rec)
		}
		onListed(func(rec *session.Record, user string) bool {
			id, ok := owners.Load(user)
			return ok && id == rec.ID
		})(s)
	}},
	{"a reader sees whole records while they are saved", "stores the data after the rest",
		onReplace(func(ctx context.Context, b *shelf, rec *session.Record) error {
			old := b.get(rec.ID)
			if old == nil || old.Version != rec.Version {
				return b.Save(ctx, rec)
			}
			half := onward(rec)
			half.Data = old.Data
			b.put(half)
			yield()
			b.put(onward(rec))
			return nil
		})},
	{"many goroutines may do anything at once", "is busy while it saves", func(s *store) {
		var saves atomic.Int32
		s.save = func(ctx context.Context, rec *session.Record) error {
			defer saves.Add(-1)
			if saves.Add(1) > 1 {
				return errors.New("busy")
			}
			yield()
			return s.shelf.Save(ctx, rec)
		}
	}},
	{"many goroutines may do anything at once", "deletes before it replaces",
		onReplace(func(ctx context.Context, b *shelf, rec *session.Record) error {
			old := b.get(rec.ID)
			if old == nil || old.Version != rec.Version {
				return b.Save(ctx, rec)
			}
			half := onward(rec)
			half.Data = half.Data[:len(half.Data)/2]
			b.put(half)
			yield()
			b.put(onward(rec))
			return nil
		})},
	{"a delete is final for the saves that race it", "replaces without another look",
		onReplace(func(_ context.Context, b *shelf, rec *session.Record) error {
			b.mu.Lock()
			err := b.compare(rec)
			b.mu.Unlock()
			if err != nil {
				return err
			}
			yield()
			b.mu.Lock()
			defer b.mu.Unlock()
			if old := b.recs[rec.ID]; old != nil && old.Version != rec.Version {
				return session.ErrConflict
			}
			b.recs[rec.ID] = onward(rec)
			return nil
		})},
}

// compareThenSet has a gap between the two.
func compareThenSet(_ context.Context, b *shelf, rec *session.Record) error {
	b.mu.Lock()
	err := b.compare(rec)
	b.mu.Unlock()
	if err != nil {
		return fmt.Errorf("in vain: %w", err)
	}
	yield()
	b.put(onward(rec))
	return nil
}
