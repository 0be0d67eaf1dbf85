package memstore

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync"

	"github.com/coatcheck/session"
)

// admissions are the locks of SaveWithin: one call at a time for a user, and a few users share a lock by chance.
type admissions [64]sync.Mutex

// SaveWithin creates the record if its user has room for it.
func (s *Store) SaveWithin(ctx context.Context, rec *session.Record, limit session.Limit) error {
	if rec.Version != 0 {
		return fmt.Errorf("memstore: save: SaveWithin creates records, with version 0, and this one has version %d: "+
			"use Save", rec.Version)
	}
	dropped, err := s.admit(ctx, rec, limit)
	s.watchers.tell(dropped...)
	return err
}

func (s *Store) admit(ctx context.Context, rec *session.Record, limit session.Limit) (dropped []victim, err error) {
	mu := &s.admissions[maphash.String(s.seed, rec.User)%uint64(len(s.admissions))]
	mu.Lock()
	defer mu.Unlock()
	recs, err := s.ByUser(ctx, rec.User)
	if err != nil {
		return nil, err
	}
	if !limit.Allows(recs) {
		return nil, fmt.Errorf("memstore: save: %w", session.ErrTooMany)
	}
	return s.save(ctx, copied(rec), nil)
}
