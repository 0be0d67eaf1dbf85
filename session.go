package session

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
	"github.com/coatcheck/session/internal/life"
	"github.com/coatcheck/session/internal/wire"
)

// Session is what one visitor has on the server. The first Load of a request loads it, and the middleware commits it
// before the first byte of the response leaves, or Save does. All methods are safe for concurrent use.
//
// The session shares nothing with what its methods are given or return: to change a list or map, Set it again.
//
// Methods that change the session return no error. An operation that cannot be done, such as setting a value that does
// not encode, is refused and remembered: see Err.
type Session struct {
	m  *Manager
	ex *exchange // nil outside a request

	mu      sync.Mutex // guards what follows; never held while the store or a callback is waited for
	held    bool       // one commit at a time, and no change of identity during one: see hold
	busy    bool       // a commit is under way, of which the client may have to be told
	part    part
	isNew   bool
	expired bool
	seenAt  int64 // as envelope.Micro
	rest    life.Few[seldom]
	vary    [1]string // the room for a header that the response gets
	draft   life.Draft
}

// seldom is what few sessions need. Each request that loads its session makes one, and most only read it: what it does
// not need it must not pay for.
type seldom struct {
	ctx      context.Context // of Open, outside a request: how long the session is in use
	request  *http.Request   // whose client is noted, outside of one; may be nil
	barred   error           // why the screen refused the session
	stub     error           // why nothing of it can be stored; nil for all but what From makes
	free     chan struct{}   // closed when nobody holds the session any more; nil when nobody waits
	reported map[string]bool // keys whose values were reported as undecodable
	done     *life.Waiter    // nil until Done is called
	form     data.Form       // that Old was asked for, decoded once for all of its fields
}

// newSession makes an empty session. ex is nil outside a request.
func (m *Manager) newSession(ctx context.Context, ex *exchange) *Session {
	s := &Session{m: m, ex: ex, isNew: true}
	if ex == nil {
		s.rest.Change(func(r *seldom) { r.ctx = ctx })
	}
	s.draft.Begin(m.keeper, visit{s})
	return s
}

// inUse is the context of the request, or of Open.
func (s *Session) inUse() context.Context {
	if s.ex != nil {
		return s.ex
	}
	return s.rest.Get().ctx
}

// from is the request that has the session, nil for none.
func (s *Session) from() *http.Request {
	if s.ex != nil {
		return s.ex.r
	}
	return s.rest.Get().request
}

// visit is the request as package life sees it.
type visit struct{ s *Session }

func (v visit) Sent() bool { return v.s.late() }

func (v visit) Client(known string) (ip netip.Addr, userAgent string) {
	r := v.s.from()
	if r == nil {
		return ip, ""
	}
	return v.s.m.ClientIP(r), wire.UserAgent(r, known)
}

// find looks for the session of the tickets that came.
func (s *Session) find(ctx context.Context, token string, former []string) ([]Event, error) {
	found, err := s.draft.Find(ctx, token, former)
	s.isNew, s.expired, s.seenAt = !found.Live, found.Expired, envelope.Micro(found.SeenAt)
	return eventsOf(found.Events), err
}

// ID is the public handle of the session: it is safe to show and to log, and of no use to a thief. It changes at once
// with Regenerate, Login and Invalidate, and is "" while there is nothing to store.
func (s *Session) ID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draft.ID()
}

// Token is the secret ticket of the session as it was last stored, or "" before that. It is for transports of your own;
// never log it.
func (s *Session) Token() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draft.Token()
}

// User is who is signed in, or "" for nobody.
func (s *Session) User() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draft.User()
}

// IsNew reports that no live session came with this request. It is also true when Expired is.
func (s *Session) IsNew() bool { return s.isNew }

// Expired reports that a genuine ticket came, but its session has run out of time, for "please sign in again". The
// manager knows this only while the record is still in the store.
func (s *Session) Expired() bool { return s.expired }

// EndedBy is why the session of the ticket that came has ended, for "you were signed out because …": its time ran out,
// or whoever ended it first gave this reason. It is known from the first Load if the session had ended by then,
// otherwise once a commit has found out or Done is closed. "": it has not ended, or nobody knows, as after Revoke,
// which deletes the record. A reason is kept until the session would have ended by time, and for 24 hours at most; that
// of Logout only for Options.RenewGrace.
func (s *Session) EndedBy() Reason {
	s.mu.Lock()
	defer s.mu.Unlock()
	why := s.draft.EndedBy()
	if done := s.rest.Get().done; why == "" && done != nil {
		why = done.EndedBy()
	}
	return Reason(why)
}

