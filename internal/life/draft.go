package life

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/keys"
)

// Draft is one session as one request sees and changes it: everything that a commit reads and replaces. It has no
// lock: whoever shares one guards it, and commits a copy, so that nobody waits for the store who only reads.
type Draft struct {
	k     *Keeper
	visit Visit    // nil outside a request
	at    Place    // where it is stored, as far as it knows
	Doc   data.Doc // what it holds; whoever changes that calls Do
	user  *string  // nil: nobody

	next       *nextID // the id to come; nil: none
	seldom     *seldom // nil: its zero value
	follows    bool    // next follows from something else, so that others may create it as well
	idTaken    bool    // next may be in the store already, so that the next commit takes another
	oldBecomes Kind    // what becomes of the stored id when it changes; KindLive: it does not change
	discard    bool    // nothing is ever stored
	by         actor   // who works on it
	gone       bool    // the stored session ended: only a Login begins a new one
	signing    signing
	reply      Reply
}

// actor is who works on a draft. Only of its user a save is a sign of life.
type actor uint8

const (
	itsUser    actor = iota
	aProgram         // of its user's, while nobody may sit in front of it
	anOperator       // in a list of sessions
)

// signing is by what somebody has proved since the draft began who they are. What is stored stays so when later changes
// are dropped.
type signing uint8

const (
	confirms  signing = 1 << iota // a Confirm is among the changes
	signsIn                       // a Login is among the changes
	confirmed                     // a Confirm is stored
	signedIn                      // a Login is stored
	told                          // what ReportProof asked for is reported
	asked                         // ReportProof was called since the last copy was made

	waiting = confirms | signsIn
	kept    = confirmed | signedIn
)

// noted is what it becomes when the changes are stored.
func (s signing) noted() signing { return s&^waiting | s&waiting<<2 }

// Visit is the request in which a draft lives.
type Visit interface {
	// Sent reports whether the headers of the response are out.
	Sent() bool
	// Client returns the address and the user agent of the client, for lists of sessions. known is the user agent of
	// the record, which is clean. It is called during a commit, without a lock.
	Client(known string) (ip netip.Addr, userAgent string)
}

// nextID is an id to come. It is never changed, for copies of a draft share it.
type nextID struct {
	ticket  keys.Ticket
	id      string
	version uint64 // of the record under the id, while a move is under way; 0: it is not in the store
}

// seldom is what few drafts need, so that the others do not pay for it. It is never changed, for copies of a draft
// share it.
type seldom struct {
	leaving *departure // the session that was logged out: the client's until the next commit has ended it
	former  []string   // ids that former cookies name besides, for a logout
	refused error      // the first refused operation
	endedBy Reason     // why the session of the ticket that came has ended, if it has and that is known
	events  []Event    // to be reported when the commit is over
	unkept  time.Time  // when keeping the session fresh failed last

	atProof EventKind // to be reported when a Login or Confirm is stored; "": nothing
	shut    string    // the id that is gone although its session goes on, for this request may not have it; "": none
}

func (d *Draft) rest() seldom {
	if d.seldom == nil {
		return seldom{}
	}
	return *d.seldom
}

func (d *Draft) change(fn func(*seldom)) {
	s := d.rest()
	fn(&s)
	d.seldom = &s
}

// leaving is the session that was logged out, nil for none.
func (d *Draft) leaving() *departure {
	if d.seldom == nil {
		return nil
	}
	return d.seldom.leaving
}

func (d *Draft) setLeaving(l *departure) {
	if l != d.leaving() {
		d.change(func(s *seldom) { s.leaving = l })
	}
}

// Reply is what the response must do to the client's ticket.
type Reply uint8

// What a response does.
const (
	ReplyNothing Reply = iota
	ReplyTicket        // send the ticket
	ReplyForget        // delete it
)

// Begin makes an empty draft one of a session of the keeper. visit is nil outside a request.
func (d *Draft) Begin(k *Keeper, visit Visit) {
	d.k, d.visit, d.discard = k, visit, k.can.Discards
}

// ByOperator begins a draft of a stored session on which not its user works: a save is no sign of life.
func (k *Keeper) ByOperator(rec *Record) Draft {
	return Draft{k: k, at: Place{Rec: rec}, by: anOperator}
}

// KeepIdle makes what is stored from now on no sign of life.
func (d *Draft) KeepIdle() { d.by = max(d.by, aProgram) }

