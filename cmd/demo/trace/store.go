package trace

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coatcheck/session"
)

// Backend is a store with the abilities that every store on a server has.
type Backend interface {
	session.Store
	session.Toucher
	session.Sweeper
	session.Lister
	session.Limiter
}

// Store notes each call in the [Trace] of its context, and passes it on. It is safe for concurrent use.
type Store struct{ inner Backend }

var _ Backend = (*Store)(nil)

// Watch returns the store with its calls noted.
func Watch(inner Backend) *Store { return &Store{inner} }

func (s *Store) Load(ctx context.Context, id string) (*session.Record, error) {
	From(ctx).asks(id)
	rec, err := s.inner.Load(ctx, id)
	version := uint64(0)
	if err == nil && rec.Kind == session.KindLive {
		version = rec.Version
	}
	From(ctx).Note("load", version, err)
	return rec, err
}

func (s *Store) Save(ctx context.Context, rec *session.Record) error {
	err := s.inner.Save(ctx, rec)
	saved(ctx, rec, err)
	return err
}

func (s *Store) SaveWithin(ctx context.Context, rec *session.Record, limit session.Limit) error {
	err := s.inner.SaveWithin(ctx, rec, limit)
	saved(ctx, rec, err)
	return err
}

// saved notes a save. The version of what is no live session tells nobody anything.
func saved(ctx context.Context, rec *session.Record, err error) {
	call, version := "save", rec.Version+1
	if rec.Version == 0 {
		call = "create"
	}
	if rec.Kind != session.KindLive {
		version = 0
	}
	From(ctx).Note(call, version, err)
}

func (s *Store) Delete(ctx context.Context, id string) error {
	err := s.inner.Delete(ctx, id)
	From(ctx).Note("delete", 0, err)
	return err
}

func (s *Store) Touch(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
	err := s.inner.Touch(ctx, id, version, seen, expires)
	From(ctx).Note("touch", 0, err)
	return err
}

func (s *Store) ByUser(ctx context.Context, user string) ([]*session.Record, error) {
	recs, err := s.inner.ByUser(ctx, user)
	From(ctx).Note("list", 0, err)
	return recs, err
}

func (s *Store) Page(ctx context.Context, after string, limit int) ([]*session.Record, error) {
	recs, err := s.inner.Page(ctx, after, limit)
	From(ctx).Note("list", 0, err)
	return recs, err
}

// Sweep belongs to no request.
func (s *Store) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	return s.inner.Sweep(ctx, before, limit)
}

// Forgets passes on what the store says of itself.
func (s *Store) Forgets() string { return session.Forgets(s.inner) }

// OnEvict passes on what the store drops, if it drops anything.
func (s *Store) OnEvict(fn func(id, user string)) (stop func()) {
	if e, ok := s.inner.(session.Evicter); ok {
		return e.OnEvict(fn)
	}
	return func() {}
}

// Watch passes on what the store tells of ended sessions, if it can.
func (s *Store) Watch(ctx context.Context, tell func(id string)) error {
	if w, ok := s.inner.(session.Watcher); ok {
		return w.Watch(ctx, tell)
	}
	return fmt.Errorf("trace: %w: %T cannot watch", session.ErrNotSupported, s.inner)
}

// outcome is how a call ended, in a word; "" when it succeeded.
func outcome(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, session.ErrNotFound):
		return "not found"
	case errors.Is(err, session.ErrConflict):
		return "conflict"
	}
	return "failed"
}
