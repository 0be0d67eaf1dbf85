package life

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
