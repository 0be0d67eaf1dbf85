package session

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/coatcheck/session/internal/life"
	"github.com/coatcheck/session/internal/respond"
)

// Middleware gives the handler a session, which it can load with Load. It does no I/O by itself, and commits the
// session before the first byte of the response leaves. A handler that panics commits nothing, so a recoverer must
// stand outside. Whatever answers in the handler's place, such as http.TimeoutHandler, must stand inside.
//
// Using it twice around a handler is harmless. A request within a request that brings a ticket of its own, as in a
// batch, has the session of that ticket.
func (m *Manager) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m.serve(next, w, r) })
}

func (m *Manager) serve(next http.Handler, w http.ResponseWriter, r *http.Request) {
	outer, nested := r.Context().Value(exchangeKey{m}).(*exchange)
	switch {
	case nested && !outer.isOther(r):
		next.ServeHTTP(w, r)
		return
	case m.skips(r):
		respond.Pass(next, w, r, m.withoutSession(r))
		return
	}
	ex := &exchange{m: m, r: r}
	ex.out = respond.Writer{W: w, Gate: ex}
	ex.own = *r.WithContext(ex)
	if encoding := w.Header()["Content-Encoding"]; encoding != nil {
		ex.rest.Change(func(u *unusual) { u.encoding = encoding })
	}
	defer ex.endAbort()
	respond.Pass(next, respond.ForHandler(&ex.out), r, &ex.own, ex.finish)
}

// isOther reports whether a request within this one brings a ticket of its own.
func (ex *exchange) isOther(r *http.Request) bool {
	if _, ok := ex.m.transport.(cookieTransport); ok && sameLines(r.Header["Cookie"], ex.r.Header["Cookie"]) {
		return false
	}
	text, err := ex.m.transport.Read(r)
	own, ownErr := ex.m.transport.Read(ex.r)
	former := ex.m.former(r)
	brings := text != "" || err != nil || len(former) > 0
	return brings && (text != own || (err == nil) != (ownErr == nil) || !slices.Equal(former, ex.m.former(ex.r)))
}

// sameLines reports whether two fields of a header are one, as in requests that share their headers.
func sameLines(a, b []string) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

// HandlerFunc is Middleware around a handler that is given its session. When the session cannot be loaded,
// Options.OnError answers, and fn does not run. A request that Options.Skip names gets an empty session that is never
// stored.
func (m *Manager) HandlerFunc(fn func(http.ResponseWriter, *http.Request, *Session)) http.Handler {
	return m.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := m.Load(r.Context())
		switch {
		case errors.Is(err, ErrNoMiddleware):
			s = m.newSession(r.Context(), nil)
			s.draft.Discard()
		case err != nil:
			m.Fail(w, r, err)
			return
		}
		fn(w, r, s)
	}))
}

func (m *Manager) skips(r *http.Request) bool { return m.opts.Skip != nil && m.opts.Skip(r) }

// Load returns this manager's session of the request. The first call of a request verifies the ticket and asks the
// store once; later calls are free. A request without a live session gets an empty one, which is stored only if data is
// set or somebody signs in. The error is ErrNoMiddleware, or wraps ErrUnavailable.
func (m *Manager) Load(ctx context.Context) (*Session, error) {
	if ex, ok := ctx.Value(exchangeKey{m}).(*exchange); ok {
		return ex.load(ctx)
	}
	return nil, ErrNoMiddleware
}

// Load returns the session of the innermost manager around the request, as Manager.Load does.
func Load(ctx context.Context) (*Session, error) {
	if ex, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return ex.load(ctx)
	}
	return nil, ErrNoMiddleware
}

// Preload is Middleware that loads the session before the handler runs, so that the handler gets it from [From], in one
// line. If it cannot be loaded, Options.OnError answers and the handler does not run: an outage is one clean 503,
// whatever the framework does with errors. A request without a ticket costs no call to the store. One with a ticket
// costs one call, even if the handler does not ask for the session: put Preload only around handlers that do, or see
// Options.Skip. The session of a request that Options.Skip names is an empty one that is never stored.
func (m *Manager) Preload(next http.Handler) http.Handler {
	return m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *Session) {
		own := r
		if s.ex == nil { // of a request that Options.Skip names
			own = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, s))
		}
		respond.Pass(next, w, r, own)
	})
}

