package life

import (
	"context"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
	"github.com/coatcheck/session/internal/keys"
)

// Place is where a session is: the record that a draft is based on, and what leads back to it.
type Place struct {
	Rec     *Record // nil: none
	Ticket  keys.Ticket
	aside   *aside // nil: its zero value
	Stale   bool   // to be signed and sealed anew
	renewed bool   // the ticket is another one than the client has shown
	written bool   // by this draft
	first   bool   // the record is the first of its session, and that is still to be reported
}

// aside is what few places have, so that the others do not pay for it. It is never changed, for copies share it.
type aside struct {
	sealed    string
	admitted  int64
	flashUpTo uint64
}

// InToken returns the place of a record that is in a token.
func InToken(rec Record, token string, admitted int64) Place {
	both := &struct { // one allocation
		rec  Record
		rest aside
	}{rec, aside{sealed: token, admitted: admitted}}
	return Place{Rec: &both.rec, aside: &both.rest}
}

func (at *Place) rest() aside {
	if at.aside == nil {
		return aside{}
	}
	return *at.aside
}

func (at *Place) setRest(rest aside) {
	if rest != at.rest() {
		kept := rest // or each call would make one
		at.aside = &kept
	}
}

// Sealed is what holds the whole record, when its client has it; "" when the store does.
func (at *Place) Sealed() string { return at.rest().sealed }

// SetSealed sets what holds the whole record.
func (at *Place) SetSealed(token string) {
	rest := at.rest()
	rest.sealed = token
	at.setRest(rest)
}

// Admitted is the end of all sessions of the user that this one outlived, in microseconds; 0: none.
func (at *Place) Admitted() int64 { return at.rest().admitted }

// SetAdmitted sets the end that this session outlived.
func (at *Place) SetAdmitted(end int64) {
	rest := at.rest()
	rest.admitted = end
	at.setRest(rest)
}

// FlashUpTo is the number up to which Flash calls were made by earlier requests.
func (at *Place) FlashUpTo() uint64 { return at.rest().flashUpTo }

// SetFlashUpTo sets the number up to which Flash calls were made by earlier requests.
func (at *Place) SetFlashUpTo(seq uint64) {
	rest := at.rest()
	rest.flashUpTo = seq
	at.setRest(rest)
}

// id is the id under which the client knows the session.
func (at *Place) id() string {
	if at.Rec != nil {
		return at.Rec.ID
	}
	return at.Ticket.ID()
}

// Records is where the records of sessions are: in a store under their ids, or with their clients, each in a token. In
// both cases the store knows which ids were retired.
type Records interface {
	// Parse checks what a client has shown, and asks nobody. The place has a ticket, and a record if that is in the
	// token.
	Parse(token string) (Place, error)
	// Look finds the newest record of a place, and what is in it if it is live. A renewed id is followed: by a request
	// that begins within the grace only, by one that is under way at any time, for it has shown a good ticket already.
	// known is that record where it is known already, and otherwise nil. The place tells how far it came also when
	// there is an error.
	Look(ctx context.Context, at *Place, begins bool, known *Record) (envelope.Header, envelope.Entries, error)
	// Open returns what is in a live record that a store has loaded, and whether it is to be signed or sealed anew.
	Open(rec *Record) (h envelope.Header, entries envelope.Entries, stale bool, err error)
	// Seal puts the state into the record of a place that a draft is to be at next, or into its token.
	Seal(next Place, st *data.State) (Place, error)
	// Missing says what it means that the store has no record of an id: the error wraps ErrNotFound when the session is
	// gone. Otherwise it returns what Place.Admitted is to be.
	Missing(ctx context.Context, id string, of Member) (admitted int64, err error)
	// Remember says for how long the store keeps what an old record becomes.
	Remember(retired, old *Record)
	// Traits are the same at every call.
	Traits() Traits
	revoker
}

// Traits are what is true of all sessions whose records are in one place.
type Traits struct {
	Kept  bool // the store has the records: it can be asked for them, and they can be deleted
	Final bool // a session that has ended is not opened by a copy of its ticket
}

// revoker ends sessions from outside of them, by id or by user, and says how many.
type revoker interface {
	Revoke(ctx context.Context, e Ending, ids []string) (int, error)
	RevokeUser(ctx context.Context, e Ending, keep []string) (int, error)
}

// Member is what decides whether a session is among those of its user that were all ended.
type Member struct {
	User     string
	Begun    int64 // its first save or last login, in microseconds
	Admitted int64 // see Place
}
