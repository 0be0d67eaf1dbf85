package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/coatcheck/session/internal/life"
	"github.com/coatcheck/session/internal/respond"
	"github.com/coatcheck/session/internal/wire"
)

// statusHungUp is how nginx logs a request whose client went away. No client sees it, and an alarm on 503 is not meant.
const statusHungUp = 499

// fail answers a request whose session could not be loaded or stored, exactly once. The headers are ready for that.
func (m *Manager) fail(once *respond.Answer, r *http.Request, err error) {
	m.opts.Logger.Log(r.Context(), level(r, err), "session: request failed", "err", inward(err))
	err = outward(err)
	if hungUp(r, err) {
		once.WriteHeader(statusHungUp)
		return
	}
	if m.opts.OnError != nil {
		m.opts.OnError(once, r, err)
	}
	if !once.Begun {
		m.defaultAnswer(once, err)
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

// defaultAnswer sends the status that fits the error, and a text that tells a stranger nothing. Loading the page again
// does not help whoever brings a retired ticket: until it is forgotten, only a sign-in begins a session.
func (m *Manager) defaultAnswer(w http.ResponseWriter, err error) {
	status, text := statusOf(err), "Something went wrong. Please try again."
	switch status {
	case http.StatusConflict:
		text = "Your session has ended. Please sign in again, or try again in a moment."
		if errors.Is(err, life.ErrTombstone) {
			w.Header().Set("Retry-After", strconv.Itoa(wire.Seconds(m.opts.RenewGrace)))
		}
	case http.StatusForbidden:
		text = "You have too many sessions. Please end one first."
	case http.StatusServiceUnavailable:
		text = "Please try again in a moment."
		w.Header().Set("Retry-After", "2")
	}
	http.Error(w, text, status)
}

// statusOf is the status of the answer to a request that failed with the error.
func statusOf(err error) int {
	switch {
	case errors.Is(err, ErrEnded):
		return http.StatusConflict
	case errors.Is(err, ErrTooMany):
		return http.StatusForbidden
	case errors.Is(err, ErrUnavailable) || errors.Is(err, ErrConflict):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// failure is an error as Load and Save return it. Frameworks show clients what it says, so that it says nothing of what
// a store or its driver told; whoever unwraps it, and a log, is told all.
type failure struct {
	text  string
	cause error
}

func (f *failure) Error() string        { return f.text }
func (f *failure) Unwrap() error        { return f.cause }
func (f *failure) StatusCode() int      { return statusOf(f.cause) }
func (f *failure) LogValue() slog.Value { return slog.StringValue(f.cause.Error()) }

// outward makes the error that the application is given. An operation that was refused is no failure: its error says
// what to do, and is the one that Err returns.
func outward(err error) error {
	if err == nil || errors.As(err, new(*failure)) {
		return err
	}
	for _, known := range []error{errHeld, ErrUnavailable, ErrEnded, ErrTooMany, ErrConflict} {
		if errors.Is(err, known) {
			return &failure{known.Error(), err}
		}
	}
	return err
}

// inward is an error with the cause that outward took from its text, for the log.
func inward(err error) error {
	var f *failure
	switch {
	case !errors.As(err, &f):
		return err
	case err == error(f):
		return f.cause
	}
	return fmt.Errorf("%w: %w", err, f.cause)
}

// errPassedBy says what to do about a response in which no ticket could be.
var errPassedBy = errors.New("session: the response was written past Middleware, and without the ticket: in gin use " +
	"the module adapters/ginsession, or let Middleware stand around the engine; elsewhere the handler must write to " +
	"the writer that Middleware gives it")

// passedBy stores what needs no answer. The response is out already, and the client cannot be told of a new ticket.
func (ex *exchange) passedBy() {
	s, _, _ := ex.last()
	if s == nil {
		return
	}
	ex.sent.Store(true)
	_, err := ex.commit(s, life.Mode{})
	if reply, _, _ := s.takeReply(); err == nil && reply == life.ReplyNothing {
		return
	}
	ex.m.opts.Logger.ErrorContext(ex.r.Context(), "session: a change is lost", "err", errors.Join(errPassedBy, err))
	s.emit(ex, Event{Kind: EventLate, ID: s.ID(), User: s.User(), Err: errPassedBy})
}
