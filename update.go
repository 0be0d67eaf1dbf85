package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coatcheck/session/internal/life"
)

// errIdentity refuses what a function given to UpdateUser must not do.
var errIdentity = errors.New("session: a function given to UpdateUser changes data only: nobody could be told of a " +
	"new id; end sessions with RevokeUser")

// UpdateUser runs fn on the newest state of each live session of a user, saves what it changed as Atomic does, and says
// how many sessions that were. It is for what must hold at once wherever the user is signed in, such as what the
// user may do. A session that begins meanwhile is changed too if it was there before the last look.
//
// fn may change data and clocks only; Login, Logout, Regenerate or Invalidate in it are an error. It runs more than
// once on a session that is changed or renewed at the same time. The sessions do not count as seen. An error of fn ends
// the walk; the sessions before it stay changed. A session that cannot be changed, such as one that would become larger
// than Options.MaxBytes, does not keep fn from the others: the error, which wraps those of all such sessions, comes at
// the end. The other errors are those of Sessions.
func (m *Manager) UpdateUser(ctx context.Context, user string, fn func(*Session) error) (int, error) {
	u := update{m: m, fn: fn, done: map[string]bool{}}
	for range 10 { // a session that moves all the time cannot keep this busy for ever
		recs, err := m.keeper.SessionsOf(ctx, user)
		if err != nil {
			return u.changed, errors.Join(u.failed, err)
		}
		before := len(u.done)
		for _, rec := range recs {
			if err := u.change(ctx, rec); err != nil {
				return u.changed, err
			}
		}
		if len(u.done) == before {
			break
		}
	}
	return u.changed, u.all()
}

// UpdateAll is UpdateUser for all live sessions, those of nobody too, in pages: for what a new version of the
// application calls by another name, or keeps in another form. Run it when no node of the old version writes any more.
//
// A session that begins meanwhile may be left out. One that gets a new id meanwhile is not, but fn may run on it again,
// and then it counts twice: fn must leave what it has changed already as it is.
func (m *Manager) UpdateAll(ctx context.Context, fn func(*Session) error) (int, error) {
	since := m.now().Add(-clockSkew)
	u := update{m: m, fn: fn, done: map[string]bool{}, since: since}
	for rec, err := range m.keeper.All(ctx, since) {
		if err == nil {
			err = u.change(ctx, rec)
		} else {
			err = errors.Join(u.failed, err)
		}
		if err != nil {
			return u.changed, err
		}
	}
	return u.changed, u.all()
}

// update is one call of UpdateUser or UpdateAll.
type update struct {
	m       *Manager
	fn      func(*Session) error
	since   time.Time       // a session that was not seen since then comes once; zero: any may come again
	done    map[string]bool // by id
	changed int
	failed  error // of sessions that cannot be changed, the first of them

	failures int // all of them
}

// maxFailures is how many sessions that cannot be changed are told of one by one.
const maxFailures = 100

// fail remembers that a session cannot be changed.
func (u *update) fail(err error) {
	if u.failures++; u.failures <= maxFailures {
		u.failed = errors.Join(u.failed, err)
	}
}

// all is the error of all sessions that cannot be changed.
func (u *update) all() error {
	if u.failures <= maxFailures {
		return u.failed
	}
	return errors.Join(u.failed, fmt.Errorf("session: and so for %d more sessions", u.failures-maxFailures))
}

// change changes the session of a record that was listed. The error is one that ends the walk.
func (u *update) change(ctx context.Context, rec *life.Record) error {
	if u.done[rec.ID] {
		return nil
	}
	if u.since.IsZero() || !rec.SeenAt.Before(u.since) {
		u.done[rec.ID] = true
	}
	s := u.m.newSession(ctx, nil)
	s.isNew, s.seenAt = false, rec.SeenAt
	s.draft = u.m.keeper.ByOperator(rec)
	var refused error
	err := s.Atomic(ctx, func(s *Session) error {
		refused = u.run(s)
		return refused
	})
	switch err = inward(err); {
	case refused != nil:
		return refused
	case err == nil:
		u.changed++
	case ctx.Err() != nil:
		return errors.Join(u.failed, err)
	case !errors.Is(err, ErrEnded):
		u.fail(err)
	case !u.since.IsZero(): // else one that was renewed is in the next list
		return u.follow(ctx, rec)
	}
	return nil
}

// follow changes a session that got a new id after it was listed.
func (u *update) follow(ctx context.Context, rec *life.Record) error {
	heir, err := u.m.keeper.Heir(ctx, rec.ID)
	switch {
	case err != nil:
		u.fail(err)
	case heir != nil && heir.ID != rec.ID:
		return u.change(ctx, heir)
	}
	return nil
}

func (u *update) run(s *Session) error {
	if err := u.fn(s); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draft.Moves() {
		return errIdentity
	}
	return nil
}
