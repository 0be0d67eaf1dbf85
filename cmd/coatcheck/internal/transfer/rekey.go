package transfer

import (
	"context"
	"errors"
	"sync"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/survey"
	"github.com/coatcheck/session/internal/leftout"
)

// Rekeyed is what Rekey did.
type Rekeyed struct {
	Resealed int       `json:"resealed"`
	Current  int       `json:"current"` // were under the newest secret already, in the form that the options ask for
	Ended    int       `json:"ended"`   // meanwhile, or their time is over
	Problems []Problem `json:"problems"`
}

type rekeying struct {
	m     *session.Manager
	store session.Store

	mu   sync.Mutex
	done Rekeyed
}

// Rekey signs or seals every live session with the manager's newest secret. Each record is replaced by compare-and-set,
// so that no change of a visitor is lost. step is called for each record of the store. Renewed and retired ids hold
// nothing under a secret.
func Rekey(ctx context.Context, m *session.Manager, store session.Store, step func(int)) (*Rekeyed, error) {
	r := &rekeying{m: m, store: store, done: Rekeyed{Problems: []Problem{}}}
	listing := leftout.Telling(ctx, func(id, place string) {
		r.problem(&session.Record{ID: id}, survey.Damaged(place))
	})
	err := batches(listing, store, func(batch []*session.Record) error {
		defer step(len(batch))
		return together(ctx, batch, r.one)
	})
	return &r.done, err
}

func (r *rekeying) one(ctx context.Context, listed *session.Record) error {
	if listed.Kind != session.KindLive {
		return nil
	}
	if over(listed, r.m.Now()) {
		r.count(&r.done.Ended)
		return nil
	}
	for range attempts {
		err := r.try(ctx, listed)
		if !errors.Is(err, session.ErrConflict) {
			return err
		}
	}
	r.problem(listed, busy)
	return nil
}

// try reads and replaces a record. ErrConflict says that somebody else has replaced it in between.
func (r *rekeying) try(ctx context.Context, listed *session.Record) error {
	rec, reason, err := load(ctx, r.store, listed.ID)
	switch {
	case err != nil:
		return err
	case reason != "":
		r.problem(listed, reason)
		return nil
	case rec == nil || rec.Kind != session.KindLive:
		r.count(&r.done.Ended)
		return nil
	}
	_, stale, err := r.m.Contents(rec)
	if err != nil {
		r.problem(rec, unopened)
		return nil
	}
	if !stale {
		r.count(&r.done.Current)
		return nil
	}
	return r.replace(ctx, rec)
}

func (r *rekeying) replace(ctx context.Context, rec *session.Record) error {
	fresh, err := r.m.Reseal(rec, rec.Version)
	if err != nil {
		return err
	}
	err = r.store.Save(ctx, fresh)
	switch {
	case err == nil:
		r.count(&r.done.Resealed)
	case errors.Is(err, session.ErrNotFound):
		r.count(&r.done.Ended)
	case errors.Is(err, session.ErrConflict):
		return err
	default:
		return unavailable(err)
	}
	return nil
}

func (r *rekeying) count(n *int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*n++
}

func (r *rekeying) problem(rec *session.Record, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done.Problems = append(r.done.Problems, Problem{rec.ID, rec.User, reason})
}
