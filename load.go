package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// maxAliases bounds how many renewals in a row one load follows: more than fit into the default grace at one a second.
const maxAliases = 64

// find loads the session of a ticket into s. Whatever is wrong with the ticket or its record leaves an empty session
// and gives an event; only a store that fails is an error.
func (s *Session) find(ctx context.Context, token string) ([]Event, error) {
	if token == "" || s.c.discard {
		return nil, nil
	}
	if s.m.carried != nil {
		return s.findCarried(ctx, token)
	}
	t, signer, err := s.m.parseTicket(token)
	if err != nil {
		return []Event{{Kind: EventRejected, Err: err}}, nil
	}
	s.c.ticket, s.c.stale = t, signer > 0
	rec, err := s.m.load(ctx, t.id())
	if err == nil {
		err = s.c.resolve(ctx, rec, true)
	}
	if err == nil {
		s.isNew, s.seenAt = false, s.c.rec.SeenAt
		return nil, nil
	}
	e := s.unfound(t, err)
	if errors.Is(err, ErrUnavailable) {
		return nil, err
	}
	return []Event{e}, nil
}

// unfound leaves an empty session, and says why.
func (s *Session) unfound(t ticket, err error) Event {
	rec := s.c.rec
	s.c = core{m: s.m}
	switch {
	case errors.Is(err, errTombstone):
		s.c.gone, s.c.rec = true, rec
	case errors.Is(err, ErrExpired):
		s.expired = true
		return Event{Kind: EventExpired, ID: rec.ID, User: rec.User}
	case errors.Is(err, errReused):
		return Event{Kind: EventReused, ID: rec.ID, User: rec.User}
	}
	return Event{Kind: EventRejected, ID: t.id(), Err: err}
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
	errUnswept   = fmt.Errorf("%w: the id was retired, and its grace is over", ErrNotFound)
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
	switch {
	case rec.Kind == KindLive:
		return c.adopt(rec, fresh)
	case fresh && c.m.now().Sub(rec.SeenAt) >= c.m.opts.RenewGrace: // as if it was swept already
		return errUnswept
	}
	return errTombstone
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
	was, shown := c.place(), c.st.aging(c.m.opts.Codec)
	err := c.follow(ctx, conflict)
	switch {
	case err == nil:
		c.keepShown(shown)
	case errors.Is(err, ErrUnavailable): // nothing was found out, so nothing is changed
		c.goBack(was)
	case c.tell == tellTicket:
		c.tell = was.tell
	}
	return endedIf(errors.Is(err, ErrNotFound) || errors.Is(err, ErrExpired) || errors.Is(err, ErrCorrupt), err)
}

func (c *core) follow(ctx context.Context, conflict error) error {
	var with *ConflictError
	if errors.As(conflict, &with) && with.Newest != nil {
		return c.resolve(ctx, with.Newest, false)
	}
	rec, err := c.current(ctx, false)
	if err != nil {
		return endedIf(errors.Is(err, ErrNotFound), err)
	}
	return c.resolve(ctx, rec, false)
}

// place is which record the state is based on, and what leads to it.
type place struct {
	rec      *Record
	ticket   ticket
	admitted int64
	stale    bool
	tell     tell
}

func (c *core) place() place { return place{c.rec, c.ticket, c.admitted, c.stale, c.tell} }

func (c *core) goBack(p place) {
	c.rec, c.ticket, c.admitted, c.stale, c.tell = p.rec, p.ticket, p.admitted, p.stale, p.tell
}

// keepShown keeps flash data readable in this request when another request has consumed them meanwhile.
func (c *core) keepShown(shown []shadow) {
	shown = slices.DeleteFunc(shown, func(s shadow) bool {
		_, ok, _ := c.st.at(c.m.opts.Codec, s.path)
		return ok
	})
	c.shade(shown)
}

// endedIf wraps an error as ErrEnded.
func endedIf(ended bool, err error) error {
	if ended && !errors.Is(err, ErrEnded) {
		return fmt.Errorf("%w: %w", ErrEnded, err)
	}
	return err
}
