package session

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// exchange is one request and its response with this manager. It is the request's context and, as a response, its
// writer, in one allocation.
type exchange struct {
	context.Context
	m *Manager
	w http.ResponseWriter
	r *http.Request

	mu      sync.Mutex // one load at a time
	session *Session
	asked   bool        // for the session, which may have failed
	sent    atomic.Bool // the headers are out, or about to be
	failed  error       // why the commit failed; the answer to it is out
}

// exchangeKey finds the exchange of one manager in a context; without one, the innermost.
type exchangeKey struct{ m *Manager }

// Value answers for the exchange itself, and otherwise as the request's context does.
func (ex *exchange) Value(key any) any {
	if k, ok := key.(exchangeKey); ok && (k.m == ex.m || k.m == nil) {
		return ex
	}
	return ex.Context.Value(key)
}

// withoutInnermost hides the session of an outer manager from the package's Load: it is not what the handler asks for.
func withoutInnermost(r *http.Request) *http.Request {
	if r.Context().Value(exchangeKey{}) == nil {
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), exchangeKey{}, nil))
}

// load loads the session at the first call.
func (ex *exchange) load(ctx context.Context) (*Session, error) {
	ex.mu.Lock()
	if ex.session != nil {
		defer ex.mu.Unlock()
		return ex.session, nil
	}
	ex.asked = true
	s := ex.m.newSession(ex, ex)
	events, err := ex.find(ctx, s)
	if err == nil {
		ex.session = s
	}
	ex.mu.Unlock()
	ex.m.emit(ctx, events...)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (ex *exchange) find(ctx context.Context, s *Session) ([]Event, error) {
	token, err := ex.m.transport.Read(ex.r)
	if err != nil {
		return []Event{{Kind: EventRejected, Err: err}}, nil
	}
	if _, bounded := ctx.Deadline(); bounded || ex.m.local {
		return s.find(ctx, token)
	}
	// Nothing else ends the context of a request to a server that hangs, as long as the client waits.
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return s.find(ctx, token)
}

// loaded returns the session if the handler asked for it.
func (ex *exchange) loaded() *Session {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	return ex.session
}

// begin commits before the first byte of the response. It reports whether the handler's own response may go on.
func (ex *exchange) begin() error {
	if ex.sent.Load() {
		return ex.failed
	}
	s, asked := ex.last()
	if asked {
		addVary(ex.w.Header(), ex.m.transport.VaryOn())
	}
	if s == nil {
		return nil
	}
	err := ex.commit(s, commitMode{told: true, last: true})
	ex.setHeaders(s)
	if err != nil {
		ex.failed = err
		ex.m.fail(ex.w, ex.r, err)
	}
	return err
}

// last returns the session for the last commit of which the client is told. A session that is loaded later is too late.
func (ex *exchange) last() (s *Session, asked bool) {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	if ex.session == nil {
		ex.sent.Store(true)
	}
	return ex.session, ex.asked
}

// finish commits what the handler left when it returned. Later changes are stored too, when the ticket is with the client; after
// a response that failed a logout alone.
func (ex *exchange) finish() {
	if !ex.sent.Load() {
		_ = ex.begin() // which has answered
		return
	}
	s := ex.loaded()
	if s == nil || ex.failed != nil && (errors.Is(ex.failed, ErrUnavailable) || !s.leaving()) {
		return
	}
	if err := ex.commit(s, commitMode{}); err != nil {
		ex.m.opts.Logger.ErrorContext(ex.Context, "session: changes made after the headers were sent are lost", "err", err)
	}
}

// commit does not end with the request: the handler has done its work, and a client that went away does not undo it.
func (ex *exchange) commit(s *Session, mode commitMode) error {
	if s.nothingToDo(mode) {
		return nil
	}
	if ex.m.local {
		return s.commit((*detached)(ex), mode)
	}
	ctx, cancel := context.WithTimeout((*detached)(ex), storeTimeout)
	defer cancel()
	return s.commit(ctx, mode)
}

// detached is the exchange as a context that has its values and never ends, as of context.WithoutCancel.
type detached exchange

func (*detached) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }
func (*detached) Done() <-chan struct{}                   { return nil }
func (*detached) Err() error                              { return nil }
func (d *detached) Value(key any) any                     { return (*exchange)(d).Value(key) }

// setHeaders tells the client about its ticket, and caches to keep nothing of it.
func (ex *exchange) setHeaders(s *Session) {
	h := ex.w.Header()
	tell, ticket, until := s.takeTell()
	if tell == tellNothing {
		return
	}
	dropHeaders(h, isForCaches)
	h.Set("Cache-Control", "no-store")
	ex.m.warnOfPlainHTTP(ex.r)
	ex.m.tellClient(ex.r, h, ticket, until)
}

func addVary(h http.Header, field string) {
	for _, line := range h["Vary"] {
		for have := range strings.SplitSeq(line, ",") {
			if have = strings.TrimSpace(have); have == "*" || strings.EqualFold(have, field) {
				return
			}
		}
	}
	h.Add("Vary", field)
}

// response is the exchange as the handler writes to it. Each way to send the first byte commits first. It has the methods that
// every writer has; the types below add those that the writer underneath has too.
type response exchange

func (w *response) ex() *exchange { return (*exchange)(w) }

// Unwrap gives http.ResponseController the writer below, for deadlines and full duplex.
func (w *response) Unwrap() http.ResponseWriter { return w.w }

func (w *response) Header() http.Header {
	if w.failed != nil { // the answer is out; what the handler sets now is of no use
		return http.Header{}
	}
	return w.w.Header()
}

