package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
	"github.com/coatcheck/session/internal/keys"
)

// arrival is what a draft has found of the tickets of a request.
type arrival struct {
	Live    bool      // a live session came
	Expired bool      // else one that has ended by time
	SeenAt  time.Time // the last request before
	Events  []Event
}

// Find finds the session of the first ticket that has one: the client's, or those in former cookies. What these name
// besides is noted, for a logout ends it too. Whatever is wrong with a ticket or its record leaves an empty session and
// gives an event; only a store that fails is an error.
func (d *draft) Find(ctx context.Context, token string, former []string) (a arrival, err error) {
	err = d.findOne(ctx, token, &a)
	for err == nil && len(former) > 0 && !a.Live && !d.gone {
		err = d.findOne(ctx, former[0], &a)
		former = former[1:]
		if a.Live {
			a.Expired = false
			d.sendAnew()
		}
	}
	if err == nil && len(former) > 0 {
		d.former = d.idsOf(former, d.ID())
	}
	return a, err
}

func (d *draft) findOne(ctx context.Context, token string, a *arrival) error {
	if token == "" || d.discard {
		return nil
	}
	at, err := d.k.records.parse(token)
	if err != nil {
		a.Events = append(a.Events, Event{Kind: EventRejected, Err: err})
		return nil
	}
	d.place = at
	if err = d.look(ctx, true, nil); err == nil {
		d.sendRenewed()
		a.Live, a.SeenAt = true, d.rec.SeenAt
		return nil
	}
	e := d.unfound(at.ticket, err, a)
	if errors.Is(err, ErrUnavailable) {
		return err
	}
	a.Events = append(a.Events, e)
	return nil
}

// unfound leaves an empty session, and says why.
func (d *draft) unfound(t keys.Ticket, err error, a *arrival) Event {
	rec := d.rec
	*d = draft{k: d.k, sent: d.sent}
	switch {
	case errors.Is(err, errTombstone):
		d.gone, d.rec = true, rec
	case errors.Is(err, ErrExpired):
		a.Expired = true
		return Event{Kind: EventExpired, ID: rec.ID, User: rec.User}
	case errors.Is(err, errReused):
		return Event{Kind: EventReused, ID: rec.ID, User: rec.User}
	}
	return Event{Kind: EventRejected, ID: t.ID(), Err: err}
}

// sendAnew has the client given its ticket under the cookie's name. A token that is the session is sealed for it.
func (d *draft) sendAnew() {
	if d.token != "" {
		d.stale = true
		return
	}
	d.reply = replyTicket
}

// sendRenewed has the client given the ticket of an id that was renewed.
func (d *draft) sendRenewed() {
	if d.renewed {
		d.renewed, d.reply = false, replyTicket
	}
}

// idsOf are the ids of tickets that are genuine, but for one.
func (d *draft) idsOf(tickets []string, but string) (ids []string) {
	for _, text := range tickets {
		if at, err := d.k.records.parse(text); err == nil && at.ticket.ID() != but {
			ids = append(ids, at.ticket.ID())
		}
	}
	return ids
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

// graceOver reports whether a retired record no longer serves the requests that were under way.
func (k *keeper) graceOver(retired *Record) bool { return k.now().Sub(retired.SeenAt) >= k.renewGrace }

var (
	errTombstone = fmt.Errorf("%w: the id was retired", ErrEnded)
	errUnswept   = fmt.Errorf("%w: the id was retired, and its grace is over", ErrNotFound)
	errReused    = fmt.Errorf("%w: the id was renewed, and its grace is over", ErrEnded)
)

// look bases the state on the newest record of its place. At the start of a request all flash data in it are of earlier
// ones.
func (d *draft) look(ctx context.Context, begins bool, known *Record) error {
	h, entries, err := d.k.records.look(ctx, &d.place, begins, known)
	switch {
	case err != nil:
		return err
	case d.rec.Kind == KindLive:
		return d.readFrom(h, entries, begins)
	case begins && d.k.graceOver(d.rec): // as if it was swept already
		return errUnswept
	}
	return errTombstone
}

// readFrom puts the state on what is in a live record.
func (d *draft) readFrom(h envelope.Header, entries envelope.Entries, begins bool) error {
	if begins {
		d.flashUpTo = h.FlashSeq
	}
	d.Doc.State, d.rec.Data = data.NewState(h, entries, d.flashUpTo), nil
	if d.expired(d.k.now()) {
		return ErrExpired
	}
	if !d.login {
		d.user = d.rec.User
	}
	return d.replay(d.Doc.State)
}

// Newest looks for the record again after a conflict, or takes the one that came with it, and does the unsaved
// operations on it again. The error is ErrEnded when the session is no more.
func (d *draft) Newest(ctx context.Context, conflict error) error {
	var with *ConflictError
	var known *Record
	if errors.As(conflict, &with) {
		known = with.Newest
	}
	was, shown := d.place, d.Doc.State.Aging(d.k.data.Codec)
	err := d.look(ctx, false, known)
	switch {
	case err == nil:
		d.sendRenewed()
		d.Doc.KeepShown(d.k.data.Codec, shown)
	case errors.Is(err, ErrUnavailable): // nothing was found out, so nothing is changed
		d.place = was
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
