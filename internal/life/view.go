package life

import (
	"time"

	"github.com/coatcheck/session/internal/envelope"
)

// Stored reports whether there is a live record of the session, as far as the draft knows.
func (d *Draft) Stored() bool { return d.at.Rec != nil && !d.gone }

// Record is the record of the session as it was last loaded or stored; nil: none.
func (d *Draft) Record() *Record { return d.at.Rec }

// Over reports whether the session of the ticket that came has ended elsewhere, or nothing is ever stored.
func (d *Draft) Over() bool { return d.gone || d.discard }

// WasNobodys reports whether the stored session, if there is one, has no user.
func (d *Draft) WasNobodys() bool { return d.at.Rec != nil && d.at.Rec.User == "" }

// Leaving reports whether there is a session to be ended at the next commit.
func (d *Draft) Leaving() bool { return d.leaving() != nil }

// SignsIn reports whether somebody signs in.
func (d *Draft) SignsIn() bool { return d.signing&signsIn != 0 }

// SignedIn reports whether there was a Login since the draft began, stored or not, of a session that is not gone.
func (d *Draft) SignedIn() bool { return d.signing&(signsIn|signedIn) != 0 && !d.gone }

// Proved reports whether there was a Login or a Confirm since the draft began, stored or not. A Logout takes it back,
// and a Reload what is not stored.
func (d *Draft) Proved() bool { return d.signing&(waiting|kept) != 0 }

// Moves reports whether the session gets another id, or ends, at the next commit.
func (d *Draft) Moves() bool {
	return d.SignsIn() || d.leaving() != nil || d.oldBecomes != KindLive
}

// Moved reports whether the session is gone because it went on under another id.
func (d *Draft) Moved() bool {
	return d.gone && d.at.Rec != nil && d.at.Rec.Kind == KindTombstone && d.at.Rec.Successor != ""
}

// TooLate reports whether the headers are out, so that nobody could be told of the new id that the commit would make.
func (d *Draft) TooLate() bool { return d.tooLate() && d.oldBecomes != KindLive }

// Token is what the client has, or is to be given, "" when nothing is stored.
func (d *Draft) Token() string {
	if !d.Stored() || d.discard {
		return ""
	}
	return d.k.text(&d.at)
}

// text is what the client is given of a place.
func (k *Keeper) text(at *Place) string {
	if at.Sealed() != "" {
		return at.Sealed()
	}
	return at.Ticket.Text(k.Ring(), k.Names[0])
}

// User is who is signed in, or "" for nobody.
func (d *Draft) User() string {
	if d.user == nil {
		return ""
	}
	return *d.user
}

// Actor is who acts in the session: its user, unless an operator does, or "".
func (d *Draft) Actor() string {
	if d.by == anOperator {
		return ""
	}
	return d.User()
}

// Refused is the first operation that was refused. Err also tells of a session that is too large.
func (d *Draft) Refused() error {
	if d.seldom == nil {
		return nil
	}
	return d.seldom.refused
}

// Err is why a commit would fail before the store is asked.
func (d *Draft) Err() error {
	if err := d.Refused(); err != nil {
		return err
	}
	return d.k.Explain(d.Doc.State.Above())
}

// CreatedAt is the time of the first save, zero before it.
func (d *Draft) CreatedAt() time.Time { return envelope.Time(d.Doc.State.Created) }

// LoginAt is the time of the last SignIn, zero before one.
func (d *Draft) LoginAt() time.Time { return envelope.Time(d.Doc.State.Login) }

// ExpiresAt is when the session ends if nobody uses it, zero when it does not or when there is nothing to store.
func (d *Draft) ExpiresAt() time.Time {
	switch {
	case d.gone || d.at.Rec == nil && !d.storable():
		return time.Time{}
	case d.at.Rec == nil || d.SignsIn():
		return d.expiresAt(d.k.Now())
	}
	return d.expiresAt(d.at.Rec.SeenAt)
}

// IDs are the id under which the session is in the store, and the one that it is to get: "" for none.
func (d *Draft) IDs() (now, next string) {
	if d.at.Rec != nil {
		now = d.at.Rec.ID
	}
	return now, d.nextID()
}

// MaxAge is the longest that browsers keep a cookie (RFC 6265bis), and so a client its token.
const MaxAge = 400 * 24 * time.Hour

// Replies reports whether there is something to tell the client.
func (d *Draft) Replies() bool { return d.reply != ReplyNothing }

// TakeReply returns what to tell the client, once: for ReplyTicket its token, and until when it should keep it, zero
// for until it closes.
func (d *Draft) TakeReply() (r Reply, token string, until time.Time) {
	r, d.reply = d.reply, ReplyNothing
	if r != ReplyTicket {
		return r, "", time.Time{}
	}
	at := &d.at
	if d.at.Rec == nil && d.leaving() != nil { // a commit failed to end it, so it is still the client's
		at = &d.leaving().Place
	}
	if at.Rec == nil { // and an empty ticket would delete the cookie
		return ReplyNothing, "", time.Time{}
	}
	if at.Rec.Persistent {
		until = at.Rec.ExpiresAt
		if until.IsZero() {
			until = d.k.Now().Add(MaxAge)
		}
	}
	return r, d.k.text(at), until
}

// AppendEvents appends what a commit has to report.
func (d *Draft) AppendEvents(list []Event) []Event {
	list = append(list, d.rest().events...)
	if d.at.first {
		list = append(list, Event{Kind: EventCreated, ID: d.at.Rec.ID, User: d.User()})
	}
	return list
}

// Conflict takes over what an attempt that met one cannot undo, and is the event of it.
func (d *Draft) Conflict(w *Draft) Event {
	d.DropTakenID(w)
	return Event{Kind: EventConflict, ID: d.at.Rec.ID, User: d.User()}
}
