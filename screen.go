package session

import (
	"errors"
	"net/http"
	"time"
)

// Screening is what a function given to Screen makes of the session that a request loads. The zero value lets the
// request have it.
type Screening struct {
	// Refuse says why the request must not have the session, nil for one that may. See [Manager.Screen].
	Refuse error

	// Event is reported, unless its Kind is "". ID and User are filled in.
	Event Event

	// Answer is called with the headers of the response before they are sent, and before the session is committed for
	// the last time of which the client is told: it may change both. signsIn says that a Login is among what is to be
	// committed. nil: nothing is called.
	Answer func(h http.Header, signsIn bool)
}

// screen is the function given to Screen.
type screen func(*http.Request, *Session) Screening

// Screen makes fn look at the session of every request that loads one, also an empty one, at its first Load. It is for
// middleware that asks for more than the ticket, as package devicebound does. What OpenFor opens is looked at too, but
// no answer is called, and what Open opens is not. fn must not load the session by the request's context. There is one
// Screen for a manager, and it is called before the first request; the second is an error.
//
// To a request that is refused the session is as if its ticket had been retired: it is empty, and nobody is signed in.
// What is set cannot be stored (ErrEnded), and the response neither sets nor deletes the cookie, so that the request
// after the next may have the session again. A Login begins a fresh session, and Logout ends the one that was refused.
func (m *Manager) Screen(fn func(*http.Request, *Session) Screening) error {
	s := screen(fn)
	if fn == nil || !m.screen.CompareAndSwap(nil, &s) {
		return errors.New("session: Screen: a manager has one screen, which is a function")
	}
	return nil
}

// Refused is why the function given to Manager.Screen did not let this request have the session that it brought. It is
// nil for a session that was not refused.
func (s *Session) Refused() error { return s.barred }

// Moved reports that the ticket of this request is useless because its session went on under a new id, by Login or
// Regenerate: another response has the new ticket for the client. It is told while the grace of the old id lasts.
func (s *Session) Moved() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draft.Moved()
}

// screened lets the screen look at a session that was just loaded for a request. It returns what is to be called before
// the response, and to be reported.
func (s *Session) screened(r *http.Request) (answer func(http.Header, bool), events []Event) {
	fn := s.m.screen.Load()
	if fn == nil {
		return nil, nil
	}
	id, user := s.ID(), s.User()
	seen := (*fn)(r, s)
	if s.barred = seen.Refuse; s.barred != nil {
		s.shut()
	}
	if e := seen.Event; e.Kind != "" {
		e.ID, e.User = id, user
		events = append(events, e)
	}
	return seen.Answer, events
}

// shut leaves nothing of the session but the record that Logout ends.
func (s *Session) shut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draft.Shut()
	s.isNew, s.seenAt = true, time.Time{}
}

// signsIn reports whether a Login is to be committed.
func (s *Session) signsIn() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draft.SignsIn()
}
