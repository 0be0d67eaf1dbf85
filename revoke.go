package session

import (
	"context"
	"slices"

	"github.com/coatcheck/session/internal/life"
)

// Revoke ends sessions by their Info.ID and says how many it ended; an unknown id is no error. A session that is
// renewed at the same time is ended under its new id. The error wraps ErrUnavailable.
func (m *Manager) Revoke(ctx context.Context, ids ...string) (int, error) {
	return m.keeper.Records.Revoke(ctx, life.Anybody, ids)
}

// RevokeOwn is Revoke for a page on which people end sessions of their own: an id that is not the user's, and does not
// lead to a session of the user, counts as unknown. An id that was renewed since the page was shown leads to its
// session. The error wraps ErrUnavailable, or ErrNotSupported with cookiestore, which does not know whose an id is.
func (m *Manager) RevokeOwn(ctx context.Context, user string, ids ...string) (int, error) {
	if err := m.keeper.CanList(); err != nil {
		return 0, err
	}
	if err := life.CheckUser(user); err != nil {
		return 0, err
	}
	return m.keeper.Records.Revoke(ctx, user, ids)
}

// RevokeUser ends all sessions of a user except those to keep, and says how many it ended. Session.ID keeps the session
// of the request whose context is given, also when it gets that id with this request only. A kept session that is
// renewed at the same time is kept. A session that begins while this runs is ended too if it was there before the last
// look. With cookiestore nobody knows how many there are: it says 0. The errors are those of Sessions.
func (m *Manager) RevokeUser(ctx context.Context, user string, keep ...string) (int, error) {
	keep = m.keepCurrent(ctx, keep)
	return m.keeper.Records.RevokeUser(ctx, user, keep)
}

// keepCurrent adds the id that the session of the request still has in the store, when the one to come is to be kept:
// after Regenerate or Login, and before the commit.
func (m *Manager) keepCurrent(ctx context.Context, keep []string) []string {
	ex, ok := ctx.Value(exchangeKey{m}).(*exchange)
	if !ok {
		return keep
	}
	s := ex.loaded()
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
