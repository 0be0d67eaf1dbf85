package session

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"net/netip"
	"slices"
	"time"

	"github.com/coatcheck/session/internal/envelope"
	"github.com/coatcheck/session/internal/life"
	"github.com/coatcheck/session/internal/wire"
)

// Info describes a session to people: to its user, or to operators of the site. It contains no ticket and no data.
type Info struct {
	ID, User                              string
	CreatedAt, SeenAt, LoginAt, ExpiresAt time.Time
	RemoteIP                              netip.Addr
	UserAgent                             string // at most 256 bytes, without control and bidirectional characters
	Persistent                            bool
	Bound                                 bool // to a device, see Manager.SetBinding; only Sessions says so
}

func infoOf(r *life.Record) Info {
	return Info{
		ID: r.ID, User: r.User, CreatedAt: r.CreatedAt, SeenAt: r.SeenAt, LoginAt: r.LoginAt, ExpiresAt: r.ExpiresAt,
		RemoteIP: r.RemoteIP, UserAgent: wire.CleanUserAgent(r.UserAgent), Persistent: r.Persistent,
	}
}

// Sessions lists the live sessions of a user, most recently seen first. Where sessions are bound to devices, it opens
// the first hundred of them, a load each, to see which are. The error wraps ErrNotSupported if the store cannot list,
// or ErrUnavailable.
func (m *Manager) Sessions(ctx context.Context, user string) ([]Info, error) {
	recs, err := m.keeper.SessionsOf(ctx, user)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(recs, func(a, b *life.Record) int {
		return cmp.Or(b.SeenAt.Compare(a.SeenAt), cmp.Compare(a.ID, b.ID))
	})
	infos := make([]Info, 0, len(recs))
	for i, r := range recs {
		info := infoOf(r)
		if i < mostOpened {
			info.Bound, err = m.isBound(ctx, r)
		}
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
	}
	return infos, nil
}

// mostOpened is how many sessions a list opens: a user who has more looks at no more.
const mostOpened = 100

// Binding is what middleware that binds sessions to devices, such as package devicebound, tells the manager.
type Binding struct {
	Bound   func(*Session) bool // whether a session is bound, for Info.Bound. It only reads
	Finding Finding             // for Audit; none when its Name is ""
}

// SetBinding tells the manager that sessions are bound to devices. Call it before the first request.
func (m *Manager) SetBinding(b Binding) { m.binding.Store(&b) }

// isBound opens the session of a record that was listed. What a list says anybody could have written who can write to
// the store; what a record says that opens was written by a manager. One that has ended or moved meanwhile, or does not
// open, is not bound.
func (m *Manager) isBound(ctx context.Context, rec *life.Record) (bool, error) {
	b := m.binding.Load()
	if b == nil || b.Bound == nil {
		return false, nil
	}
	s := m.newSession(ctx, nil)
	s.draft = m.keeper.ByOperator(rec)
	err := s.Reload(ctx)
	if errors.Is(err, ErrUnavailable) {
		return false, err
	}
	return err == nil && b.Bound(s), nil
}

// All goes through all live sessions, in pages. It leaves out damaged records. If the store cannot read some at all,
// for example for want of permission, the walk goes on without them and ends with an error. Sessions that begin or end
// meanwhile may be listed or not; one that gets a new id meanwhile may be listed under both ids, or under none.
func (m *Manager) All(ctx context.Context) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		for r, err := range m.keeper.All(ctx, time.Time{}) {
			if err != nil {
				yield(Info{}, err)
				return
			}
			if !yield(infoOf(r), nil) {
				return
			}
		}
	}
}

// Revoke ends sessions by their Info.ID and says how many it ended; an unknown id is not an error. A session that is
// renewed at the same time is ended under its new id. A session that has already ended is not counted, and what began
// in its place, such as by a Login of somebody else, goes on. The error wraps ErrUnavailable.
func (m *Manager) Revoke(ctx context.Context, ids ...string) (int, error) {
	return m.keeper.Records.Revoke(ctx, life.Ending{Why: life.ReasonRevoked}, ids)
}

// RevokeFor is Revoke with a reason: one of the constants, or a word of the site's own. Session.EndedBy returns it to
// requests with the ticket until the session would have run out of time, but for 24 hours at most. Whoever ends a
// session first gives the reason, and write access to the store is not enough to make one up. If the store has no room
// for it, the reason is lost. The error says what is wrong with the reason, or is one of Revoke.
func (m *Manager) RevokeFor(ctx context.Context, why Reason, ids ...string) (int, error) {
	e := life.Ending{Why: life.Reason(why), Told: true}
	if err := life.CheckReason(e.Why); err != nil {
		return 0, err
	}
	return m.keeper.Records.Revoke(ctx, e, ids)
}

