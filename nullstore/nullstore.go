// Package nullstore switches sessions off without changing the handlers: it is a store that keeps nothing.
//
// Within a request everything works. The next request finds nothing of it, nobody stays signed in, and no visitor gets
// a cookie. It suits commands that render pages without visitors, load tests, and a service under maintenance.
package nullstore

import (
	"context"
	"fmt"

	"github.com/coatcheck/session"
)

var (
	_ session.Store     = (*Store)(nil)
	_ session.Discarder = (*Store)(nil)
)

var errNotFound = fmt.Errorf("nullstore: %w", session.ErrNotFound)

// Store forgets what it is given. It is safe for concurrent use.
type Store struct{}

// New returns a store that keeps nothing.
func New() *Store { return &Store{} }

// Discards reports that what is saved here cannot be loaded again, so a ticket for it would lead nowhere. The manager
// asks this, and sends no cookie.
func (*Store) Discards() bool { return true }

// Load finds nothing.
func (*Store) Load(ctx context.Context, _ string) (*session.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("nullstore: load: %w", err)
	}
	return nil, errNotFound
}

// Save accepts a new record and forgets it. There is never another record to replace.
func (*Store) Save(ctx context.Context, rec *session.Record) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("nullstore: save: %w", err)
	}
	if rec.Version > 0 {
		return errNotFound
	}
	return nil
}

// Delete has nothing to do.
func (*Store) Delete(ctx context.Context, _ string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("nullstore: delete: %w", err)
	}
	return nil
}
