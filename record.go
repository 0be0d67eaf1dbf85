package session

import (
	"time"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/keys"
)

// build makes the place to be at next: a record that replaces rec, or the first one of a new id, with flash data aged.
func (d *draft) build(now time.Time) (next place, aged []data.Shadow, err error) {
	rec := d.withoutData(now)
	if d.Doc.State.Created == 0 {
		d.Doc.State.Created = now.UnixMicro()
	}
	if aged, err = d.Doc.State.Finish(d.k.data); err != nil {
		return place{}, nil, d.k.explain(err)
	}
	rec.CreatedAt, rec.LoginAt = fromMicro(d.Doc.State.Created), fromMicro(d.Doc.State.Login)
	rec.ExpiresAt = d.expiresAt(rec.SeenAt)
	rec.Persistent = d.persistent()
	next = d.place
	next.rec, next.ticket = rec, d.ticketOf(rec)
	next, err = d.k.records.seal(next, &d.Doc.State)
	return next, aged, err
}

// ticketOf is the ticket of a record that is about to be stored.
func (d *draft) ticketOf(rec *Record) keys.Ticket {
	if rec.ID == d.nextID {
		return d.nextTicket
	}
	return d.ticket
}

// withoutData makes the record but for its data and what follows from them. One of a new id names the one that it takes
// over from.
func (d *draft) withoutData(now time.Time) *Record {
	rec := &Record{ID: d.nextID, User: d.user, SeenAt: now, RemoteIP: d.ip, UserAgent: d.ua}
	if d.rec != nil {
		if rec.SeenAt = d.rec.SeenAt; !d.byOperator {
			rec.SeenAt = laterOf(d.rec.SeenAt, now)
		}
		rec.takeClient(d.rec)
	}
	if d.rec != nil && d.nextID == "" {
		rec.ID, rec.Version = d.rec.ID, d.rec.Version
		return rec
	}
	d.Doc.State.Issued = now.UnixMicro()
	rec.Version = d.nextVersion
	if d.rec != nil {
		rec.Successor = d.rec.ID
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
func (d *draft) noteStored(next place, aged []data.Shadow) {
	rec := next.rec
	if d.rec == nil || d.rec.ID != rec.ID || d.stale || next.token != "" ||
		d.rec.Persistent != rec.Persistent || cookieMoved(d.rec, rec) {
		d.reply = replyTicket
	}
	rec.Version++
	next.stale = false
	d.place = next
	d.Doc.Stored(d.k.data.Codec, aged)
	d.dropNextID()
	d.nextVersion, d.oldBecomes, d.login, d.gone = 0, KindLive, false, false
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func fromMicro(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
