package session

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// dropped are the headers that belong to the response that a failed commit replaces. Clear-Site-Data of a logout that failed would
// take the ticket from a session that goes on.
var dropped = []string{
	"Clear-Site-Data", "Refresh",
	"Content-Length", "Content-Encoding", "Content-Type", "Content-Disposition", "Content-Range", "Content-Language",
	"Content-Location", "Accept-Ranges", "Etag", "Last-Modified", "Location", "Trailer", "Repr-Digest", "Content-Digest", "Digest",
}

// isForCaches reports whether a header says how long to keep a response. Caches of vendors read their own before Cache-Control:
// Cloudflare-CDN-Cache-Control and its like, Edge-Control of Akamai, and X-Accel-Expires of nginx.
func isForCaches(name string) bool {
	switch name {
	case "Cache-Control", "Expires", "Surrogate-Control", "Edge-Control", "X-Accel-Expires":
		return true
	}
	return strings.HasSuffix(name, "Cdn-Cache-Control")
}

// dropHeaders also finds those that the handler spelled in its own way.
func dropHeaders(h http.Header, drop func(name string) bool) {
	for name := range h {
		if drop(http.CanonicalHeaderKey(name)) {
			delete(h, name)
		}
	}
}

// statusHungUp is how nginx logs a request whose client went away. No client sees it, and an alarm on 503 is not meant.
const statusHungUp = 499

// fail answers a request whose session could not be loaded or stored, exactly once. A writer around this one goes on to encode what
// is written, so that its Content-Encoding stays.
func (m *Manager) fail(w http.ResponseWriter, r *http.Request, err error, encoding []string) {
	m.opts.Logger.Log(r.Context(), level(r, err), "session: request failed", "err", err)
	h := w.Header()
	dropHeaders(h, func(name string) bool { return isForCaches(name) || slices.Contains(dropped, name) })
	if len(encoding) > 0 {
		h["Content-Encoding"] = encoding
	}
	h.Set("Cache-Control", "no-store")
	if hungUp(r, err) {
		w.WriteHeader(statusHungUp)
		return
	}
	once := &answer{ResponseWriter: w}
	if m.opts.OnError != nil {
		m.opts.OnError(once, r, err)
	}
	if !once.begun {
		m.defaultAnswer(w, err)
	}
}

// level tells failures of the program or its store from what a visitor did, who went away, signed out elsewhere or has too many
// sessions.
func level(r *http.Request, err error) slog.Level {
	switch {
	case hungUp(r, err):
		return slog.LevelDebug
	case errors.Is(err, ErrEnded) || errors.Is(err, ErrTooMany):
		return slog.LevelInfo
	}
	return slog.LevelError
}

// hungUp reports whether the store was asked in vain because the client went away. Anybody can do that at will.
func hungUp(r *http.Request, err error) bool {
	return errors.Is(err, context.Canceled) && errors.Is(r.Context().Err(), context.Canceled)
}

// defaultAnswer sends the status that fits the error, and a text that tells a stranger nothing. To load the page again does not help
// who brings a retired ticket: until it is forgotten, only a sign-in begins a session.
func (m *Manager) defaultAnswer(w http.ResponseWriter, err error) {
	status, text := http.StatusInternalServerError, "Something went wrong. Please try again."
	switch {
	case errors.Is(err, ErrEnded):
		status, text = http.StatusConflict, "Your session has ended. Please sign in again, or try again in a moment."
		if errors.Is(err, errTombstone) {
			w.Header().Set("Retry-After", strconv.Itoa(wholeSeconds(m.opts.RenewGrace)))
		}
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
