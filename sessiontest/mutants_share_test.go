package sessiontest_test

import (
	"context"
	"slices"
	"sync"
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
	dropped, err := b.commit(rec)
	if err != nil {
		return err
	}
	b.keepShared(rec, note)
	b.tell(dropped)
	if rec.Kind != session.KindLive {
		b.lines.tell(rec.ID)
	}
	return nil
}

func (b *shelf) keepShared(rec *session.Record, note any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	rec.Version++
	b.recs[rec.ID] = rec
	b.note[rec.ID] = noted{rec.Version, note}
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

// sharedIDs tells which ids were saved by sharing.
func sharedIDs(s *store) func(id string) bool {
	var ids sync.Map
	s.keep = func(ctx context.Context, rec *session.Record, note any) error {
		err := s.shelf.saveShared(ctx, rec, note)
		if err == nil {
			ids.Store(rec.ID, true)
		}
		return err
	}
	return func(id string) bool { _, ok := ids.Load(id); return ok }
}

var shareMutants = []mutant{
	{"what is shared is saved and loaded as anything else", "forgets the predecessor", func(s *store) {
		s.keep = func(ctx context.Context, rec *session.Record, note any) error {
			rec.Successor = ""
			return s.shelf.saveShared(ctx, rec, note)
		}
	}},
	{"what is shared is saved and loaded as anything else", "does not index its user", func(s *store) {
		shared := sharedIDs(s)
		onListed(func(rec *session.Record, user string) bool { return live(rec, user) && !shared(rec.ID) })(s)
	}},
	{"what is shared is saved and loaded as anything else", "does not index its id", func(s *store) {
		shared := sharedIDs(s)
		paging(func(recs []*session.Record) []*session.Record {
			return slices.DeleteFunc(recs, func(rec *session.Record) bool { return shared(rec.ID) })
		})(s)
	}},
	{"what is shared is saved and loaded as anything else", "does not index its end", func(s *store) {
		shared := sharedIDs(s)
		onExpired(func(rec *session.Record, before time.Time) bool {
			return expired(rec, before) && !shared(rec.ID)
		})(s)
	}},
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
