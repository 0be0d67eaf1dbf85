package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/coatcheck/session/internal/life"
)

// Foreign is a session of another library that is to become one of a manager's.
type Foreign struct {
	// Token names the session there, and is as secret as a ticket. The ticket of the new session is a keyed hash of it,
	// so that requests at the same time, on any node, make one session of it.
	Token string
	// Request is the one that brought the token, so that lists of sessions show its client. nil: there is none.
	Request *http.Request
	// Fill loads the session and puts into s what it holds, by a Login too if somebody is signed in. It reports false
	// when there is no such session. It may run more than once.
	Fill func(ctx context.Context, s *Session) (bool, error)
	// End ends the session in the other library. Ending it twice is not an error.
	End func(ctx context.Context) error
}

// Format prints nothing of the session, because the token is a secret.
func (Foreign) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "foreign session") }

// takingOver marks a session whose take-over has begun and is not done: whoever comes next goes on with it.
const takingOver = Key[bool]("coatcheck:taking over")

// takenOver is what the store remembers of a token, and revokedUser of a user whose sessions were ended. The ids under
// which it does are none of sessions.
const takenOver, revokedUser = "taken over", "revoked user"

// AllowTakeOver makes the manager ready for TakeOver: call it before the first request. cookie is that of the other
// library, and lasts how long a session can live there. For that long the store remembers which sessions were taken
// over, and, after RevokeUser on this manager, that the sessions that the user still has there are over, too.
//
// What it remembers under a secret that you remove is forgotten. So keep an old secret for at least that long after its
// successor has begun to sign, even if the longest session of this manager is over before then.
//
// The error wraps ErrNotSupported where the store does not remember: with a cookiestore, a nullstore and a bounded
// memstore.
func (m *Manager) AllowTakeOver(cookie string, lasts time.Duration) error {
	switch why := Forgets(m.store); {
	case lasts < time.Second:
		return fmt.Errorf("session: the sessions of the other library live %v; it must be a second or more", lasts)
	case cookie == m.opts.Cookie.Name || slices.Contains(m.opts.Cookie.FormerNames, cookie):
		return fmt.Errorf("session: Cookie.Name: the cookie of the other library is %q too; choose another name",
			cookie)
	case why != "" || !m.keeper.Records.Traits().Kept:
		return fmt.Errorf("%w: %T does not remember which sessions were taken over: it %s", ErrNotSupported, m.store,
			cmp.Or(why, "keeps no sessions"))
	}
	m.foreign.Store(max(int64(lasts), m.foreign.Load()))
	return nil
}

// TakeOver returns the ticket of the session that takes the place of one of another library, and makes that session
// when the token comes for the first time. Calls at the same time get the same ticket. "" says that there is none: the
// token is unknown there, or the session has ended since it was taken over, or [Manager.RevokeUser] ended it before
// that. The old session is ended before anybody is given the ticket.
//
// The error wraps ErrUnavailable, or ErrTooMany where MaxPerUser refuses another session, or is one of Fill or End; the
// next request then tries again. Call AllowTakeOver first.
func (m *Manager) TakeOver(ctx context.Context, f Foreign) (ticket string, err error) {
	if m.foreign.Load() == 0 {
		return "", errors.New("session: TakeOver: call AllowTakeOver first")
	}
	if f.Token == "" {
		return "", nil
	}
	for attempt := 0; ; attempt++ {
		ticket, err = m.takeOver(ctx, f)
		if !errors.Is(err, ErrConflict) || life.Pause(ctx, attempt) != nil {
			return ticket, err
		}
	}
}

// takeOver tries once. The error wraps ErrConflict when somebody else has begun meanwhile.
func (m *Manager) takeOver(ctx context.Context, f Foreign) (string, error) {
	ticket, known, err := m.takenOver(ctx, f)
	if known || err != nil {
		return ticket, err
	}
	ticket, begun, err := m.beginTakeOver(ctx, f)
	if err == nil && !begun { // somebody else has taken it over, perhaps since this one looked
		ticket, _, err = m.takenOver(ctx, f)
	}
	return ticket, err
}

// takenOver returns the ticket of the session that follows from the token, "" when that has ended. known is false when
// there is none.
func (m *Manager) takenOver(ctx context.Context, f Foreign) (ticket string, known bool, err error) {
	ring := m.ring()
	for _, t := range ring.TicketsOf("session", f.Token) {
		s := m.sessionFor(ctx, f)
		events, err := s.find(ctx, t.Text(ring, m.transport.Name()), nil)
		switch {
		case err != nil:
			return "", false, err
		case !s.isNew:
			ticket, err = m.endTakeOver(ctx, f, s)
			return ticket, true, err
		case len(events) != 1 || !errors.Is(events[0].Err, ErrNotFound):
			return "", true, nil
		}
	}
	return "", false, nil
}

func (m *Manager) sessionFor(ctx context.Context, f Foreign) *Session {
	s := m.newSession(ctx, nil)
	s.rest.Change(func(r *seldom) { r.request = f.Request })
	return s
}

// beginTakeOver makes the session under the id that follows from the token. Of those who come at the same time one has
// the claim, and no other one makes room for it under MaxPerUser. begun is false when the old session is not there, or
// was taken over before.
func (m *Manager) beginTakeOver(ctx context.Context, f Foreign) (ticket string, begun bool, err error) {
	s := m.sessionFor(ctx, f)
	takingOver.Set(s, true) // before whatever Fill has room for
	there, err := f.Fill(ctx, s)
	if err = cmp.Or(err, s.Err()); err != nil || !there {
		return "", false, err
	}
	ring := m.ring()
	claims, err := m.keeper.Claim(ctx, ring.MarksOf(takenOver, f.Token))
	if err != nil || claims == nil {
		return "", false, err
	}
	takingOver.Set(s, true) // again, for Fill may have begun the session anew, by a Logout or a Login of somebody else
	s.draft.Follow(ring.TicketsOf("session", f.Token)[0])
	if err := s.Save(ctx); err != nil {
		m.keeper.Unclaim(ctx, claims)
		return "", false, err
	}
	ticket, err = m.endTakeOver(ctx, f, s)
	return ticket, true, err
}

