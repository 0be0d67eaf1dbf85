package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/keys"
)

// maxAliases bounds how many renewals in a row one load follows: more than fit into the default grace at one a second.
const maxAliases = 64

// find loads the session of a ticket into s. Whatever is wrong with the ticket or its record leaves an empty session
// and gives an event; only a store that fails is an error.
func (s *Session) find(ctx context.Context, token string) ([]Event, error) {
	if token == "" || s.draft.discard {
		return nil, nil
	}
	if s.m.keeper.carried != nil {
		return s.findCarried(ctx, token)
	}
	t, signer, err := s.m.keeper.parseTicket(token)
	if err != nil {
		return []Event{{Kind: EventRejected, Err: err}}, nil
	}
	s.draft.ticket, s.draft.stale = t, signer > 0
	rec, err := s.m.keeper.load(ctx, t.ID())
	if err == nil {
		err = s.draft.resolve(ctx, rec, true)
	}
	if err == nil {
		s.isNew, s.seenAt = false, s.draft.rec.SeenAt
		return nil, nil
	}
	e := s.unfound(t, err)
	if errors.Is(err, ErrUnavailable) {
		return nil, err
	}
	return []Event{e}, nil
}

// unfound leaves an empty session, and says why.
func (s *Session) unfound(t keys.Ticket, err error) Event {
	rec := s.draft.rec
	s.draft = draft{k: s.m.keeper}
	switch {
	case errors.Is(err, errTombstone):
		s.draft.gone, s.draft.rec = true, rec
	case errors.Is(err, ErrExpired):
		s.expired = true
		return Event{Kind: EventExpired, ID: rec.ID, User: rec.User}
	case errors.Is(err, errReused):
		return Event{Kind: EventReused, ID: rec.ID, User: rec.User}
	}
	return Event{Kind: EventRejected, ID: t.ID(), Err: err}
}

// load asks the store. What is neither a record nor a clear "not found" is an outage.
func (k *keeper) load(ctx context.Context, id string) (*Record, error) {
	rec, err := k.store.Load(ctx, id)
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

// resolve bases the state on a record that was loaded for the draft's ticket. An alias is followed to its successor,
// for a new request only within the grace; one that was under way when the id changed has shown a good ticket already.
func (d *draft) resolve(ctx context.Context, rec *Record, fresh bool) error {
	for hops := 0; rec.Kind == KindAlias; hops++ {
		d.rec = rec
		age := d.k.now().Sub(rec.SeenAt)
		if hops == maxAliases || fresh && age >= d.k.renewGrace {
			return errReused
		}
		next, err := openAlias(d.ticket, rec)
		if err != nil {
			return err
		}
		if rec, err = d.k.load(ctx, rec.Successor); err != nil {
			return err
		}
		d.ticket, d.reply = next, replyTicket
	}
	d.rec = rec
	switch {
	case rec.Kind == KindLive:
		return d.readFrom(rec, fresh)
	case fresh && d.k.now().Sub(rec.SeenAt) >= d.k.renewGrace: // as if it was swept already
		return errUnswept
	}
	return errTombstone
}

// readFrom puts the state on a live record. At the start of a request all flash data in it are of earlier ones.
func (d *draft) readFrom(rec *Record, fresh bool) error {
	h, entries, stale, err := d.k.openRecord(rec)
	if err != nil {
		return err
	}
	if fresh {
		d.flashUpTo = h.FlashSeq
	}
	d.stale = d.stale || stale
	d.doc.State, rec.Data = data.NewState(h, entries, d.flashUpTo), nil
	if d.expired(d.k.now()) {
		return ErrExpired
	}
	if !d.login {
		d.user = rec.User
	}
	return d.replay(d.doc.State)
}

// newest loads the record again after a conflict, or takes the one that came with it, and does the unsaved operations
// on it again. The error is ErrEnded when the session is no more.
func (d *draft) newest(ctx context.Context, conflict error) error {
	was, reply, shown := d.place, d.reply, d.doc.State.Aging(d.k.data.Codec)
	err := d.follow(ctx, conflict)
	switch {
	case err == nil:
		d.doc.KeepShown(d.k.data.Codec, shown)
	case errors.Is(err, ErrUnavailable): // nothing was found out, so nothing is changed
		d.place, d.reply = was, reply
	case d.reply == replyTicket:
		d.reply = reply
	}
	return endedIf(errors.Is(err, ErrNotFound) || errors.Is(err, ErrExpired) || errors.Is(err, ErrCorrupt), err)
}

func (d *draft) follow(ctx context.Context, conflict error) error {
	var with *ConflictError
	if errors.As(conflict, &with) && with.Newest != nil {
		return d.resolve(ctx, with.Newest, false)
	}
	rec, err := d.current(ctx, false)
	if err != nil {
		return endedIf(errors.Is(err, ErrNotFound), err)
	}
	return d.resolve(ctx, rec, false)
}

// endedIf wraps an error as ErrEnded.
func endedIf(ended bool, err error) error {
	if ended && !errors.Is(err, ErrEnded) {
		return fmt.Errorf("%w: %w", ErrEnded, err)
	}
	return err
}
