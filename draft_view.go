package session

import (
	"net/netip"
	"time"
)

// Stored reports whether there is a live record of the session, as far as the draft knows.
func (d *draft) Stored() bool { return d.rec != nil && !d.gone }

// WasNobodys reports whether the stored session, if there is one, has no user.
func (d *draft) WasNobodys() bool { return d.rec != nil && d.rec.User == "" }

// Leaving reports whether there is a session to be ended at the next commit.
func (d *draft) Leaving() bool { return d.leaving != nil }

// SignsIn reports whether somebody signs in.
func (d *draft) SignsIn() bool { return d.login }

// Moves reports whether the session gets another id, or ends, at the next commit.
func (d *draft) Moves() bool { return d.login || d.leaving != nil || d.oldBecomes != KindLive }

// Moved reports whether the session is gone because it went on under another id.
func (d *draft) Moved() bool {
	return d.gone && d.rec != nil && d.rec.Kind == KindTombstone && d.rec.Successor != ""
}

// TooLate reports whether the headers are out, so that nobody could be told of the new id that the commit would make.
func (d *draft) TooLate() bool { return d.tooLate() && d.oldBecomes != KindLive }

// Token is what the client has, or is to be given, "" when nothing is stored.
func (d *draft) Token() string {
	if !d.Stored() || d.discard {
		return ""
	}
	return d.k.text(&d.place)
}

// text is what the client is given of a place.
func (k *keeper) text(at *place) string {
	if at.token != "" {
		return at.token
	}
	return at.ticket.Text(k.ring(), k.names[0])
}

// User is who is signed in, "" for nobody.
func (d *draft) User() string { return d.user }

// Refused is the first operation that was refused. Err also tells of a session that is too large.
func (d *draft) Refused() error { return d.err }

// Err is why a commit would fail before the store is asked.
func (d *draft) Err() error {
	if d.err == nil {
		return d.k.explain(d.Doc.State.Above())
	}
	return d.err
}

// CreatedAt is the time of the first save, zero before it.
func (d *draft) CreatedAt() time.Time { return fromMicro(d.Doc.State.Created) }

// LoginAt is the time of the last SignIn, zero before one.
func (d *draft) LoginAt() time.Time { return fromMicro(d.Doc.State.Login) }

// ExpiresAt is when the session ends if nobody uses it, zero when it does not or when there is nothing to store.
func (d *draft) ExpiresAt() time.Time {
	switch {
	case d.gone || d.rec == nil && !d.storable():
		return time.Time{}
	case d.rec == nil || d.login:
		return d.expiresAt(d.k.now())
	}
	return d.expiresAt(d.rec.SeenAt)
}

// IDs are the id under which the session is in the store, and the one that it is to get: "" for none.
func (d *draft) IDs() (now, next string) {
	if d.rec != nil {
		now = d.rec.ID
	}
	return now, d.nextID
}

// SetClient notes who the client is. clean is given a user agent that is not the stored one, which is clean.
func (d *draft) SetClient(ip netip.Addr, ua string, clean func(string) string) {
	if d.rec == nil || d.rec.UserAgent != ua {
		ua = clean(ua)
	}
	d.ip, d.ua = ip, ua
}

// maxAge is the longest that browsers keep a cookie (RFC 6265bis), and so a client its token.
const maxAge = 400 * 24 * time.Hour

// TakeReply returns what to tell the client, once: for replyTicket its token, and until when it should keep it, zero
// for until it closes.
func (d *draft) TakeReply() (r reply, token string, until time.Time) {
	r, d.reply = d.reply, replyNothing
	if r != replyTicket {
		return r, "", time.Time{}
	}
	at := &d.place
	if d.rec == nil && d.leaving != nil { // a commit failed to end it, so it is still the client's
		at = d.leaving
	}
	if at.rec == nil { // and an empty ticket would delete the cookie
		return replyNothing, "", time.Time{}
	}
	if at.rec.Persistent {
		until = at.rec.ExpiresAt
		if until.IsZero() {
			until = d.k.now().Add(maxAge)
		}
	}
	return r, d.k.text(at), until
}

// Events are what a commit has to report.
func (d *draft) Events() []Event { return d.events }

// Conflict is the event of an attempt that met one.
func (d *draft) Conflict() Event { return Event{Kind: EventConflict, ID: d.rec.ID, User: d.user} }