// CreatedAt is the time of the first save, zero before it.
func (s *Session) CreatedAt() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draft.CreatedAt()
}

// SeenAt is the time of the last request before this one, exact to Options.TouchEvery. It is zero for a new session.
func (s *Session) SeenAt() time.Time { return envelope.Time(s.seenAt) }

// LoginAt is the time of the last Login, zero before one.
func (s *Session) LoginAt() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draft.LoginAt()
}

// ExpiresAt is when the session ends if nobody uses it: the earlier of its two deadlines. It is zero if neither is set,
// or if there is nothing to store.
func (s *Session) ExpiresAt() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draft.ExpiresAt()
}

// SetIdleTimeout sets the idle timeout of this session alone; it is stored with the session. 0: the manager's. Never:
// none. Any other negative duration, or less than a second, is refused: see Err.
func (s *Session) SetIdleTimeout(d time.Duration) { s.setClock(data.OpIdle, "SetIdleTimeout", d) }

// SetLifetime sets the absolute lifetime of this session alone, counted from its first save or last Login. 0: the
// manager's. Never: none. Any other negative duration, or less than a second, is refused: see Err.
func (s *Session) SetLifetime(d time.Duration) { s.setClock(data.OpLifetime, "SetLifetime", d) }

// SetPersistent says whether the cookie of this session survives closing the browser.
func (s *Session) SetPersistent(on bool) { s.do(data.Op{Kind: data.OpPersistent, On: on}) }

// Err describes the first operation that was refused since the session was loaded or last committed: its path, and why.
// A commit with such an error fails and stores nothing; Reload forgets it.
//
// It wraps ErrTooLarge as soon as the session is larger than Options.MaxBytes. The operation that made it so is done,
// and removing or replacing something can make room again; operations that make it even larger are refused.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.rest.Get().stub; err != nil {
		return err
	}
	return s.draft.Err()
}

// do does an operation and remembers it for the commit.
func (s *Session) do(o data.Op) { s.unlessLate(o, func() { s.draft.Do(o) }) }

// unlessLate calls fn with the lock held, unless it is too late for the operation.
func (s *Session) unlessLate(o data.Op, fn func()) {
	if !s.inTime(o, fn) {
		s.reportLate()
	}
}

// inTime leaves no lock behind when a codec panics, as all that calls one: whoever recovers still has a response to
// send.
func (s *Session) inTime(o data.Op, fn func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuseLate(&s.draft, o) {
		return false
	}
	fn()
	return true
}

// refuse remembers the first error. It is called with the lock held.
func (s *Session) refuse(err error) { s.draft.Refuse(err) }

// refuseLate refuses what cannot be done any more now that the headers are out.
func (s *Session) refuseLate(d *life.Draft, o data.Op) bool {
	if !s.late() || !d.NeedsTelling(o) {
		return false
	}
	d.Refuse(life.ErrLate)
	return true
}

// late reports whether the headers of the response are out.
func (s *Session) late() bool { return s.ex != nil && s.ex.sent.Load() }

func (s *Session) reportLate() {
	s.emit(s.inUse(), Event{Kind: EventLate, ID: s.ID(), User: s.User(), Err: life.ErrLate})
}

// Format prints the session's handle and nothing of its data, whatever the verb.
func (s *Session) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "session "+s.handle()) }

// LogValue logs the session's handle and user, and nothing of its data.
func (s *Session) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", s.handle()), slog.String("user", s.User()))
}

// MarshalText encodes the session's handle, so that no encoder reaches the data by accident.
func (s *Session) MarshalText() ([]byte, error) { return []byte(s.handle()), nil }

func (s *Session) handle() string {
	if id := s.ID(); id != "" {
		return id
	}
	return "(not stored)"
}

// Done returns a channel that is closed when the session ends: at once if this manager ends it, or if another one does
// on a store that is a [Watcher]; otherwise, including when its time runs out, within Options.WatchEvery. Long-lived
// responses, such as server-sent events, select on it. It follows the session to a new id. Once the request, or the
// context given to Open, is over, the channel is no longer closed.
func (s *Session) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	done := s.rest.Get().done
	if done == nil {
		done = s.draft.Waiter()
		s.rest.Change(func(r *seldom) { r.done = done })
		s.watchStored()
	}
	return done.Ended()
}

// watchStored waits for the end of the session once it is in the store. It is called with the lock held.
func (s *Session) watchStored() {
	if done := s.rest.Get().done; done != nil {
		s.draft.Watch(s.inUse(), done)
	}
}
