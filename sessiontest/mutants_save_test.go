package sessiontest_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coatcheck/session"
)

var loadMutants = []mutant{
	{"what was never saved is not found", "gives nothing and no error", missing(nil, nil)},
	{"what was never saved is not found", "gives an empty record", missing(&session.Record{}, nil)},
	{"what was never saved is not found", "gives an error of its own", missing(nil, errors.New("no such record"))},
	{"what was never saved is not found", "gives a record with the error",
		missing(&session.Record{}, session.ErrNotFound)},
	{"a load returns what was saved last", "remembers the first load", func(s *store) {
		var first sync.Map
		s.load = func(ctx context.Context, id string) (*session.Record, error) {
			rec, err := s.shelf.Load(ctx, id)
			if err != nil {
				return nil, err
			}
			kept, _ := first.LoadOrStore(id, rec)
			return kept.(*session.Record).Clone(), nil
		}
	}},
	{"a load returns what was touched last", "touches nothing",
		onTouch(func(*shelf, *session.Record, time.Time, time.Time) {})},
	{"a load returns what was touched last", "touches those alone who are signed in",
		onTouch(func(b *shelf, rec *session.Record, seen, expires time.Time) {
			if rec.User != "" {
				b.put(touched(rec, seen, expires))
			}
		})},
}

// missing changes the answer to a load of what is not there.
func missing(rec *session.Record, err error) change {
	return onLoad(func(ctx context.Context, b *shelf, id string) (*session.Record, error) {
		got, loadErr := b.Load(ctx, id)
		if errors.Is(loadErr, session.ErrNotFound) {
			return rec, err
		}
		return got, loadErr
	})
}

