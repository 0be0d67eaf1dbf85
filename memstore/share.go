package memstore

import (
	"context"
	"fmt"

	"github.com/coatcheck/session"
)

// Shares reports whether the store given is this one itself, and not another around it.
func (s *Store) Shares(store session.Store) bool { return store == session.Store(s) }

// LoadShared returns the record that is kept, and its note. Nobody may change it.
func (s *Store) LoadShared(ctx context.Context, id string) (*session.Record, any, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, fmt.Errorf("memstore: load: %w", err)
	}
	rec, note := s.peek(id)
	if rec == nil {
		return nil, nil, errNotFound
	}
	return rec, note, nil
}

// SaveShared is Save, but keeps the record itself, one version on, with its note.
func (s *Store) SaveShared(ctx context.Context, rec *session.Record, note any) error {
	dropped, err := s.save(ctx, rec, note)
	s.watchers.tell(dropped...)
	if err == nil && rec.Kind != session.KindLive {
		s.endings.tell(victim{id: rec.ID})
	}
	return err
}