// From returns the session that Preload loaded, from the innermost manager around the request. It is never nil.
//
// If there is only Middleware around the request, From loads the session, as Load does. If that fails, it returns an
// empty session whose Err is the error that Load returns, and the response is the answer of Options.OnError, whatever
// the handler writes: an outage tells nobody that they are signed out.
//
// A context that passed through neither has nothing to store a session in. The error is then logged, and the session is
// an empty one whose Err, Save, Reload and Atomic return ErrNoMiddleware.
func From(ctx context.Context) *Session {
	switch at := ctx.Value(exchangeKey{}).(type) {
	case *exchange:
		return at.sessionOrStub(ctx)
	case *Session:
		return at
	}
	return nowhere(ctx)
}

// sessionOrStub returns the session, or one that makes the response fail.
func (ex *exchange) sessionOrStub(ctx context.Context) *Session {
	s, err := ex.load(ctx)
	if err == nil {
		return s
	}
	ex.mu.Lock()
	defer ex.mu.Unlock()
	if ex.session.Load() == nil {
		ex.session.Store(ex.m.newStub(ex, ex, err))
	}
	return ex.session.Load()
}

// FailedSession returns a session in the place of one that could not be loaded, for an adapter whose callers would not
// see the error: that is its Err, and what Save, Reload and Atomic return. It is empty, and nothing of it is stored.
func (m *Manager) FailedSession(err error) *Session { return m.newStub(context.Background(), nil, err) }

// newStub makes a session that stores nothing, because of the error.
func (m *Manager) newStub(ctx context.Context, ex *exchange, err error) *Session {
	s := m.newSession(ctx, ex)
	s.rest.Change(func(r *seldom) { r.stub = err })
	s.draft.Discard()
	return s
}

// nowhere makes a session that belongs to no manager.
func nowhere(ctx context.Context) *Session {
	m, _ := New(noStore{}, Options{Secrets: []Secret{NewSecret()}, SweepEvery: Never}) // which are right
	m.opts.Logger.ErrorContext(ctx, "session: From: wrap the handler in Manager.Preload", "err", ErrNoMiddleware)
	return m.newStub(ctx, nil, ErrNoMiddleware)
}

// noStore is the store of a session that belongs to no manager.
type noStore struct{}

func (noStore) Load(context.Context, string) (*Record, error) { return nil, ErrNoMiddleware }
func (noStore) Save(context.Context, *Record) error           { return ErrNoMiddleware }
func (noStore) Delete(context.Context, string) error          { return ErrNoMiddleware }

// Screening is what a function given to Screen makes of the session that a request loads. The zero value lets the
// request have it.
type Screening struct {
	// Refuse says why the request must not have the session, nil for one that may. See [Manager.Screen].
	Refuse error

	// Event is reported, unless its Kind is "". ID and User are filled in. For a request that is refused,
	// Session.EndedBy returns its Reason.
	Event Event

	// Answer is called with the headers of the response before they are sent, and before the last commit that can still
	// change them: it may change both the headers and the session. signsIn says that a Login was done in this request,
	// stored or not, and no Logout after it. If the commit fails, the cookies that Answer has set are not sent. nil:
	// nothing is called.
	Answer func(h http.Header, signsIn bool)

	// Ended is called with the headers of the response, after that commit, if the response takes the ticket away from
	// the client because this request has ended its session. It is not called for a session that ended elsewhere, as
	// the client may have another ticket by then. nil: nothing is called.
	Ended func(h http.Header)
}

// screen is the function given to Screen.
type screen func(*http.Request, *Session) Screening