// RevokeOwn is Revoke for a page on which people end their own sessions: an id that is not the user's, and does not
// lead to a session of the user, counts as unknown. An id that was renewed after the page was shown leads to its
// session. Each gets the reason ReasonRevoked, as by RevokeFor. The error wraps ErrUnavailable, or ErrNotSupported with
// cookiestore, which does not know to whom an id belongs.
func (m *Manager) RevokeOwn(ctx context.Context, user string, ids ...string) (int, error) {
	if err := m.keeper.CanList(); err != nil {
		return 0, err
	}
	if err := life.CheckUser(user); err != nil {
		return 0, err
	}
	return m.keeper.Records.Revoke(ctx, life.Ending{Why: life.ReasonRevoked, Told: true, Of: user}, ids)
}

// RevokeUser ends all sessions of a user except those to keep, and says how many it ended. Session.ID keeps the session
// of the request whose context is given, even if it only gets that id with this request. A kept session that is renewed
// at the same time is kept, and so is a Login on it, even if nobody is signed in on it yet. A session that begins while
// this runs is ended, too, if it was stored before the last look, even one that took the place of a kept session that
// was logged out. With cookiestore it returns 0, because nobody knows how many there are. The errors are those of
// Sessions.
func (m *Manager) RevokeUser(ctx context.Context, user string, keep ...string) (int, error) {
	return m.revokeUser(ctx, life.Ending{Why: life.ReasonRevoked, Of: user}, keep)
}

// RevokeUserFor is RevokeUser with a reason, which is kept as by RevokeFor. With cookiestore only the event has it.
func (m *Manager) RevokeUserFor(ctx context.Context, why Reason, user string, keep ...string) (int, error) {
	if err := life.CheckReason(life.Reason(why)); err != nil {
		return 0, err
	}
	return m.revokeUser(ctx, life.Ending{Why: life.Reason(why), Told: true, Of: user}, keep)
}

func (m *Manager) revokeUser(ctx context.Context, e life.Ending, keep []string) (int, error) {
	keep = m.keepCurrent(ctx, keep)
	elsewhere := m.revokeForeign(ctx, e.Of) // which needs room, unlike the end of what is here
	n, err := m.keeper.Records.RevokeUser(ctx, e, keep)
	return n, life.Both(elsewhere, err)
}

// keepCurrent adds the id that the session of the request still has in the store, when the one to come is to be kept:
// after Regenerate or Login, and before the commit.
func (m *Manager) keepCurrent(ctx context.Context, keep []string) []string {
	ex, ok := ctx.Value(exchangeKey{m}).(*exchange)
	if !ok {
		return keep
	}
	s := ex.session.Load() // while it is being loaded, it has one id
	if s == nil {
		return keep
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now, next := s.draft.IDs(); now != "" && next != "" && slices.Contains(keep, next) {
		keep = append(slices.Clone(keep), now)
	}
	return keep
}

// errIdentity refuses what a function given to UpdateUser must not do.
var errIdentity = errors.New("session: a function of UpdateUser may change data only: end sessions with RevokeUser")

// UpdateUser runs fn on the newest state of each live session of a user, saves what it changed as Atomic does, and says
// how many sessions that was. Use it for changes that must take effect at once wherever the user is signed in, such as
// a change of roles. A session that begins meanwhile is changed, too, if it was there before the last look.
//
// fn may change data and clocks only; calling Login, Logout, Regenerate or Invalidate in it is an error. It runs more
// than once on a session that is changed or renewed at the same time. None of this counts as a use of the sessions. An
// error of fn ends the walk; the sessions before it stay changed. A session that cannot be changed, for example because
// it would become larger than Options.MaxBytes, does not stop the walk. The error, which wraps those of all such
// sessions, comes at the end. The other errors are those of Sessions.
func (m *Manager) UpdateUser(ctx context.Context, user string, fn func(*Session) error) (int, error) {
	return m.keeper.VisitUser(ctx, user, m.updating(fn))
}

// UpdateAll is UpdateUser for all live sessions, in pages, including those of visitors who are not signed in. It is for
// data that a new version of the application keeps under another name or in another form. Run it when no node of the
// old version is left to write.
//
// A session that begins meanwhile may be left out. One that gets a new id meanwhile is not, but fn may run on it again,
// and then it counts twice: fn must leave alone what it has already changed.
func (m *Manager) UpdateAll(ctx context.Context, fn func(*Session) error) (int, error) {
	return m.keeper.VisitAll(ctx, m.now().Add(-life.ClockSkew), m.updating(fn))
}

// updating runs fn on the session of a record.
func (m *Manager) updating(fn func(*Session) error) life.Visitor {
	return func(ctx context.Context, rec *life.Record) (refused, err error) {
		s := m.newSession(ctx, nil)
		s.isNew, s.seenAt = false, envelope.Micro(rec.SeenAt)
		s.draft = m.keeper.ByOperator(rec)
		err = s.Atomic(ctx, func(s *Session) error {
			refused = update(s, fn)
			return refused
		})
		return refused, inward(err)
	}
}

func update(s *Session, fn func(*Session) error) error {
	if err := fn(s); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draft.Moves() {
		return errIdentity
	}
	return nil
}
