package explore

import (
	"context"
	"errors"
	"slices"
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

var errFault = errors.New("explore: the store gave no answer")

// step lets a call happen when its turn comes, and may answer for it.
func (s stepStore) step(ctx context.Context, call, id string, do func() error) error {
	switch s.x.Step(ctx, call, id) {
	case Fails:
		return errFault
	case IsLost:
		_ = do() // whatever it said, nobody hears it
		return errFault
	}
	return do()
}

func (s stepStore) Load(ctx context.Context, id string) (rec *session.Record, err error) {
	err = s.step(ctx, "load", id, func() error {
		rec, err = s.Store.Load(ctx, id)
		return err
	})
	return rec, err
}

func (s stepStore) Save(ctx context.Context, rec *session.Record) error {
	return s.step(ctx, saveCall(rec), rec.ID, func() error { return s.Store.Save(ctx, rec) })
}

func saveCall(rec *session.Record) string {
	switch {
	case rec.Version == 0:
		return "create"
	case rec.Kind != session.KindLive:
		return "retire"
	}
	return "save"
}

// SaveWithin counts the records of a user, so that it may be about any.
func (s stepStore) SaveWithin(ctx context.Context, rec *session.Record, limit session.Limit) error {
	return s.step(ctx, "create within the limit", "", func() error { return s.Store.SaveWithin(ctx, rec, limit) })
}

func (s stepStore) Delete(ctx context.Context, id string) error {
	return s.step(ctx, "delete", id, func() error { return s.Store.Delete(ctx, id) })
}

func (s stepStore) Touch(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
	return s.step(ctx, "touch", id, func() error { return s.Store.Touch(ctx, id, version, seen, expires) })
}

// ByUser lists in an order that is the same in every run, although the ids are others: the newest first, so that who
// works his way through the list comes to the new record of a move before the old one.
func (s stepStore) ByUser(ctx context.Context, user string) (recs []*session.Record, err error) {
	err = s.step(ctx, "list", "", func() error {
		recs, err = s.Store.ByUser(ctx, user)
		return err
	})
	slices.SortFunc(recs, func(a, b *session.Record) int { return s.x.number(b.ID) - s.x.number(a.ID) })
	return recs, err
}

// boundStore is a store that drops records to keep a bound: whatever is created may be at the cost of any other.
type boundStore struct {
	stepStore
	session.Evicter
}

func (s boundStore) Save(ctx context.Context, rec *session.Record) error {
	if rec.Version > 0 {
		return s.stepStore.Save(ctx, rec)
	}
	return s.step(ctx, "create", "", func() error { return s.Store.Save(ctx, rec) })
}
