package session

import (
	"fmt"
	"github.com/coatcheck/session/internal/keys"
	"net/netip"
	"slices"
)

// draft is everything in a session that a commit reads and replaces. It has no lock: Session guards its own, and a
// commit works on a copy, so that nobody waits for the store who only reads.
type draft struct {
	m  *Manager
	ex *exchange // of the commit, nil outside a request
	place
	st      state
	ops     []op
	shadows *shadows // values of this request only
	user    string
	ip      netip.Addr
	ua      string

	nextTicket  ticket // of the id to come, zero when none is
	nextID      string
	nextVersion uint64     // of the record under nextID, while a move is under way; 0: it is not in the store
	idTaken     bool       // nextID may be in the store already, so that the next commit takes another
	oldBecomes  RecordKind // what becomes of rec's id when it changes; KindLive: it does not change

	former []string // ids that former cookies name besides, for a logout

	discard    bool   // nothing is ever stored
	byOperator bool   // the user is not here: a save is no sign of life
	leaving    *place // of the session that was logged out: the client's until the next commit has ended it
	gone       bool   // rec's session ended: only a Login begins a new one
	login      bool   // a Login is among the changes

	err    error // the first refused operation
	reply  reply
	events []Event // to be reported when the commit is over
}

// place is which stored record a draft is based on, and what leads to it.
type place struct {
	rec       *Record // nil: none
	ticket    ticket
	token     string // what the client has, when the record travels with it
	admitted  int64  // the mass revocation that this session outlived, of a carried session
	flashUpTo uint64 // Flash calls up to this number were made by earlier requests
	stale     bool   // to be signed and sealed anew
}

// reply is what the response must do to the client's ticket.
type reply uint8

const (
	replyNothing reply = iota
	replyTicket        // send the ticket
	replyForget        // delete it
)

// clone returns a copy that can be changed while others read the original. What does not encode keeps both from being
// stored.
func (d *draft) clone() draft {
	st, err := d.st.clone(d.m.opts.Codec)
	d.refuse(err)
	w := *d
	w.st, w.shadows = st, d.shadows.clone(d.m.opts.Codec)
	w.ops, w.events, w.idTaken = slices.Clip(d.ops), nil, false
	return w
}

func (d *draft) event(kind EventKind, id string, err error) {
	d.events = append(d.events, Event{Kind: kind, ID: id, User: d.user, Err: err})
}

// storable reports whether there is something to keep: data, or a user.
func (d *draft) storable() bool { return d.user != "" || !d.st.empty() }

func (d *draft) dirty() bool {
	return len(d.ops) > 0 || d.oldBecomes != KindLive || d.leaving != nil || d.st.hasOld() || d.stale
}

// id is the public handle of the session as it will be after the commit.
func (d *draft) id() string {
	switch {
	case d.discard || d.gone:
		return ""
	case d.rec != nil && d.oldBecomes == KindLive:
		return d.rec.ID
	case d.rec != nil || d.storable():
		d.makeNextID()
		return d.nextID
	}
	return ""
}

// makeNextID makes the id to come, unless there is one.
func (d *draft) makeNextID() {
	if d.nextID == "" {
		d.nextTicket = keys.NewTicket()
		d.nextID = d.nextTicket.ID()
	}
}

// dropNextID makes the next commit that needs a new id take another one.
func (d *draft) dropNextID() { d.nextTicket, d.nextID = ticket{}, "" }

// do does an operation, also to the values of this request around it, and remembers that it was refused.
func (d *draft) do(o op) {
	if err := d.apply(o); err != nil {
		d.refuse(err)
		return
	}
	if raw, ok, err := []byte(nil), false, error(nil); o.kind == opUpdate && d.shadows != nil {
		if raw, ok, err = d.st.at(d.m.opts.Codec, o.path); ok && err == nil {
			o = op{kind: opSet, path: o.path, raw: raw}
		}
	}
	d.unshadow(o)
}

// apply does an operation and remembers it.
func (d *draft) apply(o op) error {
	changed, err := d.applyWithin(o)
	if err != nil {
		return err
	}
	// A clear of what is empty counts too: on a conflict it wins over what was committed before it.
	if changed || o.kind == opClear && d.rec != nil && !d.gone {
		d.ops = append(d.ops, o)
	}
	return nil
}

// applyWithin does an operation that must not make the session too large. After an error no commit succeeds, so that
// what is known of the size will do.
func (d *draft) applyWithin(o op) (bool, error) {
	st, was := &d.st, d.st.above
	st.sure = st.sure || d.err != nil
	st.limit = st.allowed(d.m.opts.MaxBytes)
	defer func() { st.limit = 0 }()
	changed, err := o.apply(st, d.m.opts.Codec)
	if was == nil && st.above != nil && err == nil {
		err = st.count(d.m.opts.Codec)
	}
	if st.used <= st.limit {
		st.above = nil
	}
	return changed, err
}

// replay puts the state on a newer record and does the unsaved operations again.
func (d *draft) replay(st state) error {
	d.st = st
	for _, o := range d.ops {
		if _, err := o.apply(&d.st, d.m.opts.Codec); err != nil {
			return fmt.Errorf("a change cannot be repeated on the newest state: %w", err)
		}
	}
	return nil
}

// refuse remembers the first error.
func (d *draft) refuse(err error) {
	if err != nil && d.err == nil {
		d.err = err
	}
}

// reset begins a new session: what was set before does not belong to it.
func (d *draft) reset() {
	*d = draft{
		m: d.m, ip: d.ip, ua: d.ua, discard: d.discard, gone: d.gone, leaving: d.leaving, former: d.former,
		reply:  d.reply,
		events: d.events,
	}
}