// Clone returns a copy that can be changed while others read the original. What does not encode keeps both from being
// stored.
func (d *Draft) Clone() (w Draft) {
	d.copyTo(&w)
	return w
}

// Borrow is Clone in memory that a commit has used before, for a draft is larger than all else that one needs. Whoever
// has done with it returns it; that of a commit that failed is left.
func (d *Draft) Borrow() *Draft {
	w := drafts.Get().(*Draft)
	d.copyTo(w)
	return w
}

// Return ends the use of a draft that was borrowed.
func (d *Draft) Return() {
	*d = Draft{}
	drafts.Put(d)
}

var drafts = sync.Pool{New: func() any { return new(Draft) }}

func (d *Draft) copyTo(w *Draft) {
	d.Refuse(d.Doc.Share(d.k.Data.Codec))
	d.signing &^= asked
	*w = *d
	w.Doc.Part(d.k.Data.Codec)
	w.idTaken = false
	w.forgetEvents()
}

// storable reports whether there is something to keep: data, or a user.
func (d *Draft) storable() bool { return d.User() != "" || !d.Doc.State.Empty() }

// dirty reports whether there is something to store besides that the session was seen.
func (d *Draft) dirty() bool { return d.changed() || d.Doc.State.HasOld() || d.at.Stale }

// changed reports whether the request did something that must be stored.
func (d *Draft) changed() bool {
	return len(d.Doc.Ops) > 0 || d.oldBecomes != KindLive || d.leaving() != nil
}

// ID is the public handle of the session as it will be after the commit.
func (d *Draft) ID() string {
	switch {
	case d.discard || d.gone && !d.SignsIn():
		return ""
	case d.at.Rec != nil && d.oldBecomes == KindLive:
		return d.at.Rec.ID
	case d.at.Rec != nil || d.storable():
		d.makeNextID()
		return d.nextID()
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
	return d.at.Sealed() != ""
}

// makeNextID makes the id to come, unless there is one.
func (d *Draft) makeNextID() {
	if d.next == nil {
		d.setNextID(keys.NewTicket())
	}
}

func (d *Draft) setNextID(t keys.Ticket) { d.next = &nextID{ticket: t, id: t.ID()} }

// nextID is the id to come, "" for none.
func (d *Draft) nextID() string {
	if d.next == nil {
		return ""
	}
	return d.next.id
}

func (d *Draft) nextVersion() uint64 {
	if d.next == nil {
		return 0
	}
	return d.next.version
}

func (d *Draft) setNextVersion(v uint64) {
	next := *d.next
	next.version = v
	d.next = &next
}

// dropNextID makes the next commit that needs a new id take another one.
func (d *Draft) dropNextID() { d.next = nil }

// Follow gives the session, when it is stored for the first time, the id of a ticket that follows from something else.
// Others may make the same one.
func (d *Draft) Follow(t keys.Ticket) {
	d.setNextID(t)
	d.follows = true
}

// Do does an operation and remembers it for the commit, or that it was refused.
func (d *Draft) Do(o data.Op) { d.Refuse(d.Doc.Do(d.rules(), o, d.at.Rec != nil && !d.gone)) }

// Swap is Do of an update whose function has made the fresh value of the one that was seen. It reports false, and does
// nothing, when that is there no more.
func (d *Draft) Swap(o data.Op, seen data.Seen, fresh []byte) (done bool) {
	done, err := d.Doc.Swap(d.rules(), o, seen, fresh)
	d.Refuse(err)
	return done
}

func (d *Draft) rules() data.Rules {
	r := d.k.Data
	r.Rough = d.Refused() != nil
	return r
}

// replay does the unsaved operations again on a state that is newer.
func (d *Draft) replay() error {
	if err := d.Doc.Replay(d.k.Data.Codec); err != nil {
		return fmt.Errorf("a change could not be repeated on the newest state: %w", d.k.Explain(err))
	}
	return nil
}

// Refuse remembers the first error.
func (d *Draft) Refuse(err error) {
	if err != nil && d.Refused() == nil {
		d.setRefused(d.k.Explain(err))
	}
}

func (d *Draft) setEndedBy(why Reason) {
	if why != d.EndedBy() {
		d.change(func(s *seldom) { s.endedBy = why })
	}
}

func (d *Draft) setRefused(err error) {
	if err != nil || d.Refused() != nil {
		d.change(func(s *seldom) { s.refused = err })
	}
}
