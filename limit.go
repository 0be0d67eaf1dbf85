package session

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

// admission creates the first record of a login, within Options.MaxPerUser.
type admission struct {
	m       *Manager
	rec     *Record
	instead string // the id whose place the record takes
	evicted []Event
}

// insert stores the record of a new id. Only a Login is counted: a session that changes its id is there already.
func (c *core) insert(ctx context.Context, rec *Record) error {
	if c.m.limiter == nil || !c.login {
		return c.m.store.Save(ctx, rec)
	}
	a := admission{m: c.m, rec: rec, instead: c.replaced(rec.User)}
	err := a.admit(ctx)
	c.events = append(c.events, a.evicted...)
	return err
}

// replaced is the id of the session that ends when the new one of this user is there.
func (c *core) replaced(user string) string {
	old := c.rec
	if c.ending != nil {
		old = c.ending.rec
	}
	if old == nil || old.User != user {
		return ""
	}
	return old.ID
}

// admit tries until the store finds room. Each login that finds none ends as many sessions as it needs; when another one
// takes the room meanwhile, it does so again. The logins of one user in one process take turns.
func (a *admission) admit(ctx context.Context) error {
	var mine turn
	defer func() { mine.release() }()
	for attempt := 0; ; attempt++ {
		limit := Limit{Max: a.m.opts.MaxPerUser, Now: a.m.now(), Instead: a.instead}
		err := a.m.limiter.SaveWithin(ctx, a.rec, limit)
		if !errors.Is(err, ErrTooMany) {
			return err
		}
		if mine == nil {
			mine = a.m.turns.take(ctx, a.rec.User)
		}
		if err := a.makeRoom(ctx, attempt, err); err != nil {
			return err
		}
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
}

// patience is how often an admission looks again before it believes that a session which seems to be there twice, because it
// is just changing its id, is two.
const patience = 3

// makeRoom ends the sessions that are too many, the first to sign in first; with RefuseNew it returns full, the store's
// answer, instead.
func (a *admission) makeRoom(ctx context.Context, attempt int, full error) error {
	recs, err := a.m.byUser(ctx, a.rec.User)
	if err != nil {
		return err
	}
	recs = slices.DeleteFunc(recs, func(r *Record) bool { return !a.m.alive(r) || r.ID == a.instead })
	slices.SortFunc(recs, func(x, y *Record) int {
		return cmp.Or(x.LoginAt.Compare(y.LoginAt), x.CreatedAt.Compare(y.CreatedAt), cmp.Compare(x.ID, y.ID))
	})
	surplus := len(recs) + 1 - a.m.opts.MaxPerUser
	if surplus <= 0 || attempt < patience && seemsToMove(recs) {
		return nil
	}
	if a.m.opts.Overflow == RefuseNew {
		return full
	}
	for _, r := range recs[:surplus] {
		if err := a.evict(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// seemsToMove reports whether two sessions began and signed in at the same time: a move lists the new id before the old
// one is retired.
func seemsToMove(sorted []*Record) bool {
	for i := 1; i < len(sorted); i++ {
		if x, y := sorted[i-1], sorted[i]; x.LoginAt.Equal(y.LoginAt) && x.CreatedAt.Equal(y.CreatedAt) {
			return true
		}
	}
	return false
}

func (a *admission) evict(ctx context.Context, r *Record) error {
	ended, err := a.m.end(ctx, r, nil)
	for _, e := range ended {
		a.evicted = append(a.evicted, Event{Kind: EventEvicted, ID: e.ID, User: e.User})
		err = errors.Join(err, a.m.remove(ctx, e.ID))
	}
	return err
}
