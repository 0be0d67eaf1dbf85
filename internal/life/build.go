package life

import (
	"time"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/keys"
)

// build makes the place to be at next: a record that replaces rec, or the first one of a new id, with flash data aged.
func (d *Draft) build(now time.Time) (next Place, aged []data.Shadow, err error) {
	rec := d.withoutData(now)
	if d.Doc.State.Created == 0 {
		d.Doc.State.Created = now.UnixMicro()
	}
	if aged, err = d.Doc.State.Finish(d.k.Data); err != nil {
		return Place{}, nil, d.k.Explain(err)
	}
	rec.CreatedAt, rec.LoginAt = FromMicro(d.Doc.State.Created), FromMicro(d.Doc.State.Login)
	rec.ExpiresAt = d.expiresAt(rec.SeenAt)
	rec.Persistent = d.persistent()
	next = d.Place
	next.Rec, next.Ticket = rec, d.ticketOf(rec)
	next, err = d.k.Records.Seal(next, &d.Doc.State)
	return next, aged, err
}

// ticketOf is the ticket of a record that is about to be stored.
func (d *Draft) ticketOf(rec *Record) keys.Ticket {
	if rec.ID == d.nextID {
		return d.nextTicket
	}
	return d.Ticket
}

// withoutData makes the record but for its data and what follows from them. One of a new id names the one that it takes
// over from.
func (d *Draft) withoutData(now time.Time) *Record {
	rec := &Record{ID: d.nextID, User: d.user, SeenAt: now, RemoteIP: d.ip, UserAgent: d.ua}
	if d.Rec != nil {
		if rec.SeenAt = d.Rec.SeenAt; !d.byOperator {
			rec.SeenAt = LaterOf(d.Rec.SeenAt, now)
		}
		rec.takeClient(d.Rec)
	}
	if d.Rec != nil && d.nextID == "" {
		rec.ID, rec.Version = d.Rec.ID, d.Rec.Version
		return rec
	}
	d.Doc.State.Issued = now.UnixMicro()
	rec.Version = d.nextVersion
	if d.Rec != nil {
		rec.Successor = d.Rec.ID
	}
	return rec
}

// takeClient keeps what is known of the client when this request knows nothing of it.
func (r *Record) takeClient(from *Record) {
	if !r.RemoteIP.IsValid() && r.UserAgent == "" {
		r.RemoteIP, r.UserAgent = from.RemoteIP, from.UserAgent
	}
}

// noteStored takes note that the record of a place is stored. A token that holds the record is another one each time.
func (d *Draft) noteStored(next Place, aged []data.Shadow) {
	rec := next.Rec
	if d.Rec == nil || d.Rec.ID != rec.ID || d.Stale || next.Sealed != "" ||
		d.Rec.Persistent != rec.Persistent || endMoved(d.Rec, rec) {
		d.reply = ReplyTicket
	}
	next.Stale = false
	d.Place = next
	d.Doc.Stored(d.k.Data.Codec, aged)
	d.dropNextID()
	d.nextVersion, d.oldBecomes, d.login, d.gone = 0, KindLive, false, false
}

func LaterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func FromMicro(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
