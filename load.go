package session

import (
	"context"
	"errors"
	"fmt"
)

// maxAliases bounds how many renewals in a row one load follows.
const maxAliases = 8

// found says how a ticket was answered.
type found struct {
	core
	isNew   bool
	expired bool
}

// find loads the session of a ticket. Whatever is wrong with the ticket or its record gives an empty session and an
// event; only a store that fails is an error.
func (m *Manager) find(ctx context.Context, token string) (found, error) {
	none := found{core: core{m: m}, isNew: true}
	if token == "" {
		return none, nil
	}
	t, signer, err := parseTicket(token, m.ring(), m.transport.Name())
	if err != nil {
		none.event(EventRejected, "", err)
		return none, nil
	}
	c := core{m: m, ticket: t, stale: signer > 0}
	rec, err := m.load(ctx, t.id())
	if err == nil {
		err = c.resolve(ctx, rec, true)
	}
	switch {
	case err == nil:
		return found{core: c}, nil
	case errors.Is(err, ErrUnavailable):
		return none, err
	}
	none.events = append(c.events, none.events...)
	switch {
	case errors.Is(err, errTombstone):
		none.gone, none.rec = true, c.rec
	case errors.Is(err, ErrExpired):
		none.expired = true
		none.events = append(none.events, Event{Kind: EventExpired, ID: c.rec.ID, User: c.rec.User})
	case errors.Is(err, errReused):
		none.events = append(none.events, Event{Kind: EventReused, ID: c.rec.ID, User: c.rec.User})
	default:
		none.events = append(none.events, Event{Kind: EventRejected, ID: t.id(), Err: err})
	}
	return none, nil
}

// load asks the store. What is neither a record nor a clear "not found" is an outage.
func (m *Manager) load(ctx context.Context, id string) (*Record, error) {
	rec, err := m.store.Load(ctx, id)
	switch {
	case err == nil:
		return rec, nil
	case errors.Is(err, ErrNotFound) || errors.Is(err, ErrCorrupt):
		return nil, err
	}
	return nil, unavailable(err)
}

func unavailable(err error) error {
	if errors.Is(err, ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

var (
	errTombstone = fmt.Errorf("%w: the id was retired", ErrEnded)
	errReused    = fmt.Errorf("%w: the id was renewed, and its grace is over", ErrEnded)
)

// resolve bases the state on a record that was loaded for the core's ticket. An alias is followed to its successor, for
// a new request only within the grace; one that was under way when the id changed has shown a good ticket already.
func (c *core) resolve(ctx context.Context, rec *Record, fresh bool) error {
	for hops := 0; rec.Kind == KindAlias; hops++ {
		c.rec = rec
		age := c.m.now().Sub(rec.SeenAt)
		if hops == maxAliases || fresh && age >= c.m.opts.RenewGrace {
			return errReused
		}
		next, err := openTicket(c.ticket, rec)
		if err != nil {
			return err
		}
		if rec, err = c.m.load(ctx, rec.Successor); err != nil {
			return err
		}
		c.ticket, c.tell = next, tellTicket
	}
	c.rec = rec
	if rec.Kind != KindLive {
		return errTombstone
	}
	return c.adopt(rec, fresh)
}

// adopt puts the state on a live record. At the start of a request all flash data in it are of earlier ones.
func (c *core) adopt(rec *Record, fresh bool) error {
	h, entries, stale, err := c.m.openRecord(rec)
	if err != nil {
		return err
	}
	if fresh {
		c.seen = h.FlashSeq
	}
	c.stale = c.stale || stale
	c.st, rec.Data = newState(h, entries, c.seen), nil
	if c.expired(c.m.now()) {
		return ErrExpired
	}
	if !c.login {
		c.user = rec.User
	}
	return c.replay(c.st)
}

// newest loads the record again after a conflict, or takes the one that came with it, and does the unsaved operations on
// it again. The error is ErrEnded when the session is no more.
func (c *core) newest(ctx context.Context, conflict error) error {
	var with *ConflictError
	var rec *Record
	var err error
	if errors.As(conflict, &with) && with.Newest != nil {
		rec = with.Newest
	} else if rec, err = c.m.load(ctx, c.rec.ID); err != nil {
		return endedIf(errors.Is(err, ErrNotFound), err)
	}
	tell := c.tell
	err = c.resolve(ctx, rec, false)
	if c.tell == tellTicket && err != nil {
		c.tell = tell
	}
	return endedIf(errors.Is(err, ErrNotFound) || errors.Is(err, ErrExpired) || errors.Is(err, ErrCorrupt), err)
}

// endedIf wraps an error as ErrEnded.
func endedIf(ended bool, err error) error {
	if ended && !errors.Is(err, ErrEnded) {
		return fmt.Errorf("%w: %w", ErrEnded, err)
	}
	return err
}
