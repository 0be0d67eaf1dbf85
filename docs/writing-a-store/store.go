// Package mapstore is the store of docs/writing-a-store.md: a map and a mutex. It keeps the whole contract and is as
// slow as it is short. Use package memstore in programs.
package mapstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/coatcheck/session"
)

var (
	_ session.Store   = (*Store)(nil)
	_ session.Toucher = (*Store)(nil)
	_ session.Sweeper = (*Store)(nil)
	_ session.Lister  = (*Store)(nil)
)

// Store keeps sessions in a map. Make one with [New].
type Store struct {
	mu      sync.Mutex
	records map[string]*session.Record // never changed, only replaced
}

// New returns an empty store.
func New() *Store { return &Store{records: make(map[string]*session.Record)} }

// Load returns a copy of the record.
func (s *Store) Load(ctx context.Context, id string) (*session.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("mapstore: load: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rec := s.records[id]
	if rec == nil {
		return nil, fmt.Errorf("mapstore: load: %w", session.ErrNotFound)
	}
	return rec.Clone(), nil
}

// Save creates the record when its Version is 0, and otherwise replaces the one that has that version.
func (s *Store) Save(ctx context.Context, rec *session.Record) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("mapstore: save: %w", err)
	}
	if rec.ID == "" {
		return errors.New("mapstore: save: the id is empty") // Page begins there
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.records[rec.ID]
	switch {
	case old == nil && rec.Version > 0:
		return fmt.Errorf("mapstore: save: %w", session.ErrNotFound)
	case old != nil && old.Version != rec.Version:
		return fmt.Errorf("mapstore: save: %w", &session.ConflictError{Newest: old.Clone()})
	}
	next := rec.Clone()
	next.Version++
	s.records[rec.ID] = next
	return nil
}

// Delete removes the record, if it is there.
func (s *Store) Delete(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("mapstore: delete: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.records, id)
	return nil
}

// Touch moves SeenAt and ExpiresAt of the record forward, while it has the version given.
func (s *Store) Touch(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("mapstore: touch: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.records[id]
	if old == nil || old.Version != version {
		return nil
	}
	rec := *old // shares the data, which nobody changes
	if seen.After(rec.SeenAt) {
		rec.SeenAt = seen
	}
	if !rec.ExpiresAt.IsZero() && (expires.IsZero() || expires.After(rec.ExpiresAt)) {
		rec.ExpiresAt = expires
	}
	s.records[id] = &rec
	return nil
}

// Sweep removes records that expired before the time given, at most limit of them, and says how many.
func (s *Store) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("mapstore: sweep: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for id, rec := range s.records {
		if n == limit {
			break
		}
		if !rec.ExpiresAt.IsZero() && rec.ExpiresAt.Before(before) {
			delete(s.records, id)
			n++
		}
	}
	return n, nil
}

// ByUser returns the live records of the user.
func (s *Store) ByUser(ctx context.Context, user string) ([]*session.Record, error) {
	if user == "" {
		return nil, ctx.Err()
	}
	return s.list(ctx, func(rec *session.Record) bool { return rec.Kind == session.KindLive && rec.User == user })
}

// Page returns records in the order of their ids.
func (s *Store) Page(ctx context.Context, after string, limit int) ([]*session.Record, error) {
	recs, err := s.list(ctx, func(rec *session.Record) bool { return rec.ID > after })
	if err != nil {
		return nil, err
	}
	slices.SortFunc(recs, func(a, b *session.Record) int { return cmp.Compare(a.ID, b.ID) })
	return recs[:min(limit, len(recs))], nil
}

// list returns the records that are wanted, without their data.
func (s *Store) list(ctx context.Context, want func(*session.Record) bool) ([]*session.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("mapstore: list: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var recs []*session.Record
	for _, rec := range s.records {
		if want(rec) {
			head := *rec
			head.Data = nil
			recs = append(recs, &head)
		}
	}
	return recs, nil
}
