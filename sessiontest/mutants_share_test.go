package sessiontest_test

import (
	"context"
	"time"

	"github.com/coatcheck/session"
)

// noted is a note that counts while its record has that version.
type noted struct {
	version uint64
	note    any
}

// saveShared keeps the record itself.
func (b *shelf) saveShared(ctx context.Context, rec *session.Record, note any) error {
	if err := b.ready(ctx); err != nil {
		return err
	}
	if _, err := b.commit(rec); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	rec.Version++
	b.recs[rec.ID] = rec
	b.note[rec.ID] = noted{rec.Version, note}
	return nil
}

func (b *shelf) loadShared(ctx context.Context, id string) (*session.Record, any, error) {
	if err := b.ready(ctx); err != nil {
		return nil, nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	rec := b.recs[id]
	if rec == nil {
		return nil, nil, session.ErrNotFound
	}
	if n := b.note[id]; n.version == rec.Version {
		return rec, n.note, nil
	}
	return rec, nil, nil
}

var shareMutants = []mutant{
	{"what is shared is saved and loaded as anything else", "leaves the version as it was", func(s *store) {
		s.keep = func(ctx context.Context, rec *session.Record, note any) error {
			return s.saveShared(ctx, rec.Clone(), note)
		}
	}},
	{"what is shared is saved and loaded as anything else", "finds what was deleted", func(s *store) {
		s.share = func(ctx context.Context, id string) (*session.Record, any, error) {
			rec, note, err := s.loadShared(ctx, id)
			if err != nil {
				return &session.Record{ID: id}, nil, nil
			}
			return rec, note, nil
		}
	}},
	{"a shared save that is refused changes nothing", "overwrites", func(s *store) {
		s.keep = func(ctx context.Context, rec *session.Record, note any) error {
			if old := s.get(rec.ID); old != nil {
				rec.Version = old.Version
			}
			return s.saveShared(ctx, rec, note)
		}
	}},
	{"a shared save that is refused changes nothing", "counts before it compares", func(s *store) {
		s.keep = func(ctx context.Context, rec *session.Record, note any) error {
			err := s.saveShared(ctx, rec, note)
			if err != nil {
				rec.Version++
			}
			return err
		}
	}},
	{"a note stays with its data, and goes with them", "keeps the note of an earlier save", func(s *store) {
		s.share = func(ctx context.Context, id string) (*session.Record, any, error) {
			rec, _, err := s.loadShared(ctx, id)
			return rec, s.note[id].note, err
		}
	}},
	{"a note stays with its data, and goes with them", "has no room for notes", func(s *store) {
		s.keep = func(ctx context.Context, rec *session.Record, _ any) error { return s.saveShared(ctx, rec, nil) }
	}},
	{"a record that was shared never changes", "touches it in its place", func(s *store) {
		touch := s.touch
		s.touch = func(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
			before := s.get(id)
			err := touch(ctx, id, version, seen, expires)
			if after := s.get(id); after != nil {
				*before = *after
				s.put(before)
			}
			return err
		}
	}},
	{"a store around another one does not share", "shares whatever asks", func(s *store) {
		s.shares = func(session.Store) bool { return true }
	}},
	{"a store around another one does not share", "does not know itself", func(s *store) {
		s.shares = func(session.Store) bool { return false }
	}},
}
