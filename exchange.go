package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coatcheck/session/internal/life"
	"github.com/coatcheck/session/internal/respond"
)

// exchange is one request and its response with this manager. It is the request's context, and holds its writer and the
// request that the handler gets by value: one allocation for all. Each request pays for it.
type exchange struct {
	m   *Manager
	out respond.Writer // of which the exchange itself is the gate
	r   *http.Request  // as it came, with the context that it had
	own http.Request   // as the handler has it, with the exchange for its context

	mu      life.Quiet              // one load at a time, of which nobody hears before it is over
	sent    atomic.Bool             // the headers are out, or about to be
	session atomic.Pointer[Session] // changed under the lock, and read by those who must not wait for a load
	rest    life.Few[unusual]
}

// unusual is what few exchanges need.
type unusual struct {
	life.Kept                          // of what happened during the load, and of its error
	answer     func(http.Header, bool) // of the screen and of OnAnswer
	ended      func(http.Header)       // of the screen, called when the ticket is taken away; may be nil
	ticketSent func(http.Header)       // of the fallback whose ticket is to be sent, called when it is; may be nil
	failed     error                   // why the commit failed
	once       *respond.Answer         // to that
	whole      bool                    // which is out

	// Content-Encoding of a writer around this one, which also encodes the answer to a commit that failed
	encoding []string
}

// Deadline is that of the request's context.
func (ex *exchange) Deadline() (time.Time, bool) { return ex.r.Context().Deadline() }

// Done is that of the request's context.
func (ex *exchange) Done() <-chan struct{} { return ex.r.Context().Done() }

// Err is that of the request's context.
func (ex *exchange) Err() error { return ex.r.Context().Err() }

// exchangeKey finds the exchange of one manager in a context; without one, the innermost.
type exchangeKey struct{ m *Manager }

// Format prints nothing of the request: the ticket is in its headers.
func (ex *exchange) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "session request") }

// Value answers for the exchange itself, and otherwise as the request's context does. What the request falls back to is
// not for one within it.
func (ex *exchange) Value(key any) any {
	switch key {
	case exchangeKey{ex.m}, exchangeKey{}:
		return ex
	case fallbackKey{ex.m}:
		return nil
	}
	if _, ok := key.(life.QuietKey); ok && ex.mu.Hushed() {
		return ex
	}
	return ex.r.Context().Value(key)
}

// withoutSession hides the sessions that stand around a request which has none: that of an outer manager, which is not
// what the handler asks for, and that of another visitor, whose batch the request is a part of.
func (m *Manager) withoutSession(r *http.Request) *http.Request {
	for _, key := range []exchangeKey{{}, {m}} {
		if r.Context().Value(key) != nil {
			r = r.WithContext(context.WithValue(r.Context(), key, nil))
		}
	}
	return r
}

// Later has fn called when the load is over.
func (ex *exchange) Later(fn func()) { life.Later(&ex.rest, &ex.mu, fn) }

// load loads the session at the first call. It leaves no lock behind when the store panics: whoever recovers from that
// still has a response to send.
func (ex *exchange) load(ctx context.Context) (*Session, error) {
	defer life.Tell(&ex.rest, &ex.mu)
	ex.mu.Lock()
	defer ex.mu.Unlock()
	if s := ex.session.Load(); s != nil {
		if err := s.uncommittable(); err != nil {
			return nil, outward(err)
		}
		return s, nil
	}
	if err := life.Hush(&ex.rest, &ex.mu); err != nil {
		return nil, outward(err)
	}
	s := ex.m.newSession(ex, ex)
	if err := ex.find(ctx, s); err != nil {
		return nil, outward(life.Fail(&ex.rest, err))
	}
	seen, events := s.screened(ex.r)
	ex.addAnswer(seen.Answer)
	if seen.Ended != nil {
		ex.rest.Change(func(u *unusual) { u.ended = seen.Ended })
	}
	ex.session.Store(s)
	ex.m.emit(ctx, events...)
	return s, nil
}

func (ex *exchange) find(ctx context.Context, s *Session) error {
	former := ex.m.former(ex.r)
	token, err := ex.m.transport.Read(ex.r)
	if err != nil {
		ex.m.emit(ctx, Event{Kind: EventRejected, Err: err})
	}
	if len(former) == 0 && (err != nil || token == "" && ex.r.Context().Value(fallbackKey{ex.m}) == nil) {
		return nil // and nobody is asked
	}
	limited, call := ex.m.keeper.Outlast(ctx)
	defer call.End()
	events, err := s.find(limited, token, former)
	ex.m.emit(ctx, events...)
	if err == nil {
		events, err = ex.fallBack(limited, s)
		ex.m.emit(ctx, events...)
	}
	return err
}

