package session

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"

	"github.com/coatcheck/session/internal/life"
	"github.com/coatcheck/session/internal/wire"
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
	Err  error // what went wrong; may be nil

	// Reason says why the session ended or was refused. "": it was not, or nobody knows.
	Reason Reason
	// Actor is who caused the event: the name from WithActor, or else the user of the session whose request did. "":
	// nobody who is known, such as a clock, a store, or somebody with a bad ticket.
	Actor string
	// RemoteIP is the address that the request came from, by Options.ClientIP. The zero Addr: there was no request.
	RemoteIP netip.Addr
}

// Reason says why a session ended. Besides the constants, a site may have its own: 1 to 64 bytes of printable ASCII.
type Reason string

// The reasons that this module gives, and those that a site may give with RevokeFor and RevokeUserFor.
const (
	ReasonLogout   Reason = "logout"   // the visitor signed out
	ReasonRevoked  Reason = "revoked"  // the user ended it from another device, or Revoke or RevokeUser did
	ReasonOperator Reason = "operator" // somebody who operates the site ended it
	ReasonPassword Reason = "password" // the password was changed
	ReasonLimit    Reason = "limit"    // the user signed in elsewhere, above MaxPerUser, or the store was full
	ReasonIdle     Reason = "idle"     // nobody used it
	ReasonLifetime Reason = "lifetime" // its absolute time was over
	ReasonReplaced Reason = "replaced" // another user signed in, in the same browser
	ReasonReused   Reason = "reused"   // its ticket was renewed, and used after the grace
	ReasonBinding  Reason = "binding"  // the proof of the device that it is bound to was missing or wrong
	ReasonProvider Reason = "provider" // the identity provider ended it
)

// actorKey finds the name that WithActor gave in a context.
type actorKey struct{}

// WithActor returns a context that names who acts, for Event.Actor. Give it to RevokeFor and its kin where no session
// of the request says so, as in a command or a job, or where an operator acts on somebody else's session. Choose names
// that no user has, such as "operator: ada". Control characters are left out, and the name is cut at 256 bytes.
func WithActor(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, actorKey{}, wire.CleanUserAgent(name))
}

// emit reports events. It must be called without a lock held but that of an exchange, which is known by the context.
func (m *Manager) emit(ctx context.Context, events ...Event) { m.emitOf(ctx, nil, events) }

// emit reports events of this session.
func (s *Session) emit(ctx context.Context, events ...Event) { s.m.emitOf(ctx, s, events) }

func (m *Manager) emitOf(ctx context.Context, s *Session, events []Event) {
	if len(events) > 0 && life.IsQuiet(ctx) {
		kept := slices.Clone(events)
		life.AfterQuiet(ctx, func() { m.emitOf(context.WithoutCancel(ctx), s, kept) })
		return
	}
	for _, e := range events {
		level := slog.LevelDebug
		switch e.Kind {
		case EventLate, EventReused:
			level = slog.LevelWarn
		case EventRefused: // a developer asks why, and a stranger can bring it about
			level = slog.LevelInfo
		}
		logged := m.opts.Logger.Enabled(ctx, level)
		if logged || m.opts.OnEvent != nil {
			m.trace(ctx, s, &e)
		}
		if logged {
			m.opts.Logger.LogAttrs(ctx, level, "session "+string(e.Kind), eventAttrs(e)...)
		}
		if m.opts.OnEvent != nil {
			m.opts.OnEvent(ctx, e)
		}
	}
}

// trace fills in who brought an event about and from where, unless it tells. s is the session that did, if that is
// known; otherwise it is the one of the request whose context is given.
func (m *Manager) trace(ctx context.Context, s *Session, e *Event) {
	var r *http.Request
	own := s != nil
	if own {
		r = s.from()
	}
	if ex, ok := ctx.Value(exchangeKey{m}).(*exchange); ok && r == nil {
		s, r = ex.session.Load(), ex.r
	}
	if r != nil && !e.RemoteIP.IsValid() {
		e.RemoteIP = m.ClientIP(r)
	}
	name, _ := ctx.Value(actorKey{}).(string)
	switch {
	case e.Kind == EventExpired || e.Kind == EventRejected || e.Kind == EventReused: // a ticket is all that is known
		return
	case name == "" && s != nil:
		name = s.actor(*e, own)
	}
	e.Actor = cmp.Or(e.Actor, name)
}

// actor is the user who did what an event tells, of this session or another. Whoever signed out is no longer the
// session's user.
func (s *Session) actor(e Event, own bool) string {
	if own && e.Kind == EventEnded && e.Reason != ReasonReplaced {
		return e.User
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draft.Actor()
}

// Report passes an event to Options.OnEvent and the log, as the manager does with its own. It is for middleware on top
// of a session, such as one that does not let a request through. The event must contain no ticket and no value.
func (m *Manager) Report(ctx context.Context, e Event) { m.emit(ctx, e) }

func eventAttrs(e Event) []slog.Attr {
	ip, err := "", ""
	if e.RemoteIP.IsValid() {
		ip = e.RemoteIP.String()
	}
	if e.Err != nil {
		err = e.Err.Error()
	}
	return life.Attrs("id", e.ID, "user", e.User, "reason", string(e.Reason), "actor", e.Actor, "ip", ip, "err", err)
}