var saveMutants = []mutant{
	{"a new record is accepted", "wants a user", onSave(func(ctx context.Context, b *shelf, rec *session.Record) error {
		if rec.User == "" {
			return errors.New("no user")
		}
		return b.Save(ctx, rec)
	})},
	{"a save of version 0 stores version 1", "begins at 0",
		onSave(func(ctx context.Context, b *shelf, rec *session.Record) error {
			if rec.Version > 0 || b.get(rec.ID) != nil || ctx.Err() != nil {
				return b.Save(ctx, rec)
			}
			b.put(rec.Clone())
			return nil
		})},
	{"a create never overwrites", "takes version 0 for an order",
		onSave(func(ctx context.Context, b *shelf, rec *session.Record) error {
			if rec.Version == 0 && ctx.Err() == nil {
				b.drop(rec.ID)
			}
			return b.Save(ctx, rec)
		})},
	{"a create never overwrites", "takes a retired id for a free one",
		onSave(func(ctx context.Context, b *shelf, rec *session.Record) error {
			old := b.get(rec.ID)
			if ctx.Err() == nil && old != nil && old.Kind != session.KindLive && rec.Version == 0 {
				b.drop(rec.ID)
			}
			return b.Save(ctx, rec)
		})},
	{"a save of the stored version replaces the record and adds 1 to the version", "adds 2",
		onReplace(func(ctx context.Context, b *shelf, rec *session.Record) error {
			err := b.Save(ctx, rec)
			if err == nil {
				b.put(onward(b.get(rec.ID)))
			}
			return err
		})},
	{"a save of the stored version replaces the record and adds 1 to the version", "keeps the version",
		onReplace(func(ctx context.Context, b *shelf, rec *session.Record) error {
			err := b.Save(ctx, rec)
			if err == nil {
				b.put(rec.Clone())
			}
			return err
		})},
	{"a save of the stored version replaces the record and adds 1 to the version", "has versions of one digit",
		onReplace(func(ctx context.Context, b *shelf, rec *session.Record) error {
			if rec.Version > 9 {
				return session.ErrConflict
			}
			return b.Save(ctx, rec)
		})},
	{"a save of an older version is a conflict and changes nothing", "replaces what is newer",
		replaceIf(func(old, version uint64) bool { return old >= version })},
	{"a save of an older version is a conflict and changes nothing", "stores and then compares",
		onReplace(func(ctx context.Context, b *shelf, rec *session.Record) error {
			err := b.Save(ctx, rec)
			if errors.Is(err, session.ErrConflict) {
				b.put(onward(rec))
			}
			return err
		})},
	{"a save of an older version is a conflict and changes nothing", "takes it for a success",
		onReplace(func(ctx context.Context, b *shelf, rec *session.Record) error {
			if old := b.get(rec.ID); old != nil && old.Version > rec.Version {
				return nil
			}
			return b.Save(ctx, rec)
		})},
	{"a save of an older version is a conflict and changes nothing", "calls it not found as well",
		onReplace(func(ctx context.Context, b *shelf, rec *session.Record) error {
			err := b.Save(ctx, rec)
			if errors.Is(err, session.ErrConflict) {
				return errors.Join(err, session.ErrNotFound)
			}
			return err
		})},
	{"a save of a version yet to come is a conflict and changes nothing", "replaces what is older",
		replaceIf(func(old, version uint64) bool { return old <= version })},
	{"a save of a version yet to come is a conflict and changes nothing", "compares 32 bits",
		replaceIf(func(old, version uint64) bool { return uint32(old) == uint32(version) })},
	{"a save of a version yet to come is a conflict and changes nothing", "compares no version of what is retired",
		onReplace(func(ctx context.Context, b *shelf, rec *session.Record) error {
			if old := b.get(rec.ID); old != nil && old.Kind != session.KindLive {
				rec = rec.Clone()
				rec.Version = old.Version
			}
			return b.Save(ctx, rec)
		})},
	{"a save over what is not there is not found and creates nothing", "creates it",
		onReplace(func(ctx context.Context, b *shelf, rec *session.Record) error {
			err := b.Save(ctx, rec)
			if errors.Is(err, session.ErrNotFound) {
				b.put(onward(rec))
				return nil
			}
			return err
		})},
	{"a save over what is not there is not found and creates nothing", "calls it a conflict",
		onReplace(func(ctx context.Context, b *shelf, rec *session.Record) error {
			err := b.Save(ctx, rec)
			if errors.Is(err, session.ErrNotFound) {
				return session.ErrConflict
			}
			return err
		})},
	{"a conflict hands over the newest record or none", "hands over the record that it was given",
		onSave(func(ctx context.Context, b *shelf, rec *session.Record) error {
			err := b.Save(ctx, rec)
			if errors.Is(err, session.ErrConflict) {
				return &session.ConflictError{Newest: rec.Clone()}
			}
			return err
		})},
	{"a delete removes the record and no other", "removes nothing",
		onDelete(func(ctx context.Context, b *shelf, _ string) error { return b.ready(ctx) })},
	{"a delete removes the record and no other", "removes everything",
		onDelete(func(ctx context.Context, b *shelf, _ string) error {
			for _, rec := range b.all(func(*session.Record) bool { return ctx.Err() == nil }) {
				b.drop(rec.ID)
			}
			return b.ready(ctx)
		})},
	{"a delete removes the record and no other", "keeps what is retired",
		onDelete(func(ctx context.Context, b *shelf, id string) error {
			if rec := b.get(id); rec != nil && rec.Kind != session.KindLive {
				return b.ready(ctx)
			}
			return b.Delete(ctx, id)
		})},
	{"to delete what is not there is no error", "calls it not found",
		onDelete(func(ctx context.Context, b *shelf, id string) error {
			if _, err := b.Load(ctx, id); errors.Is(err, session.ErrNotFound) {
				return err
			}
			return b.Delete(ctx, id)
		})},
	{"no save brings a deleted record back", "marks it as deleted and lets a save of its version through",
		func(s *store) {
			var marked sync.Map // id to record
			s.remove = func(ctx context.Context, id string) error {
				if rec := s.get(id); rec != nil {
					marked.Store(id, rec)
				}
				return s.shelf.Delete(ctx, id)
			}
			s.save = func(ctx context.Context, rec *session.Record) error {
				if old, ok := marked.Load(rec.ID); ok && old.(*session.Record).Version == rec.Version &&
					s.get(rec.ID) == nil {
					s.put(onward(rec))
					return nil
				}
				return s.shelf.Save(ctx, rec)
			}
		}},
}

// replaceIf replaces when the versions please it.
func replaceIf(pleased func(old, version uint64) bool) change {
	return onReplace(func(ctx context.Context, b *shelf, rec *session.Record) error {
		old := b.get(rec.ID)
		if old == nil || !pleased(old.Version, rec.Version) {
			return b.Save(ctx, rec)
		}
		b.put(onward(rec))
		return nil
	})
}
