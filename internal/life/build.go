package life

import (
	"net/netip"
	"time"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
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
	rec.CreatedAt, rec.LoginAt = envelope.Time(d.Doc.State.Created), envelope.Time(d.Doc.State.Login)
	rec.ExpiresAt = d.expiresAt(rec.SeenAt)
	rec.Persistent = d.persistent()
	next = d.at
	next.Rec, next.Ticket = rec, d.ticketOf(rec)
	next, err = d.k.Records.Seal(next, &d.Doc.State)
	return next, aged, err
}

// ticketOf is the ticket of a record that is about to be stored.
func (d *Draft) ticketOf(rec *Record) keys.Ticket {
	if rec.ID == d.nextID() {
		return d.next.ticket
	}
	return d.at.Ticket
}

// withoutData makes the record but for its data and what follows from them. One of a new id names the one that it takes
// over from.
func (d *Draft) withoutData(now time.Time) *Record {
	rec := &Record{ID: d.nextID(), User: d.User(), SeenAt: now}
	rec.RemoteIP, rec.UserAgent = d.client()
	if d.at.Rec != nil {
		if rec.SeenAt = d.at.Rec.SeenAt; d.by == itsUser {
			rec.SeenAt = laterOf(d.at.Rec.SeenAt, now)
		}
		rec.takeClient(d.at.Rec)
	}
	if d.at.Rec != nil && d.next == nil {
		rec.ID, rec.Version = d.at.Rec.ID, d.at.Rec.Version
		return rec
	}
	d.Doc.State.Issued = now.UnixMicro()
	rec.Version = d.nextVersion()
	if d.at.Rec != nil {
		rec.Successor = d.at.Rec.ID
	}
	return rec
}

// client is the client of the request, none outside of one, or where no list can show it.
func (d *Draft) client() (ip netip.Addr, userAgent string) {
	switch {
	case d.visit == nil || !d.k.Records.Traits().Kept:
		return ip, ""
	case d.at.Rec == nil:
		return d.visit.Client("")
	}
	return d.visit.Client(d.at.Rec.UserAgent)
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
	if d.at.Rec == nil || d.at.Rec.ID != rec.ID || d.at.Stale || next.Sealed() != "" ||
		d.at.Rec.Persistent != rec.Persistent || endMoved(d.at.Rec, rec) {
		d.reply = ReplyTicket
	}
	next.Stale, next.written = false, true
	d.at = next
	if d.user != nil { // or the record before, with its data, would stay as long as the session
		d.user = &rec.User
	}
	d.Doc.Stored(d.k.Data.Codec, aged)
	d.dropNextID()
	d.oldBecomes, d.signing, d.gone = KindLive, d.signing.noted(), false
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
