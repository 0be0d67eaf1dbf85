package session

import (
	"bufio"
	"errors"
	"net"
	"net/http"
)

// dropped are the headers that belong to the response that a failed commit replaces.
var dropped = []string{
	"Content-Length", "Content-Encoding", "Content-Type", "Content-Disposition", "Content-Range", "Content-Language",
	"Content-Location", "Accept-Ranges", "Etag", "Last-Modified", "Cache-Control", "Expires", "CDN-Cache-Control",
	"Surrogate-Control", "Location", "Trailer", "Repr-Digest", "Content-Digest", "Digest",
}

// fail answers a request whose session could not be loaded or stored, exactly once.
func (m *Manager) fail(w http.ResponseWriter, r *http.Request, err error) {
	m.opts.Logger.ErrorContext(r.Context(), "session: request failed", "err", err)
	h := w.Header()
	for _, name := range dropped {
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store")
	once := &answer{ResponseWriter: w}
	if m.opts.OnError != nil {
		m.opts.OnError(once, r, err)
	}
	if !once.begun {
		defaultAnswer(w, err)
	}
}

// defaultAnswer sends the status that fits the error, and a text that tells a stranger nothing.
func defaultAnswer(w http.ResponseWriter, err error) {
	status, text := http.StatusInternalServerError, "Something went wrong. Please try again."
	switch {
	case errors.Is(err, ErrEnded):
		status, text = http.StatusConflict, "Your session has ended. Please reload the page."
	case errors.Is(err, ErrTooMany):
		status, text = http.StatusForbidden, "You have too many sessions. Please end one first."
	case errors.Is(err, ErrUnavailable) || errors.Is(err, ErrConflict):
		status, text = http.StatusServiceUnavailable, "Please try again in a moment."
		w.Header().Set("Retry-After", "2")
	}
	http.Error(w, text, status)
}

// answer notices whether OnError wrote something.
type answer struct {
	http.ResponseWriter
	begun bool
}

func (a *answer) WriteHeader(status int) {
	a.begun = a.begun || status >= 200 || status == http.StatusSwitchingProtocols
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	a.begun = true
	return a.ResponseWriter.Write(p)
}

func (a *answer) Flush() { _ = a.FlushError() }

func (a *answer) FlushError() error {
	err := http.NewResponseController(a.ResponseWriter).Flush()
	a.begun = a.begun || err == nil
	return err
}

func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(a.ResponseWriter).Hijack()
	a.begun = a.begun || err == nil
	return conn, rw, err
}

// Unwrap gives http.ResponseController the writer below.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
