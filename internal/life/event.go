package life

import "slices"

// EventKind says what happened. The kinds are those of package session, which documents them.
type EventKind string

// The kinds of events that the life of a session has.
const (
	EventCreated  EventKind = "created"
	EventRenewed  EventKind = "renewed"
	EventEnded    EventKind = "ended"
	EventExpired  EventKind = "expired"
	EventRejected EventKind = "rejected"
	EventReused   EventKind = "reused"
	EventEvicted  EventKind = "evicted"
	EventConflict EventKind = "conflict"
	EventLate     EventKind = "late"
)

// Event is a session.Event: it carries no token and no value.
type Event struct {
	Kind EventKind
	ID   string
	User string
	Err  error

	Reason Reason // why the session ended, if it did
}

// LateEvent is of a change that came too late to a session that was not stored, and so has no id.
var LateEvent = Event{Kind: EventLate, Err: ErrLate}

func (d *Draft) event(kind EventKind, id string, err error) {
	d.report(Event{Kind: kind, ID: id, User: d.User(), Err: err})
}

func (d *Draft) report(events ...Event) {
	if len(events) > 0 {
		d.change(func(s *seldom) { s.events = append(slices.Clip(s.events), events...) })
	}
}

// ReportProof has an event of that kind reported when a Login or a Confirm is stored, once; "" takes that back. If one
// is stored already, it returns the event to be reported now. In a part, such as a function of Atomic, that waits for
// the commit as well: what the function does may come to nothing.
func (d *Draft) ReportProof(kind EventKind, part bool) []Event {
	d.signing |= asked
	if kind != "" && d.proofStored() && !part {
		d.signing |= told
		return []Event{{Kind: kind, ID: d.at.Rec.ID, User: d.User()}}
	}
	d.change(func(s *seldom) { s.atProof = kind })
	return nil
}

// CatchUpProof has a copy, with which somebody waited for the store, know what ReportProof was asked for meanwhile. It
// returns what is to be reported now, if the proof was stored with the copy.
func (d *Draft) CatchUpProof(w *Draft) []Event {
	if d.signing&asked == 0 {
		return nil
	}
	if d.User() == w.User() {
		w.signing |= d.signing & told
	}
	w.change(func(s *seldom) { s.atProof = d.rest().atProof })
	w.forgetEvents() // which are reported
	w.reportProof()
	return w.AppendEvents(nil)
}

func (d *Draft) reportProof() {
	if kind := d.rest().atProof; kind != "" && d.proofStored() {
		d.signing |= told
		d.change(func(s *seldom) { s.atProof = "" })
		d.reportFirst()
		d.event(kind, d.at.Rec.ID, nil)
	}
}

// proofStored reports whether there is a stored Login or Confirm of which nothing was told.
func (d *Draft) proofStored() bool { return d.signing&kept != 0 && d.signing&told == 0 && d.Stored() }

// reportFirst reports a session that is new before what comes of it.
func (d *Draft) reportFirst() {
	events := d.AppendEvents(nil)
	d.change(func(s *seldom) { s.events = events })
	d.at.first = false
}

func (d *Draft) forgetEvents() {
	d.at.first = false
	switch s := d.rest(); {
	case len(s.events) == 0:
	case s.former == nil && s.refused == nil && s.endedBy == "" && s.atProof == "" && s.leaving == nil &&
		s.shut == "" && s.unkept.IsZero():
		d.seldom = nil // for nothing of it is needed any more
	default:
		d.change(func(s *seldom) { s.events = nil })
	}
}
