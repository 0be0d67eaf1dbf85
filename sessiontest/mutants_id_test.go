package sessiontest_test

import (
	"context"
	"errors"
	"strings"

	"github.com/coatcheck/session"
)

var idMutants = []mutant{
	{"an id that nobody saved leads to no record", "loads by pattern",
		onLoad(func(ctx context.Context, b *shelf, id string) (*session.Record, error) {
			prefix, pattern := strings.CutSuffix(id, "%")
			for _, rec := range b.all(func(rec *session.Record) bool {
				return pattern && strings.HasPrefix(rec.ID, prefix)
			}) {
				return rec.Clone(), nil
			}
			return b.Load(ctx, id)
		})},
	{"an id that nobody saved leads to no record", "finds any record for the empty id",
		onLoad(func(ctx context.Context, b *shelf, id string) (*session.Record, error) {
			for _, rec := range b.all(func(*session.Record) bool { return id == "" }) {
				return rec.Clone(), nil
			}
			return b.Load(ctx, id)
		})},
	{"an id that nobody saved leads to no record", "creates a strange one with any version",
		onReplace(func(ctx context.Context, b *shelf, rec *session.Record) error {
			if strings.ContainsAny(rec.ID, "/\\") {
				return nil
			}
			return b.Save(ctx, rec)
		})},
	{"no id is mixed up with another one", "deletes without regard to case", deletesLike(strings.ToLower)},
	{"no id is mixed up with another one", "deletes without regard to spaces at the end",
		deletesLike(func(id string) string { return strings.TrimRight(id, " ") })},
	{"no id is mixed up with another one", "deletes by the first 255 bytes",
		deletesLike(func(id string) string { return id[:min(len(id), 255)] })},
	{"no id is mixed up with another one", "ends ids at a zero byte and overwrites",
		onSave(func(ctx context.Context, b *shelf, rec *session.Record) error {
			c := rec.Clone()
			c.ID, _, _ = strings.Cut(rec.ID, "\x00")
			if c.ID != rec.ID && ctx.Err() == nil {
				b.drop(c.ID)
			}
			return b.Save(ctx, c)
		})},
	{"a refused id changes nothing", "refuses after it has stored",
		onSave(func(ctx context.Context, b *shelf, rec *session.Record) error {
			err := b.Save(ctx, rec)
			if strings.Contains(rec.ID, "/") {
				err = errors.New("a slash")
			}
			return err
		})},
	{"no id is refused as a conflict", "folds case",
		onSave(func(ctx context.Context, b *shelf, rec *session.Record) error {
			folded := func(old *session.Record) bool { return old.ID != rec.ID && strings.EqualFold(old.ID, rec.ID) }
			if rec.Version == 0 && len(b.all(folded)) > 0 {
				return session.ErrConflict
			}
			return b.Save(ctx, rec)
		})},
	{"no id is refused as a conflict", "calls a refusal not found",
		onSave(func(ctx context.Context, b *shelf, rec *session.Record) error {
			if len(rec.ID) > 255 {
				return session.ErrNotFound
			}
			return b.Save(ctx, rec)
		})},
}

// deletesLike deletes all ids that look the same.
func deletesLike(fold func(string) string) change {
	return onDelete(func(ctx context.Context, b *shelf, id string) error {
		for _, rec := range b.all(func(rec *session.Record) bool {
			return ctx.Err() == nil && fold(rec.ID) == fold(id)
		}) {
			b.drop(rec.ID)
		}
		return b.Delete(ctx, id)
	})
}