// endTakeOver does what is left, and gives the ticket out: the token is marked, so that it opens nothing once the
// session is over, a revocation of the user is looked for, and the old session ended.
func (m *Manager) endTakeOver(ctx context.Context, f Foreign, s *Session) (string, error) {
	if !takingOver.Or(s, false) {
		return s.Token(), nil
	}
	if err := m.keeper.Mark(ctx, m.ring().MarksOf(takenOver, f.Token), m.foreignLasts()); err != nil {
		return "", err
	}
	revoked, err := m.hasRevoked(ctx, s)
	if err == nil {
		err = f.End(ctx)
	}
	if err != nil {
		return "", err
	}
	if revoked {
		_, err := m.Revoke(ctx, s.ID())
		return "", err
	}
	takingOver.Remove(s)
	err = s.Save(ctx)
	switch {
	case errors.Is(err, ErrEnded): // meanwhile, by Revoke
		return "", nil
	case err != nil:
		return "", err
	}
	return s.Token(), nil
}

// hasRevoked reports whether the user's sessions were ended since the sign-in.
func (m *Manager) hasRevoked(ctx context.Context, s *Session) (bool, error) {
	if s.User() == "" {
		return false, nil
	}
	at, err := m.keeper.MarkedAt(ctx, m.ring().MarksOf(revokedUser, s.User()))
	return !at.IsZero() && !s.LoginAt().After(at), err
}

// revokeForeign remembers that what a user has in another library is over. It comes before the look at the sessions
// that there are, which also says what is wrong with the user or the store: one that is taken over meanwhile is seen
// there, or sees this.
func (m *Manager) revokeForeign(ctx context.Context, user string) error {
	if m.foreign.Load() == 0 || m.keeper.CanList() != nil || life.CheckUser(user) != nil {
		return nil
	}
	return m.keeper.Mark(ctx, m.ring().MarksOf(revokedUser, user), m.foreignLasts())
}

// foreignLasts is how long a session can live in the other library.
func (m *Manager) foreignLasts() time.Duration { return time.Duration(m.foreign.Load()) }

// fallback is what a request falls back to.
type fallback struct {
	find  func(context.Context) (ticket string, err error)
	sent  func(http.Header)
	inner *fallback // asked when this one finds nothing
}

// fallbackKey finds the fallback of one manager in a context.
type fallbackKey struct{ m *Manager }

// Fallback returns the request with something to fall back to, for middleware in front of Middleware, such as one that
// takes over another library's sessions. The first load calls find, once, if the ticket that came leads to nobody who
// is signed in, unless its session has just ended: the client may have signed in anew since it sent that ticket. If
// there is a session under the ticket that find returns, it becomes the session of the request, and the response gives
// the client that ticket. Data that the visitor had without being signed in is added to it, except under keys that it
// has already, and what makes it larger than Options.MaxBytes; flash data are seen in this request. "" changes nothing.
// An error makes the load fail. sent, unless it is nil, is called with the header of the response when the ticket is in
// it. Of two fallbacks the outer one is asked first; neither is asked for a part of a batch that brings a ticket of its
// own, unless it was added for that part.
//
// find gets the context of the load. It must not load the session of the request, nor keep the context.
func (m *Manager) Fallback(r *http.Request, find func(context.Context) (ticket string, err error),
	sent func(http.Header)) *http.Request {
	added := fallback{find: find, sent: sent}
	outer, _ := r.Context().Value(fallbackKey{m}).(fallback)
	if outer.find != nil {
		added = outer.then(added)
	}
	return r.WithContext(context.WithValue(r.Context(), fallbackKey{m}, added))
}

// then is a copy that asks another one last.
func (f fallback) then(last fallback) fallback {
	if f.inner != nil {
		last = f.inner.then(last)
	}
	f.inner = &last
	return f
}

// fallBack puts another session in the place of one that nobody has seen yet.
func (ex *exchange) fallBack(ctx context.Context, s *Session) (events []Event, err error) {
	f, ok := ex.r.Context().Value(fallbackKey{ex.m}).(fallback)
	if !ok || s.User() != "" || s.draft.Over() {
		return nil, nil
	}
	for at := &f; at != nil; at = at.inner {
		ticket, err := at.find(ctx)
		if err == nil && ticket != "" {
			events, err = ex.adoptTicket(ctx, s, ticket)
			ex.rest.Change(func(u *unusual) { u.ticketSent = at.sent })
		}
		if err != nil || ticket != "" {
			return events, err
		}
	}
	return nil, nil
}

// adoptTicket makes s the session of another ticket, if that has one.
func (ex *exchange) adoptTicket(ctx context.Context, s *Session, ticket string) ([]Event, error) {
	other := ex.m.newSession(ex, ex)
	events, err := other.find(ctx, ticket, nil)
	if err != nil || other.isNew {
		return events, err
	}
	other.draft.Inherit(&s.draft)
	s.isNew, s.expired, s.seenAt, s.draft = false, false, other.seenAt, other.draft
	s.draft.SendAnew()
	return nil, nil
}
