package life

import (
	"context"
	"time"
)

// Store is a session.Store. What else one can do is in Abilities; package session documents the contracts.
type Store interface {
	Load(ctx context.Context, id string) (*Record, error)
	Save(ctx context.Context, rec *Record) error
	Delete(ctx context.Context, id string) error
}

// Abilities are what a store can do besides. One that it lacks is nil.
type Abilities struct {
	Toucher  Toucher
	Sweeper  Sweeper
	Lister   Lister
	Limiter  Limiter // nil also when there is no limit
	Watcher  Watcher // nil: sessions that ended elsewhere are asked for
	Sharer   Sharer
	Discards bool // the store keeps nothing
}

// Toucher is a session.Toucher.
type Toucher interface {
	Touch(ctx context.Context, id string, version uint64, seen, expires time.Time) error
}

// Sweeper is a session.Sweeper.
type Sweeper interface {
	Sweep(ctx context.Context, before time.Time, limit int) (int, error)
}

// Lister is a session.Lister.
type Lister interface {
	ByUser(ctx context.Context, user string) ([]*Record, error)
	Page(ctx context.Context, after string, limit int) ([]*Record, error)
}

// Limiter is a session.Limiter.
type Limiter interface {
	SaveWithin(ctx context.Context, rec *Record, limit Limit) error
}

// Watcher is a session.Watcher.
type Watcher interface {
	Watch(ctx context.Context, tell func(id string)) error
}

// Limit is a session.Limit.
type Limit struct {
	Max     int
	Now     time.Time
	Instead string
}

// Conflict is the answer of a store that has told which record stands in the way.
type Conflict struct {
	Newest *Record
	Err    error // of the store
}

func (c *Conflict) Error() string { return c.Err.Error() }

// Unwrap returns Err.
func (c *Conflict) Unwrap() error { return c.Err }
