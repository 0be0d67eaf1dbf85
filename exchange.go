package session

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
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

// load loads the session at the first call.
func (ex *exchange) load(ctx context.Context) (*Session, error) {
	ex.mu.Lock()
	if ex.session != nil {
		defer ex.mu.Unlock()
		return ex.session, nil
	}
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
	s := ex.loaded()
	if s == nil {
		ex.sent.Store(true)
		return nil
	}
	s.setClient(ex.r)
	err := ex.commit(s, commitMode{told: true})
	ex.sent.Store(true)
	ex.setHeaders(s)
	if err != nil {
		ex.failed = err
		ex.m.fail(ex.w, ex.r, err)
	}
	return err
}

// finish commits what the handler left when it returned. Later changes are stored too, when the ticket is with the client.
func (ex *exchange) finish() {
	if !ex.sent.Load() {
		_ = ex.begin() // which has answered
		return
	}
	s := ex.loaded()
	if s == nil || ex.failed != nil {
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
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ex), commitTimeout)
	defer cancel()
	return s.commit(ctx, mode)
}

// setHeaders tells the client about its ticket, and caches about the response.
func (ex *exchange) setHeaders(s *Session) {
	h := ex.w.Header()
	addVary(h, ex.m.transport.VaryOn())
	tell, ticket, until := s.takeTell()
	if tell == tellNothing {
		return
	}
	ex.m.transport.Write(h, ticket, until, ex.m.now())
	h.Set("Cache-Control", "no-store")
	h.Del("CDN-Cache-Control")
	h.Del("Surrogate-Control")
	h.Del("Expires")
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

// response is the exchange as the handler writes to it. Each way to send the first byte commits first.
type response exchange

var (
	_ http.ResponseWriter = (*response)(nil)
	_ http.Flusher        = (*response)(nil)
	_ http.Hijacker       = (*response)(nil)
	_ http.Pusher         = (*response)(nil)
	_ io.ReaderFrom       = (*response)(nil)
	_ io.StringWriter     = (*response)(nil)
)

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

// ReadFrom lets the server send files without copying them.
func (w *response) ReadFrom(src io.Reader) (int64, error) {
	if err := w.ex().begin(); err != nil {
		return 0, err
	}
	return io.Copy(w.w, src)
}

func (w *response) Flush() { _ = w.FlushError() }

func (w *response) FlushError() error {
	if err := w.ex().begin(); err != nil {
		return err
	}
	return http.NewResponseController(w.w).Flush()
}

func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if err := w.ex().begin(); err != nil {
		return nil, nil, err
	}
	return http.NewResponseController(w.w).Hijack()
}

func (w *response) Push(target string, opts *http.PushOptions) error {
	if p, ok := w.w.(http.Pusher); ok {
		return p.Push(target, opts)
	}
	return http.ErrNotSupported
}
