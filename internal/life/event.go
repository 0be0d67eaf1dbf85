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

// proof is what a Login or Confirm reports. Copies of a draft share it, and only the one that is committed looks into
// it, so that what is asked for during a commit is another one.
type proof struct {
	kind     EventKind
	reported bool
}

// ReportProof has an event of that kind reported when a Login or a Confirm is stored, once.
func (d *Draft) ReportProof(kind EventKind) { d.setProof(&proof{kind: kind}) }

func (d *Draft) setProof(p *proof) { d.change(func(s *seldom) { s.atProof = p }) }

func (d *Draft) reportProof() {
	if p := d.rest().atProof; p != nil && p.kind != "" && !p.reported && d.Proved() && d.Stored() {
		p.reported = true
		d.reportFirst()
		d.event(p.kind, d.at.Rec.ID, nil)
	}
}

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
	case s.former == nil && s.refused == nil && s.endedBy == "" && s.atProof == nil && s.leaving == nil:
		d.seldom = nil // for nothing of it is needed any more
	default:
		d.change(func(s *seldom) { s.events = nil })
	}
}
