package session

import (
	"time"

	"github.com/coatcheck/session/internal/data"
)

// build makes the record that replaces rec, or the first one of a new id, and ages the flash data in st.
func (d *draft) build(now time.Time) (rec *Record, aged []data.Shadow, err error) {
	rec = d.withoutData(now)
	if d.doc.State.Created == 0 {
		d.doc.State.Created = now.UnixMicro()
	}
	if aged, err = d.doc.State.Finish(d.k.data); err != nil {
		return nil, nil, d.k.explain(err)
	}
	rec.CreatedAt, rec.LoginAt = fromMicro(d.doc.State.Created), fromMicro(d.doc.State.Login)
	rec.ExpiresAt = d.expiresAt(rec.SeenAt)
	rec.Persistent = d.persistent()
	if d.k.carried != nil {
		rec.Data, err = d.k.carry(rec, d.ticketOf(rec), &d.doc.State, d.admitted)
		return rec, aged, err
	}
	rec.Data = d.k.sealRecord(rec, &d.doc.State)
	return rec, aged, nil
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
	d.doc.State.Issued = now.UnixMicro()
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

// noteStored takes note that the record is in the store.
func (d *draft) noteStored(rec *Record, aged []data.Shadow) {
	if d.rec == nil || d.rec.ID != rec.ID || d.stale ||
		d.rec.Persistent != rec.Persistent || cookieMoved(d.rec, rec) {
		d.reply = replyTicket
	}
	if d.nextID != "" {
		d.ticket = d.nextTicket
	}
	rec.Version++
	if d.k.carried != nil {
		d.reply, d.token, rec.Data = replyTicket, string(rec.Data), nil
	}
	d.rec = rec
	d.doc.Stored(d.k.data.Codec, aged)
	d.dropNextID()
	d.nextVersion, d.oldBecomes, d.login, d.stale, d.gone = 0, KindLive, false, false, false
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