// WriteHeader passes informational responses on; 101 ends the HTTP part and therefore counts.
func (w *response) WriteHeader(status int) {
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		w.w.WriteHeader(status)
		return
	}
	if w.ex().begin() == nil {
		w.w.WriteHeader(status)
	}
}

func (w *response) Write(p []byte) (int, error) {
	if err := w.ex().begin(); err != nil {
		return 0, err
	}
	return w.w.Write(p)
}

func (w *response) WriteString(s string) (int, error) {
	if err := w.ex().begin(); err != nil {
		return 0, err
	}
	return io.WriteString(w.w, s)
}

// flusher, hijacker, fromer and pusher are what a writer may do besides.
type (
	flusher  struct{ *response }
	hijacker struct{ *response }
	fromer   struct{ *response }
	pusher   struct{ *response }
)

func (w flusher) Flush() { _ = w.FlushError() }

func (w flusher) FlushError() error {
	if err := w.ex().begin(); err != nil {
		return err
	}
	return http.NewResponseController(w.w).Flush()
}

func (w hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if err := w.ex().begin(); err != nil {
		return nil, nil, err
	}
	return http.NewResponseController(w.w).Hijack()
}

// ReadFrom lets the server send files without copying them.
func (w fromer) ReadFrom(src io.Reader) (int64, error) {
	if err := w.ex().begin(); err != nil {
		return 0, err
	}
	return io.Copy(w.w, src)
}

func (w pusher) Push(target string, opts *http.PushOptions) error {
	return w.w.(http.Pusher).Push(target, opts)
}

// The combinations. Each is one pointer, so that none is allocated.
type (
	flushHijack     struct{ flusher }
	flushFrom       struct{ flusher }
	flushPush       struct{ flusher }
	hijackFrom      struct{ hijacker }
	hijackPush      struct{ hijacker }
	fromPush        struct{ fromer }
	flushHijackFrom struct{ flushHijack }
	flushHijackPush struct{ flushHijack }
	flushFromPush   struct{ flushFrom }
	hijackFromPush  struct{ hijackFrom }
	everything      struct{ flushHijackFrom }
)

func (w flushHijack) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return hijacker{w.response}.Hijack()
}

func (w flushFrom) ReadFrom(src io.Reader) (int64, error)  { return fromer{w.response}.ReadFrom(src) }
func (w hijackFrom) ReadFrom(src io.Reader) (int64, error) { return fromer{w.response}.ReadFrom(src) }
func (w flushHijackFrom) ReadFrom(src io.Reader) (int64, error) {
	return fromer{w.response}.ReadFrom(src)
}

func (w flushPush) Push(target string, o *http.PushOptions) error {
	return pusher{w.response}.Push(target, o)
}
func (w hijackPush) Push(target string, o *http.PushOptions) error {
	return pusher{w.response}.Push(target, o)
}
func (w fromPush) Push(target string, o *http.PushOptions) error {
	return pusher{w.response}.Push(target, o)
}
func (w flushHijackPush) Push(target string, o *http.PushOptions) error {
	return pusher{w.response}.Push(target, o)
}
func (w flushFromPush) Push(target string, o *http.PushOptions) error {
	return pusher{w.response}.Push(target, o)
}
func (w hijackFromPush) Push(target string, o *http.PushOptions) error {
	return pusher{w.response}.Push(target, o)
}
func (w everything) Push(target string, o *http.PushOptions) error {
	return pusher{w.response}.Push(target, o)
}

const (
	canFlush = 1 << iota
	canHijack
	canReadFrom
	canPush
)

// writer is the response with what the writer underneath can do, and nothing that it cannot: a handler that asks whether it
// can stream, or take over the connection, must be told the truth.
func (ex *exchange) writer() http.ResponseWriter {
	w := (*response)(ex)
	switch abilities(ex.w) {
	case canFlush:
		return flusher{w}
	case canHijack:
		return hijacker{w}
	case canReadFrom:
		return fromer{w}
	case canPush:
		return pusher{w}
	case canFlush | canHijack:
		return flushHijack{flusher{w}}
	case canFlush | canReadFrom:
		return flushFrom{flusher{w}}
	case canFlush | canPush:
		return flushPush{flusher{w}}
	case canHijack | canReadFrom:
		return hijackFrom{hijacker{w}}
	case canHijack | canPush:
		return hijackPush{hijacker{w}}
	case canReadFrom | canPush:
		return fromPush{fromer{w}}
	case canFlush | canHijack | canReadFrom:
		return flushHijackFrom{flushHijack{flusher{w}}}
	case canFlush | canHijack | canPush:
		return flushHijackPush{flushHijack{flusher{w}}}
	case canFlush | canReadFrom | canPush:
		return flushFromPush{flushFrom{flusher{w}}}
	case canHijack | canReadFrom | canPush:
		return hijackFromPush{hijackFrom{hijacker{w}}}
	case canFlush | canHijack | canReadFrom | canPush:
		return everything{flushHijackFrom{flushHijack{flusher{w}}}}
	}
	return w
}

// abilities looks for Flush and Hijack below wrappers too, as http.ResponseController does. ReadFrom and Push of what is
// below a wrapper would pass it by.
func abilities(w http.ResponseWriter) (can int) {
	if _, ok := w.(io.ReaderFrom); ok {
		can |= canReadFrom
	}
	if _, ok := w.(http.Pusher); ok {
		can |= canPush
	}
	for w != nil {
		switch w.(type) {
		case http.Flusher, interface{ FlushError() error }:
			can |= canFlush
		}
		if _, ok := w.(http.Hijacker); ok {
			can |= canHijack
		}
		below, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = below.Unwrap()
	}
	return can
}
