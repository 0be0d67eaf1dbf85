package filestore

import (
	"context"
	"fmt"

	"github.com/coatcheck/session"
)

// SaveWithin creates the record if its user has room for it. Meanwhile it holds a lock for the user, which other
// processes see, too; users who share a folder share the lock.
func (s *Store) SaveWithin(ctx context.Context, rec *session.Record, limit session.Limit) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("filestore: save: %w", err)
	}
	if rec.Version != 0 {
		return fmt.Errorf("filestore: save: SaveWithin creates records, with version 0, and this one has version %d: "+
			"use Save", rec.Version)
	}
	unlock, err := s.lockUser(ctx, rec.User)
	if err != nil {
		return fmt.Errorf("filestore: save: %w", err)
	}
	defer unlock()
	recs, err := s.ByUser(ctx, rec.User)
	if err != nil {
		return err
	}
	if !limit.Allows(recs) {
		return fmt.Errorf("filestore: save: %w", session.ErrTooMany)
	}
	return s.Save(ctx, rec)
}

func (s *Store) lockUser(ctx context.Context, user string) (unlock func(), err error) {
	folder, _ := markOf(user)
	dir, err := s.users.Sub(folder, true)
	if err != nil {
		return nil, err
	}
	unlocked, err := dir.Lock(ctx)
	if err != nil {
		_ = dir.Close()
		return nil, err
	}
	return func() {
		unlocked()
		_ = dir.Close()
	}, nil
}
