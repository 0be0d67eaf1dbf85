package session

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/coatcheck/session/internal/respond"
)

// statusHungUp is how nginx logs a request whose client went away. No client sees it, and an alarm on 503 is not meant.
const statusHungUp = 499

// fail answers a request whose session could not be loaded or stored, exactly once.
func (m *Manager) fail(w http.ResponseWriter, r *http.Request, err error, encoding []string) {
	m.opts.Logger.Log(r.Context(), level(r, err), "session: request failed", "err", err)
	respond.Reset(w.Header(), encoding)
	if hungUp(r, err) {
		w.WriteHeader(statusHungUp)
		return
	}
	once := &respond.Answer{ResponseWriter: w}
	if m.opts.OnError != nil {
		m.opts.OnError(once, r, err)
	}
	if !once.Begun {
		m.defaultAnswer(w, err)
	}
}

// level tells failures of the program or its store from what a visitor did, who went away, signed out elsewhere or has
// too many sessions.
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

// defaultAnswer sends the status that fits the error, and a text that tells a stranger nothing. To load the page again
// does not help who brings a retired ticket: until it is forgotten, only a sign-in begins a session.
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
