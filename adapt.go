package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/keys"
	"github.com/coatcheck/session/internal/life"
)

// What stores, options and applications know is here made what the floors below know, and back. A pointer to a Record
// becomes one to a life.Record at no cost.

// adapted is a Store as package life knows it.
type adapted struct{ Store }

func (s adapted) Load(ctx context.Context, id string) (*life.Record, error) {
	rec, err := s.Store.Load(ctx, id)
	return (*life.Record)(rec), err
}

func (s adapted) Save(ctx context.Context, rec *life.Record) error {
	return inTheWay(s.Store.Save(ctx, (*Record)(rec)))
}

// adaptedLister is a Lister as package life knows it.
type adaptedLister struct{ Lister }

func (l adaptedLister) ByUser(ctx context.Context, user string) ([]*life.Record, error) {
	recs, err := l.Lister.ByUser(ctx, user)
	return below(recs), err
}

func (l adaptedLister) Page(ctx context.Context, after string, limit int) ([]*life.Record, error) {
	recs, err := l.Lister.Page(ctx, after, limit)
	return below(recs), err
}

// adaptedLimiter is a Limiter as package life knows it.
type adaptedLimiter struct{ Limiter }

func (l adaptedLimiter) SaveWithin(ctx context.Context, rec *life.Record, limit life.Limit) error {
	return inTheWay(l.Limiter.SaveWithin(ctx, (*Record)(rec), Limit(limit)))
}

// adaptedSharer is a Sharer as package life knows it. A note of somebody else's proves nothing.
type adaptedSharer struct{ Sharer }

func (s adaptedSharer) LoadShared(ctx context.Context, id string) (*life.Record, *keys.Proof, error) {
	rec, note, err := s.Sharer.LoadShared(ctx, id)
	proof, _ := note.(*keys.Proof)
	return (*life.Record)(rec), proof, err
}

func (s adaptedSharer) SaveShared(ctx context.Context, rec *life.Record, proof *keys.Proof) error {
	return inTheWay(s.Sharer.SaveShared(ctx, (*Record)(rec), proof))
}

func below(recs []*Record) []*life.Record {
	list := make([]*life.Record, len(recs))
	for i, r := range recs {
		list[i] = (*life.Record)(r)
	}
	return list
}

// inTheWay is the error of a save with the record that stands in the way, if the store has told it.
func inTheWay(err error) error {
	if err == nil {
		return nil
	}
	var with *ConflictError
	if errors.As(err, &with) && with.Newest != nil {
		return &life.Conflict{Newest: (*life.Record)(with.Newest), Err: err}
	}
	return err
}

// dataError is an error of package data as callers know it.
func dataError(err error) error {
	switch err := err.(type) {
	case *data.DecodeError:
		return (*DecodeError)(err)
	case *data.SizeError:
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	return err
}

// tell reports what happened in the life of a session. It must be called without a lock held.
func (m *Manager) tell(ctx context.Context, events ...life.Event) {
	for _, e := range events {
		m.emit(ctx, eventOf(e))
	}
}

func eventsOf(of []life.Event) (events []Event) {
	for _, e := range of {
		events = append(events, eventOf(e))
	}
	return events
}

func eventOf(e life.Event) Event {
	return Event{Kind: EventKind(e.Kind), ID: e.ID, User: e.User, Err: e.Err, Reason: Reason(e.Reason)}
}
