package sessiontest_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coatcheck/session"
)

var dataMutants = []mutant{
	{"data of any bytes and length comes back", "ends at a zero byte",
		saving(func(rec *session.Record) { rec.Data, _, _ = bytes.Cut(rec.Data, []byte{0}) })},
	{"data of any bytes and length comes back", "trims",
		saving(func(rec *session.Record) { rec.Data = bytes.TrimSpace(rec.Data) })},
	{"data of any bytes and length comes back", "makes it UTF-8",
		saving(func(rec *session.Record) { rec.Data = bytes.ToValidUTF8(rec.Data, []byte("?")) })},
	{"data of any bytes and length comes back", "keeps 64 KiB",
		saving(func(rec *session.Record) { rec.Data = rec.Data[:min(len(rec.Data), 65536)] })},
	{"a save leaves the record that it was given alone", "counts in it",
		onSave(func(ctx context.Context, b *shelf, rec *session.Record) error {
			err := b.Save(ctx, rec)
			if err == nil {
				rec.Version++
			}
			return err
		})},
	{"a save leaves the record that it was given alone", "wipes the data when it refuses",
		onSave(func(ctx context.Context, b *shelf, rec *session.Record) error {
			err := b.Save(ctx, rec)
			if err != nil {
				clear(rec.Data)
			}
			return err
		})},
	{"a save keeps nothing that its caller can still change", "keeps the data",
		onSave(func(ctx context.Context, b *shelf, rec *session.Record) error {
			err := b.Save(ctx, rec)
			if err == nil {
				b.alias(rec)
			}
			return err
		})},
	{"a load gives a record that its caller may change", "gives its own record",
		onLoad(func(ctx context.Context, b *shelf, id string) (*session.Record, error) {
			if _, err := b.Load(ctx, id); err != nil {
				return nil, err
			}
			if rec := b.get(id); rec != nil {
				return rec, nil
			}
			return nil, session.ErrNotFound
		})},
	{"a load gives a record that its caller may change", "gives its own data",
		onLoad(func(ctx context.Context, b *shelf, id string) (*session.Record, error) {
			rec, err := b.Load(ctx, id)
			if err != nil {
				return nil, err
			}
			if own := b.get(id); own != nil && own.Version == rec.Version {
				rec.Data = own.Data
			}
			return rec, nil
		})},
	{"data that was loaded may be appended to", "loads into one buffer", func(s *store) {
		var mu sync.Mutex
		buffer := make([]byte, 0, 1<<20)
		s.load = func(ctx context.Context, id string) (*session.Record, error) {
			rec, err := s.shelf.Load(ctx, id)
			if err != nil || len(rec.Data) > 4096 {
				return rec, err
			}
			mu.Lock()
			defer mu.Unlock()
			if cap(buffer)-len(buffer) < 4096 {
				buffer = make([]byte, 0, 1<<20)
			}
			start := len(buffer)
			buffer = append(buffer, rec.Data...)
			rec.Data = buffer[start:]
			return rec, nil
		}
	}},
	{"the newest record in a conflict is its caller's own", "hands over its own",
		onSave(func(ctx context.Context, b *shelf, rec *session.Record) error {
			err := b.Save(ctx, rec)
			if own := b.get(rec.ID); own != nil && errors.Is(err, session.ErrConflict) {
				return &session.ConflictError{Newest: own}
			}
			return err
		})},
	{"lists give records that their caller may change", "lists its own by user", func(s *store) {
		s.byUser = func(ctx context.Context, user string) ([]*session.Record, error) {
			recs, err := s.shelf.ByUser(ctx, user)
			return s.own(recs), err
		}
	}},
	{"lists give records that their caller may change", "lists its own in pages", func(s *store) {
		s.page = func(ctx context.Context, after string, limit int) ([]*session.Record, error) {
			recs, err := s.shelf.Page(ctx, after, limit)
			return s.own(recs), err
		}
	}},
}

