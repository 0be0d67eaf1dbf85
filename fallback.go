package session

import (
	"context"
	"net/http"
)

// fallbackKey finds what a request falls back to.
type fallbackKey struct{ m *Manager }

// Fallback returns the request with something to fall back to, for what stands in front of Middleware, such as the
// take-over of another library's sessions. find is asked once, by the first load, when the ticket that came leads to
// nobody who is signed in. The session of the ticket that it returns, if there is one, is then that of the request, and
// the response gives the client the ticket. Data that the visitor has without being signed in are added to it, where it
// has none under the same key. "" changes nothing. An error is one of the load. Of two functions the outer one is asked
// first.
//
// find gets the context of the load. It must not load the session of the request, nor keep the context.
func (m *Manager) Fallback(r *http.Request, find func(context.Context) (ticket string, err error)) *http.Request {
	if outer, ok := r.Context().Value(fallbackKey{m}).(func(context.Context) (string, error)); ok {
		inner := find
		find = func(ctx context.Context) (string, error) {
			if ticket, err := outer(ctx); ticket != "" || err != nil {
				return ticket, err
			}
			return inner(ctx)
		}
	}
	return r.WithContext(context.WithValue(r.Context(), fallbackKey{m}, find))
}

// fallBack puts another session in the place of one that nobody has seen yet.
func (ex *exchange) fallBack(ctx context.Context, s *Session) error {
	find, ok := ex.Context.Value(fallbackKey{ex.m}).(func(context.Context) (string, error))
	if !ok || s.User() != "" || s.draft.Over() {
		return nil
	}
	ticket, err := find(ctx)
	if err != nil || ticket == "" {
		return err
	}
	other := ex.m.newSession(ex, ex)
	events, err := other.find(ctx, ticket, nil)
	if err != nil || other.isNew {
		ex.m.emit(ctx, events...)
		return err
	}
	had := s.All()
	s.isNew, s.expired, s.seenAt, s.draft = false, false, other.seenAt, other.draft
	s.draft.SendAnew()
	for key, v := range had {
		if !s.Has(Path(key)) {
			s.Set(Path(key), v)
		}
	}
	return nil
}
