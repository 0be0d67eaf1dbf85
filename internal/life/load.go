package life

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
	"github.com/coatcheck/session/internal/keys"
)

// Arrival is what a draft has found of the tickets of a request.
type Arrival struct {
	Live    bool      // a live session came
	Expired bool      // else one that has ended by time
	SeenAt  time.Time // the last request before
	Events  []Event
}

// Find finds the session of the first ticket that has one: the client's, or those in former cookies. What these name
// besides is noted, for a logout ends it too. Whatever is wrong with a ticket or its record leaves an empty session and
// gives an event; only a store that fails is an error.
func (d *Draft) Find(ctx context.Context, token string, former []string) (a Arrival, err error) {
	err = d.findOne(ctx, token, &a)
	for err == nil && len(former) > 0 && !a.Live && !d.gone {
		why := d.EndedBy()
		err = d.findOne(ctx, former[0], &a)
		former = former[1:]
		d.setEndedBy(cmp.Or(why, d.EndedBy()))
		if a.Live {
			a.Expired = false
			d.setEndedBy("")
			d.SendAnew()
		}
	}
	if err == nil && len(former) > 0 {
		ids := d.idsOf(former, d.ID())
		d.change(func(s *seldom) { s.former = ids })
	}
	return a, err
}

func (d *Draft) findOne(ctx context.Context, token string, a *Arrival) error {
	if token == "" || d.discard {
		return nil
	}
	at, err := d.k.Records.Parse(token)
	if err != nil {
		a.Events = append(a.Events, Event{Kind: EventRejected, Err: err})
		return nil
	}
	d.at = at
	if err = d.look(ctx, true, nil); err == nil {
		d.sendRenewed()
		a.Live, a.SeenAt = true, d.at.Rec.SeenAt
		return nil
	}
	e := d.unfound(at.Ticket, err, a)
	if errors.Is(err, ErrUnavailable) {
		return err
	}
	a.Events = append(a.Events, e)
	return nil
}

// unfound leaves an empty session, and says why.
func (d *Draft) unfound(t keys.Ticket, err error, a *Arrival) Event {
	rec, why := d.at.Rec, d.EndedBy()
	*d = Draft{k: d.k, visit: d.visit}
	d.setEndedBy(why)
	switch {
	case errors.Is(err, ErrTombstone):
		d.gone, d.at.Rec = true, rec
	case errors.Is(err, ErrExpired):
		a.Expired = true
		return Event{Kind: EventExpired, ID: rec.ID, User: rec.User, Reason: why}
	case errors.Is(err, ErrReused):
		return Event{Kind: EventReused, ID: rec.ID, User: rec.User, Reason: ReasonReused}
	}
	return Event{Kind: EventRejected, ID: t.ID(), Err: err, Reason: why}
}

// SendAnew has the client given its ticket under the cookie's name. A token that is the session is sealed for it.
func (d *Draft) SendAnew() {
	if d.at.Sealed() != "" {
		d.at.Stale = true
		return
	}
	d.reply = ReplyTicket
}

// sendRenewed has the client given the ticket of an id that was renewed.
func (d *Draft) sendRenewed() {
	if d.at.renewed {
		d.reply = ReplyTicket
	}
}

// idsOf are the ids of tickets that are genuine, but for one.
func (d *Draft) idsOf(tickets []string, but string) (ids []string) {
	for _, text := range tickets {
		if at, err := d.k.Records.Parse(text); err == nil && at.Ticket.ID() != but {
			ids = append(ids, at.Ticket.ID())
		}
	}
	return ids
}

// Load asks the store. What is neither a record nor a clear "not found" is an outage.
func (k *Keeper) Load(ctx context.Context, id string) (*Record, error) {
	rec, err := k.Store.Load(ctx, id)
	if err != nil {
		return nil, outage(err)
	}
	return rec, nil
}

// GraceOver reports whether a retired record no longer serves the requests that were under way.
func (k *Keeper) GraceOver(retired *Record) bool { return k.Now().Sub(retired.SeenAt) >= k.RenewGrace }

// look bases the state on the newest record of its place. At the start of a request all flash data in it are of earlier
// ones.
func (d *Draft) look(ctx context.Context, begins bool, known *Record) error {
	h, entries, err := d.k.Records.Look(ctx, &d.at, begins, known)
	switch {
	case errors.Is(err, ErrReused):
		d.setEndedBy(cmp.Or(d.k.whyEnded(ctx, d.at.Rec), ReasonReused))
		return err
	case err != nil:
		return err
	case d.at.Rec.Kind == KindLive:
		return d.readFrom(h, entries, begins)
	}
	d.setEndedBy(d.k.whyEnded(ctx, d.at.Rec))
	if begins && d.k.GraceOver(d.at.Rec) { // as if it was swept already
		return errUnswept
	}
	return ErrTombstone
}

// readFrom puts the state on what is in a live record.
func (d *Draft) readFrom(h envelope.Header, entries envelope.Entries, begins bool) error {
	if begins && len(h.Flashes) > 0 { // else there can be no earlier ones in a newer record either
		d.at.SetFlashUpTo(h.FlashSeq)
	}
	d.Doc.State = data.NewState(h, entries, d.at.FlashUpTo())
	if d.expired(d.k.Now()) {
		d.setEndedBy(d.clock())
		return ErrExpired
	}
	if !d.SignsIn() {
		d.user = &d.at.Rec.User
	}
	return d.replay()
}

// Newest looks for the record again after a conflict, or takes the one that came with it, and does the unsaved
// operations on it again. The error is ErrEnded when the session is no more.
func (d *Draft) Newest(ctx context.Context, conflict error) error {
	var with *Conflict
	var known *Record
	if errors.As(conflict, &with) {
		known = with.Newest
	}
	was, shown := d.at, d.Doc.State.Aging(d.k.Data.Codec)
	err := d.look(ctx, false, known)
	switch {
	case err == nil:
		d.sendRenewed()
		d.Doc.KeepShown(d.k.Data.Codec, shown)
	case errors.Is(err, ErrUnavailable): // nothing was found out, so nothing is changed
		d.at = was
	}
	return endedIf(errors.Is(err, ErrNotFound) || errors.Is(err, ErrExpired) || errors.Is(err, ErrCorrupt), err)
}