// alias makes the stored record share its data with the one given.
func (b *shelf) alias(rec *session.Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if own := b.recs[rec.ID]; own != nil && own.Version == rec.Version+1 {
		c := *own
		c.Data = rec.Data
		b.recs[rec.ID] = &c
	}
}

// own replaces copies by what is on the shelf.
func (b *shelf) own(recs []*session.Record) (own []*session.Record) {
	for _, rec := range recs {
		if rec := b.get(rec.ID); rec != nil {
			own = append(own, rec)
		}
	}
	return own
}

// contextMutants ignore the context in one method each, or break off in the middle.
func contextMutants() []mutant {
	const rule = "a cancelled context is an error of every method"
	ctx := context.Background()
	return []mutant{
		{rule, "Load goes on", onLoad(func(_ context.Context, b *shelf, id string) (*session.Record, error) {
			return b.Load(ctx, id)
		})},
		{rule, "Save goes on", onSave(func(_ context.Context, b *shelf, rec *session.Record) error {
			return b.Save(ctx, rec)
		})},
		{rule, "Delete goes on", onDelete(func(_ context.Context, b *shelf, id string) error {
			return b.Delete(ctx, id)
		})},
		{rule, "Touch goes on", func(s *store) {
			s.touch = func(_ context.Context, id string, version uint64, seen, expires time.Time) error {
				return s.shelf.Touch(ctx, id, version, seen, expires)
			}
		}},
		{rule, "Sweep goes on", func(s *store) {
			s.sweep = func(_ context.Context, before time.Time, limit int) (int, error) {
				return s.shelf.Sweep(ctx, before, limit)
			}
		}},
		{rule, "ByUser goes on", func(s *store) {
			s.byUser = func(_ context.Context, user string) ([]*session.Record, error) {
				return s.shelf.ByUser(ctx, user)
			}
		}},
		{rule, "Page goes on", func(s *store) {
			s.page = func(_ context.Context, after string, limit int) ([]*session.Record, error) {
				return s.shelf.Page(ctx, after, limit)
			}
		}},
		{rule, "SaveShared goes on", func(s *store) {
			s.keep = func(_ context.Context, rec *session.Record, note any) error {
				return s.shelf.saveShared(ctx, rec, note)
			}
		}},
		{rule, "LoadShared goes on", func(s *store) {
			s.share = func(_ context.Context, id string) (*session.Record, any, error) {
				return s.shelf.loadShared(ctx, id)
			}
		}},
		{rule, "Load says not found when its time is over",
			onLoad(func(ctx context.Context, b *shelf, id string) (*session.Record, error) {
				rec, err := b.Load(ctx, id)
				if errors.Is(err, context.DeadlineExceeded) {
					return nil, session.ErrNotFound
				}
				return rec, err
			})},
		{rule, "Load says not found", onLoad(func(ctx context.Context, b *shelf, id string) (*session.Record, error) {
			rec, err := b.Load(ctx, id)
			if ctx.Err() != nil {
				return nil, session.ErrNotFound
			}
			return rec, err
		})},
		{"a cancelled call changes nothing or all", "leaves half a save behind",
			halfWhen(func(ctx context.Context) bool { return ctx.Err() != nil })},
		{"a save that is cancelled on its way stores all or nothing", "looks at the context in the middle",
			halfWhen(func(ctx context.Context) bool {
				if ctx.Err() != nil {
					return false // not begun
				}
				yield()
				return ctx.Err() != nil
			})},
	}
}

// halfWhen stores a record without its data when the save is cancelled.
func halfWhen(cancelled func(context.Context) bool) change {
	return onSave(func(ctx context.Context, b *shelf, rec *session.Record) error {
		if !cancelled(ctx) {
			return b.Save(ctx, rec)
		}
		half := rec.Clone()
		half.Data = nil
		return errors.Join(b.Save(context.WithoutCancel(ctx), half), ctx.Err())
	})
}
