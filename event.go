package session

import (
	"context"
	"log/slog"
)

// EventKind says what happened.
type EventKind string

// The kinds of event.
const (
	EventCreated     EventKind = "created"     // a session was stored for the first time
	EventRenewed     EventKind = "renewed"     // a session changed its id, by itself or by Login or Regenerate
	EventEnded       EventKind = "ended"       // logged out, invalidated or revoked
	EventExpired     EventKind = "expired"     // a ticket came whose session had ended by time
	EventRejected    EventKind = "rejected"    // a ticket or record was malformed, forged, unknown, doubled or changed
	EventReused      EventKind = "reused"      // a renewed ticket was used after its grace: perhaps by a thief
	EventEvicted     EventKind = "evicted"     // a session was dropped to stay within a bound
	EventConflict    EventKind = "conflict"    // two requests changed one session; the changes are merged
	EventUndecodable EventKind = "undecodable" // a stored value did not decode
	EventLate        EventKind = "late"        // a change came after the headers were sent, and was refused
	EventNewDevice   EventKind = "newdevice"   // somebody signed in on a device that guard.SignIn did not know
	EventRefused     EventKind = "refused"     // middleware such as guard.CSRF refused a request; Err says why
)

// Event says what happened, for audit logs and alarms. It contains no ticket and no value.
type Event struct {
	Kind EventKind
	ID   string // public handle, may be empty
	User string
	Err  error // why; may be nil
}

// emit reports events. It must be called without a lock held.
func (m *Manager) emit(ctx context.Context, events ...Event) {
	for _, e := range events {
		level := slog.LevelDebug
		switch e.Kind {
		case EventLate, EventReused:
			level = slog.LevelWarn
		case EventRefused: // a developer asks why, and a stranger can bring it about
			level = slog.LevelInfo
		}
		if m.opts.Logger.Enabled(ctx, level) {
			m.opts.Logger.LogAttrs(ctx, level, "session "+string(e.Kind), eventAttrs(e)...)
		}
		if m.opts.OnEvent != nil {
			m.opts.OnEvent(ctx, e)
		}
	}
}

// Report passes an event to Options.OnEvent and the log, as the manager does with its own. It is for middleware on top
// of a session, such as one that does not let a request through. The event must contain no ticket and no value.
func (m *Manager) Report(ctx context.Context, e Event) { m.emit(ctx, e) }

func eventAttrs(e Event) []slog.Attr {
	var attrs []slog.Attr
	if e.ID != "" {
		attrs = append(attrs, slog.String("id", e.ID))
	}
	if e.User != "" {
		attrs = append(attrs, slog.String("user", e.User))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("err", e.Err.Error()))
	}
	return attrs
}

// defaultLog logs to what slog.Default is by then: a program may set it after it has made its managers.
type defaultLog struct{}

func (defaultLog) Enabled(ctx context.Context, level slog.Level) bool {
	return slog.Default().Enabled(ctx, level)
}

func (defaultLog) Handle(ctx context.Context, r slog.Record) error {
	return slog.Default().Handler().Handle(ctx, r)
}

func (defaultLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return slog.Default().Handler().WithAttrs(attrs)
}

func (defaultLog) WithGroup(name string) slog.Handler {
	return slog.Default().Handler().WithGroup(name)
}
