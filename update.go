package session

import (
	"context"
	"errors"
)

// UpdateUser runs fn on the newest state of each live session of a user, saves what it changed as Atomic does, and says
// how many sessions that were. It is for what must hold at once wherever the user is signed in, such as what the
// user may do. A session that begins meanwhile is changed too if it was there before the last look.
//
// fn may change data only, for nobody could be told of a new id. It runs more than once on a session that is changed or
// renewed at the same time. The sessions do not count as seen. An error of fn ends the walk; the sessions before it stay
// changed. The other errors are those of Sessions.
func (m *Manager) UpdateUser(ctx context.Context, user string, fn func(*Session) error) (int, error) {
	n, done := 0, map[string]bool{}
	for range 10 { // a session that moves all the time cannot keep this busy for ever
		recs, err := m.byUser(ctx, user)
		if err != nil {
			return n, err
		}
		before := len(done)
		for _, rec := range recs {
			if done[rec.ID] || !m.alive(rec) {
				continue
			}
			done[rec.ID] = true
			err := m.updateOne(ctx, rec, fn)
			if err == nil {
				n++
			} else if !errors.Is(err, ErrEnded) { // one that was renewed is in the next list
				return n, err
			}
		}
		if len(done) == before {
			break
		}
	}
	return n, nil
}

// updateOne changes the session of a record that was listed.
func (m *Manager) updateOne(ctx context.Context, rec *Record, fn func(*Session) error) error {
	s := m.newSession(ctx, nil)
	s.isNew, s.seenAt = false, rec.SeenAt
	s.c.rec, s.c.unseen = rec, true
	return s.Atomic(ctx, fn)
}