// Open commits before the first byte of the response. It reports whether the handler's own response may go on.
func (ex *exchange) Open() error {
	if ex.sent.Load() {
		return ex.rest.Get().failed
	}
	s, answer, asked := ex.last()
	h := ex.out.W.Header()
	if s == nil {
		if asked {
			respond.AddVary(h, ex.m.transport.VaryOn(), new([1]string))
		}
		return nil
	}
	respond.AddVary(h, ex.m.transport.VaryOn(), &s.vary)
	var before []string
	if answer != nil {
		before = append(before, h["Set-Cookie"]...)
		answer(h, s.signsIn())
	}
	silent := false
	defer func() {
		if !silent && ex.sent.Load() { // even if OnEvent panics: whoever recovers sends a response, with the ticket
			ex.setHeaders(s)
		}
	}()
	silent, err := ex.commit(s, life.Mode{CanTell: true, Last: true})
	if err != nil {
		respond.Reset(h, ex.rest.Get().encoding)
		if answer != nil {
			h["Set-Cookie"] = before // what the screen says is of a session that is not
		}
		ex.setHeaders(s) // which a logout that holds needs as well
		once := &respond.Answer{ResponseWriter: ex.out.W}
		ex.rest.Change(func(u *unusual) { u.failed, u.once = err, once })
		ex.m.fail(once, &ex.own, err)
		ex.rest.Change(func(u *unusual) { u.whole = true })
	}
	return err
}

// Refused reports whether the handler's own response was replaced, because the commit failed.
func (ex *exchange) Refused() bool { return ex.rest.Get().failed != nil }

// endAbort keeps an answer that is out. A handler that cannot write the response that the answer replaced may panic:
// proxies with http.ErrAbortHandler, and huma with the error of the write. The server would cut the connection, and the
// client be told nothing. After a panic nobody can be told of a new id, should a goroutine of the handler go on; but
// whoever recovers outside sends the ticket of what a Save has stored.
func (ex *exchange) endAbort() {
	if s := ex.session.Load(); !ex.sent.Swap(true) && s != nil {
		ex.setHeaders(s)
	}
	if !ex.rest.Get().whole {
		return
	}
	if p := recover(); p != nil && p != http.ErrAbortHandler && !ex.isRefusal(p) {
		panic(p)
	}
}

// isRefusal reports whether a handler panicked because it was refused to write.
func (ex *exchange) isRefusal(p any) bool {
	err, ok := p.(error)
	return ok && errors.Is(err, ex.rest.Get().failed)
}

// last returns the session for the last commit that the client can be told of, if the handler asked for it. A session
// that is loaded later is too late.
func (ex *exchange) last() (s *Session, answer func(http.Header, bool), asked bool) {
	if ex.session.Load() == nil { // else it stays, and nobody has to wait
		ex.mu.Lock()
		defer ex.mu.Unlock()
		if ex.session.Load() == nil {
			ex.sent.Store(true)
		}
	}
	return ex.session.Load(), ex.rest.Get().answer, ex.mu.WasHushed()
}

// finish commits what the handler left when it returned. Later changes are stored too, when the ticket is with the
// client; after a response that failed a logout alone.
func (ex *exchange) finish() {
	if !ex.sent.Load() && respond.Written(ex.out.W) {
		ex.passedBy()
		return
	}
	if !ex.sent.Load() {
		_ = ex.Open() // which has answered
		return
	}
	s, _, _ := ex.last()
	failed, once := ex.rest.Get().failed, ex.rest.Get().once
	if failed != nil && !once.Begun { // OnError panicked, and somebody recovered whose own answer was refused
		ex.m.defaultAnswer(once, failed)
	}
	if s == nil || failed != nil && (errors.Is(failed, ErrUnavailable) || !s.isLeaving()) {
		return
	}
	if _, err := ex.commit(s, life.Mode{}); err != nil {
		ex.m.opts.Logger.ErrorContext(ex.r.Context(), "session: changes made after the headers were sent are lost",
			"err", err)
	}
}

// commit does not end with the request: the handler has done its work, and a client that went away does not undo it. It
// is silent when nothing was done and there is nothing to tell the client.
func (ex *exchange) commit(s *Session, mode life.Mode) (silent bool, err error) {
	if idle, silent := s.nothingToDo(mode); idle {
		return silent, nil
	}
	ctx, call := ex.m.keeper.Detach(ex)
	defer call.End()
	return false, s.commit(ctx, mode)
}

// setHeaders tells the client about its ticket, and caches to keep nothing of it.
func (ex *exchange) setHeaders(s *Session) {
	h := ex.out.W.Header()
	reply, ticket, until := s.takeReply()
	if reply == life.ReplyNothing {
		return
	}
	respond.NoStore(h)
	ex.m.warnOfPlainHTTP(ex.r)
	ex.m.tellClient(ex.r, h, ticket, until)
	if ticket == "" && ex.m.opts.ClearOnLogout && !ex.m.opts.Cookie.Insecure {
		respond.ClearSite(h)
	}
	tell := ex.rest.Get().ticketSent
	if ticket == "" {
		tell = ex.rest.Get().ended
	}
	if tell != nil {
		tell(h)
	}
}