// Screen makes fn look at the session of every request that loads one, even an empty one, at its first Load. It is for
// middleware that asks for more than the ticket, as package devicebound does. fn also sees the sessions that OpenFor
// opens, but neither Answer nor Ended is called for them; it does not see those that Open opens. fn must not load the
// session by the request's context. Call Screen once for a manager, before the first request; a second call is an
// error.
//
// A request that is refused gets what it would get if its ticket had been retired: the session is empty, and nobody is
// signed in. What is set cannot be stored (ErrEnded), and the response neither sets nor deletes the cookie, so that a
// later request may have the session again. A Login begins a fresh session, which takes the place of the refused one if
// both are the same user's. Logout ends the refused one.
func (m *Manager) Screen(fn func(*http.Request, *Session) Screening) error {
	s := screen(fn)
	if fn == nil || !m.screen.CompareAndSwap(nil, &s) {
		return errors.New("session: Screen: a manager has one screen, which is a function")
	}
	return nil
}

// Refused is why the function given to Manager.Screen did not let this request have the session that it brought. It is
// nil for a session that was not refused.
func (s *Session) Refused() error { return s.rest.Get().barred }

// Moved reports that the ticket of this request is useless because its session went on under a new id, by Login or
// Regenerate: another response has the new ticket for the client. It does so while the grace of the old id lasts.
func (s *Session) Moved() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draft.Moved()
}

// screened lets the screen look at a session that was just loaded for a request. It returns what that makes of the
// session, and what is to be reported.
func (s *Session) screened(r *http.Request) (seen Screening, events []Event) {
	fn := s.m.screen.Load()
	if fn == nil {
		return seen, nil
	}
	seen = (*fn)(r, s)
	if e := seen.Event; e.Kind != "" {
		e.ID, e.User = s.ID(), s.User()
		events = append(events, e)
	}
	if seen.Refuse != nil {
		s.shut(seen.Refuse, seen.Event.Reason)
	}
	return seen, events
}

// shut leaves nothing of the session but the record that Logout ends.
func (s *Session) shut(because error, why Reason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draft.Shut(life.Reason(why))
	s.rest.Change(func(r *seldom) { r.barred = because })
	s.isNew, s.seenAt = true, 0
}

// OnAnswer has fn called as [Screening].Answer is, after the functions added before. It is for middleware that loads
// the session before it calls the handler: fn is not called if the response has already begun, or if the session has no
// response.
func (s *Session) OnAnswer(fn func(h http.Header, signsIn bool)) {
	if s.ex != nil {
		s.ex.addAnswer(fn)
	}
}

// addAnswer adds a function to those that are called before the last commit.
func (ex *exchange) addAnswer(fn func(http.Header, bool)) {
	if fn != nil {
		ex.rest.Change(func(u *unusual) { u.answer = respond.Both(u.answer, fn) })
	}
}

// signsIn reports whether a Login was done.
func (s *Session) signsIn() bool { return s.is((*life.Draft).SignedIn) }

// KeepIdle keeps what this request stores from counting as use: the idle timeout runs on as if the request had not
// come. It is for middleware that answers a browser by itself, when perhaps nobody sits in front of it.
func (s *Session) KeepIdle() { s.is(func(d *life.Draft) bool { d.KeepIdle(); return true }) }

// Proved reports whether somebody proved in this request who they are: a Login or a Confirm was done, stored or not,
// and neither a Logout nor a Reload took it back. It is for middleware around a sign-in. What other requests do
// meanwhile to the same session does not count.
func (s *Session) Proved() bool { return s.is((*life.Draft).Proved) }

// ReportProof makes the manager report an event of that kind, as [Manager.Report] does, once, when a Login or a Confirm
// of this request is stored, because before that nobody has signed in. If one is stored already, it reports at once. ""
// takes back what has not been reported yet. It is for middleware around a sign-in, which calls it before the handler
// runs, or in a function for OnAnswer.
func (s *Session) ReportProof(kind EventKind) {
	var now []life.Event
	s.is(func(d *life.Draft) bool { now = d.ReportProof(life.EventKind(kind), s.part != whole); return true })
	s.emit(s.inUse(), eventsOf(now)...)
}

// is asks the draft.
func (s *Session) is(so func(*life.Draft) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return so(&s.draft)
}
