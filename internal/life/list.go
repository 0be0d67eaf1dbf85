package life

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"
)

// pageSize is how many records all asks for at a time.
const pageSize = 200

func (k *Keeper) alive(r *Record) bool {
	return r.Kind == KindLive && (r.ExpiresAt.IsZero() || k.Now().Before(r.ExpiresAt))
}

// CanList is the error of whatever needs a list.
func (k *Keeper) CanList() error {
	if k.can.Lister == nil {
		return fmt.Errorf("%w: %s cannot list sessions", ErrNotSupported, k.StoreType)
	}
	return nil
}

func (k *Keeper) byUser(ctx context.Context, user string) ([]*Record, error) {
	if err := k.CanList(); err != nil {
		return nil, err
	}
	if err := CheckUser(user); err != nil {
		return nil, err
	}
	recs, err := k.can.Lister.ByUser(ctx, user)
	if err != nil {
		return nil, Unavailable(err)
	}
	return recs, nil
}

// isSession reports whether a live record is a session of its own. One whose predecessor is on the same page is listed
// as that.
func (k *Keeper) isSession(ctx context.Context, r *Record, page []*Record) (bool, error) {
	id := r.Predecessor()
	if id == "" {
		return true, nil
	}
	if slices.ContainsFunc(page, func(o *Record) bool { return o.ID == id }) {
		return false, nil
	}
	before, err := k.before(ctx, r)
	return before == nil && err == nil, err
}

// SessionsOf lists the live records of a user, one for each session.
func (k *Keeper) SessionsOf(ctx context.Context, user string) ([]*Record, error) {
	recs, err := k.byUser(ctx, user)
	if err != nil {
		return nil, err
	}
	return k.withoutHeirs(ctx, slices.DeleteFunc(recs, func(r *Record) bool { return !k.alive(r) }))
}

// withoutHeirs leaves out the records of moves that were not decided when they were listed, or were decided otherwise
// since: the sessions that move are there themselves. A record that shares its beginning with none has no part in such
// a move, so that nobody has to be asked.
func (k *Keeper) withoutHeirs(ctx context.Context, recs []*Record) ([]*Record, error) {
	there, begun := map[string]bool{}, map[int64]int{}
	for _, r := range recs {
		there[r.ID] = true
		begun[r.CreatedAt.UnixMicro()]++
	}
	var own []*Record
	for _, r := range recs {
		moves := there[r.Predecessor()]
		if !moves && begun[r.CreatedAt.UnixMicro()] > 1 {
			before, err := k.before(ctx, r)
			if err != nil {
				return nil, err
			}
			// A login counts before it is decided.
			moves = before != nil && (before.User == r.User || before.Kind != KindLive)
		}
		if !moves {
			own = append(own, r)
		}
	}
	return own, nil
}

// All goes through the records of all live sessions, in pages. An error ends the walk. A session that gets a new id
// after since is listed under that too, wherever the walk is by then; zero: it is not.
func (k *Keeper) All(ctx context.Context, since time.Time) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		for page, err := range k.pages(ctx) {
			var own []*Record
			if err == nil {
				own, err = k.sessionsIn(ctx, page, since)
			}
			for _, r := range own {
				if !yield(r, nil) {
					return
				}
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// pages goes through all records, of every kind. What the store could not read is an error at the end.
func (k *Keeper) pages(ctx context.Context) iter.Seq2[[]*Record, error] {
	return func(yield func([]*Record, error) bool) {
		if err := k.CanList(); err != nil {
			yield(nil, err)
			return
		}
		var failed error
		for after, more := "", true; more; {
			page, err := k.can.Lister.Page(ctx, after, pageSize)
			failed = cmp.Or(failed, err)
			if more = len(page) == pageSize; more {
				after = page[pageSize-1].ID
			}
			if len(page) > 0 && !yield(page, nil) {
				return
			}
		}
		if failed != nil {
			yield(nil, Unavailable(failed))
		}
	}
}

// sessionsIn are the sessions on a page, and those that an id on it has led to since.
func (k *Keeper) sessionsIn(ctx context.Context, page []*Record, since time.Time) (own []*Record, err error) {
	live := slices.DeleteFunc(slices.Clone(page), func(r *Record) bool { return !k.alive(r) })
	for _, r := range live {
		is, err := k.isSession(ctx, r, live)
		if err != nil {
			return own, err
		}
		if is {
			own = append(own, r)
		}
	}
	for _, r := range page {
		if r.Kind == KindLive || since.IsZero() || r.SeenAt.Before(since) {
			continue
		}
		heir, err := k.Heir(ctx, r.ID)
		if err != nil {
			return own, err
		}
		if heir != nil {
			own = append(own, heir)
		}
	}
	return own, nil
}

// Heir is the live record to which an id leads by now, nil for none.
func (k *Keeper) Heir(ctx context.Context, id string) (*Record, error) {
	for range maxMoves {
		rec, err := k.Load(ctx, id)
		switch {
		case errors.Is(err, ErrUnavailable):
			return nil, err
		case err != nil:
			return nil, nil
		case rec.Kind == KindLive:
			return rec, nil
		}
		id = rec.Successor
	}
	return nil, nil
}
