package explore

import (
	"context"
	"time"

	"github.com/coatcheck/session"
)

// Store has every ability that requests make use of.
type Store interface {
	session.Store
	session.Toucher
	session.Lister
	session.Limiter
}

// Steps returns a store whose calls take their turns.
func (x *Explorer) Steps(store Store) Store { return stepStore{store, x} }

type stepStore struct {
	Store
	x *Explorer
}

func (s stepStore) Load(ctx context.Context, id string) (*session.Record, error) {
	s.x.Step(ctx, "load")
	return s.Store.Load(ctx, id)
}

func (s stepStore) Save(ctx context.Context, rec *session.Record) error {
	s.x.Step(ctx, "save")
	return s.Store.Save(ctx, rec)
}

func (s stepStore) SaveWithin(ctx context.Context, rec *session.Record, limit session.Limit) error {
	s.x.Step(ctx, "save within")
	return s.Store.SaveWithin(ctx, rec, limit)
}

func (s stepStore) Delete(ctx context.Context, id string) error {
	s.x.Step(ctx, "delete")
	return s.Store.Delete(ctx, id)
}

func (s stepStore) Touch(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
	s.x.Step(ctx, "touch")
	return s.Store.Touch(ctx, id, version, seen, expires)
}

func (s stepStore) ByUser(ctx context.Context, user string) ([]*session.Record, error) {
	s.x.Step(ctx, "list")
	return s.Store.ByUser(ctx, user)
}
