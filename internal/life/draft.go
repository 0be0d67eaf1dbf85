package life

import (
	"fmt"
	"net/netip"
	"sync/atomic"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/keys"
)

// Draft is one session as one request sees and changes it: everything that a commit reads and replaces. It has no
// lock: whoever shares one guards it, and commits a copy, so that nobody waits for the store who only reads.
type Draft struct {
	k    *Keeper
	sent *atomic.Bool // the headers of the response are out; nil outside a request
	at   Place        // where it is stored, as far as it knows
	Doc  data.Doc     // what it holds; whoever changes that calls Do
	user string
	ip   netip.Addr
	ua   string

	nextTicket  keys.Ticket // of the id to come, zero when none is
	nextID      string
	nextVersion uint64 // of the record under nextID, while a move is under way; 0: it is not in the store
	follows     bool   // nextID follows from something else, so that others may create it as well
	idTaken     bool   // nextID may be in the store already, so that the next commit takes another
	oldBecomes  Kind   // what becomes of the stored id when it changes; KindLive: it does not change

	former []string // ids that former cookies name besides, for a logout

	discard    bool   // nothing is ever stored
	byOperator bool   // the user is not here: a save is no sign of life
	leaving    *Place // of the session that was logged out: the client's until the next commit has ended it
	gone       bool   // the stored session ended: only a Login begins a new one
	login      bool   // a Login is among the changes

	err    error // the first refused operation
	reply  Reply
	events []Event // to be reported when the commit is over
}

// Reply is what the response must do to the client's ticket.
type Reply uint8

// What a response does.
const (
	ReplyNothing Reply = iota
	ReplyTicket        // send the ticket
	ReplyForget        // delete it
)

// Begin begins a draft of a session that is empty yet. sent tells when the headers of the response are out; nil: there
// is no response.
func (k *Keeper) Begin(sent *atomic.Bool) Draft {
	return Draft{k: k, sent: sent, discard: k.can.Discards}
}

// ByOperator begins a draft of a stored session on which not its user works: a save is no sign of life.
func (k *Keeper) ByOperator(rec *Record) Draft {
	return Draft{k: k, at: Place{Rec: rec}, byOperator: true}
}

// Clone returns a copy that can be changed while others read the original. What does not encode keeps both from being
// stored.
func (d *Draft) Clone() Draft {
	doc, err := d.Doc.Clone(d.k.Data.Codec)
	d.Refuse(err)
	w := *d
	w.Doc, w.events, w.idTaken = doc, nil, false
	return w
}

func (d *Draft) event(kind EventKind, id string, err error) {
	d.events = append(d.events, Event{Kind: kind, ID: id, User: d.user, Err: err})
}

// storable reports whether there is something to keep: data, or a user.
func (d *Draft) storable() bool { return d.user != "" || !d.Doc.State.Empty() }

func (d *Draft) dirty() bool {
	return len(d.Doc.Ops) > 0 || d.oldBecomes != KindLive || d.leaving != nil || d.Doc.State.HasOld() || d.at.Stale
}

// ID is the public handle of the session as it will be after the commit.
func (d *Draft) ID() string {
	switch {
	case d.discard || d.gone:
		return ""
	case d.at.Rec != nil && d.oldBecomes == KindLive:
		return d.at.Rec.ID
	case d.at.Rec != nil || d.storable():
		d.makeNextID()
		return d.nextID
	}
	return ""
}

// NeedsTelling reports whether the client must be told before an operation can be stored: that it has a session now,
// or, where its token is the session, of every change.
func (d *Draft) NeedsTelling(o data.Op) bool {
	switch {
	case d.discard || d.gone:
		return false
	case d.at.Rec == nil:
		return o.TouchesData() && o.Kind != data.OpRemove && o.Kind != data.OpClear
	}
	return d.at.Sealed != ""
}

// makeNextID makes the id to come, unless there is one.
func (d *Draft) makeNextID() {
	if d.nextID == "" {
		d.nextTicket = keys.NewTicket()
		d.nextID = d.nextTicket.ID()
	}
}

// dropNextID makes the next commit that needs a new id take another one.
func (d *Draft) dropNextID() { d.nextTicket, d.nextID = keys.Ticket{}, "" }

// Follow gives the session, when it is stored for the first time, the id of a ticket that follows from something else.
// Others may make the same one.
func (d *Draft) Follow(t keys.Ticket) { d.nextTicket, d.nextID, d.follows = t, t.ID(), true }

// Do does an operation and remembers it for the commit, or that it was refused.
func (d *Draft) Do(o data.Op) { d.Refuse(d.Doc.Do(d.rules(), o, d.at.Rec != nil && !d.gone)) }

// Swap is Do of an update whose function has made the fresh value of the old one. It reports false, and does nothing,
// when the old value is there no more.
func (d *Draft) Swap(o data.Op, old []byte, had bool, fresh []byte) (done bool) {
	done, err := d.Doc.Swap(d.rules(), o, old, had, fresh)
	d.Refuse(err)
	return done
}

func (d *Draft) rules() data.Rules {
	r := d.k.Data
	r.Rough = d.err != nil
	return r
}

// replay puts the state on a newer record and does the unsaved operations again.
func (d *Draft) replay(st data.State) error {
	if err := d.Doc.Replay(d.k.Data.Codec, st); err != nil {
		return fmt.Errorf("a change could not be repeated on the newest state: %w", d.k.Explain(err))
	}
	return nil
}

// Refuse remembers the first error.
func (d *Draft) Refuse(err error) {
	if err != nil && d.err == nil {
		d.err = d.k.Explain(err)
	}
}
