package life

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/coatcheck/session/internal/newest"
)

// admission creates the first record of a login, within Options.MaxPerUser.
type admission struct {
	k       *Keeper
	rec     *Record
	from    string  // the id of the session that signs in; "": none
	needed  bool    // without that session there is no login
	instead string  // the id whose place the record takes: that of the same session, when it is the user's already
	evicted []Event // of sessions that were ended to make room; their tombstones tell them from moves
}

// insert stores the record of a new id. Only a Login is counted: a session that changes its id is there already.
func (d *Draft) insert(ctx context.Context, rec *Record) error {
	if d.k.can.Limiter == nil || !d.SignsIn() {
		return d.k.save(ctx, rec)
	}
	a := admission{k: d.k, rec: rec}
	old := d.at.Rec
	if d.leaving() != nil {
		old = d.leaving().Rec
	}
	if old != nil {
		a.from, a.needed = old.ID, d.leaving() == nil
	}
	if old != nil && old.User == rec.User {
		a.instead = old.ID
	}
	err := a.admit(ctx)
	d.report(a.evicted...)
	return err
}

// admit tries until the store finds room. Each login that finds none ends as many sessions as it needs; when another
// one takes the room meanwhile, it does so again. The logins of one user in one process wait for each other.
func (a *admission) admit(ctx context.Context) error {
	var mine *spot
	defer func() { mine.release() }()
	for attempt := 0; ; attempt++ {
		limit := Limit{Max: a.k.MaxPerUser, Now: a.k.Now(), Instead: a.instead}
		err := a.k.can.Limiter.SaveWithin(ctx, a.rec, limit)
		if err == nil {
			a.rec.Version++
		}
		if !errors.Is(err, ErrTooMany) {
			return err
		}
		if mine == nil {
			mine = a.k.queues.wait(ctx, "user "+a.rec.User)
		}
		if err := a.makeRoom(ctx, err); err != nil {
			return err
		}
		if err := Pause(ctx, attempt); err != nil {
			return err
		}
	}
}

// makeRoom ends the sessions that are too many, the first to begin first; with RefuseNew it returns full, the store's
// answer, instead.
func (a *admission) makeRoom(ctx context.Context, full error) error {
	ctx = newest.With(ctx)
	all, err := a.k.byUser(ctx, a.rec.User)
	if err != nil {
		return err
	}
	recs, removed, err := a.withoutLost(ctx, all)
	if err == nil && !removed {
		err = a.follow(ctx)
	}
	if err != nil || removed { // there may be room now
		return err
	}
	recs = slices.DeleteFunc(recs, func(r *Record) bool { return !a.k.alive(r) || a.replaces(r) })
	slices.SortFunc(recs, func(x, y *Record) int {
		return cmp.Or(x.begun().Compare(y.begun()), x.CreatedAt.Compare(y.CreatedAt), cmp.Compare(x.ID, y.ID))
	})
	surplus := len(recs) + 1 - a.k.MaxPerUser
	if surplus > 0 && a.k.RefuseNew {
		return full
	}
	for _, r := range recs[:max(surplus, 0)] {
		if err := errors.Join(a.evict(ctx, r), a.k.removeHeirs(ctx, r, all)); err != nil {
			return err
		}
	}
	return nil
}

// begun is when the session became its user's. Whoever signed in elsewhere long ago did so here when it was created, if
// they have no older session that this one goes on from.
func (r *Record) begun() time.Time { return laterOf(r.CreatedAt, r.LoginAt) }

// withoutLost leaves out the records of moves, and removes those of moves that were decided otherwise: whoever made
// such a record is about to remove it, too, or has died.
func (a *admission) withoutLost(ctx context.Context, all []*Record) (own []*Record, removed bool, err error) {
	there := map[string]bool{}
	for _, r := range all {
		there[r.ID] = true
	}
	for _, r := range all {
		before, err := a.k.movingFrom(ctx, r)
		switch {
		case err != nil:
			return nil, false, err
		case before != nil && before.Kind != KindLive:
			removed = true
			if err := a.k.removeLost(ctx, r); err != nil {
				return nil, false, err
			}
		case before == nil && !there[r.Predecessor()]: // decided only since the two were listed
			own = append(own, r)
		}
	}
	return own, removed, nil
}

// removeLost removes a record that was made for nothing. It is retired first, at the version that was seen: the request
// that made it may write it anew, and then it is its session.
func (k *Keeper) removeLost(ctx context.Context, r *Record) error {
	err := k.Store.Save(ctx, k.tombstoneOf(r, nil))
	switch {
	case errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return Unavailable(err)
	}
	return k.remove(ctx, r.ID)
}

// replaces reports whether a record is of the session whose place the new one takes.
func (a *admission) replaces(r *Record) bool {
	return a.instead != "" && (r.ID == a.instead || r.Predecessor() == a.instead)
}

// follow finds the session that signs in under the id that it has by now. It is looked for after the others were
// listed, so that it is not taken for one of them. When it has ended meanwhile, another login on it may have been one
// of the others: nobody is evicted before it is clear that this one does not begin afresh.
func (a *admission) follow(ctx context.Context) error {
	if a.from == "" {
		return nil
	}
	rec, err := a.k.Load(ctx, a.from)
	for moves := 0; err == nil && rec.Kind == KindAlias && moves < maxMoves; moves++ {
		a.from = rec.Successor
		rec, err = a.k.Load(ctx, a.from)
	}
	switch {
	case errors.Is(err, ErrUnavailable):
		return err
	case a.needed && (err != nil || rec.Kind != KindLive):
		return ErrTombstone
	case a.instead != "":
		a.instead = a.from
	}
	return nil
}

func (a *admission) evict(ctx context.Context, r *Record) error {
	// Not who signed in on the same browser meanwhile.
	ended, err := a.k.End(ctx, r, Ending{Why: ReasonLimit, Told: true, Of: r.User})
	for _, e := range ended {
		a.evicted = append(a.evicted, Event{Kind: EventEvicted, ID: e.ID, User: e.User, Reason: ReasonLimit})
	}
	return err
}
