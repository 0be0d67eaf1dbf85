package sessiontest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/coatcheck/session"
)

// heir is the record of a new id that a session is about to get.
func heir(id, of, user string) *session.Record {
	rec := owned(id, user)
	rec.Successor = of
	return rec
}

// movesInAFullStore gives each session of a full store new ids, twice as often as there is room for retired ones.
func movesInAFullStore(ctx context.Context, e *env) error {
	f, err := e.fillable()
	if err != nil {
		return err
	}
	ids := handles(4 * bound)
	if err := f.createAll(ctx, ids[:bound]); err != nil {
		return err
	}
	for n := bound; n < len(ids); n++ {
		from, to, user := ids[n-bound], ids[n], sample(ids[n%bound]).User
		retired := owned(from, user)
		retired.Kind, retired.Successor, retired.Version = session.KindAlias, to, 1
		if err := first(f.create(ctx, heir(to, from, user)), f.replace(ctx, retired)); err != nil {
			return err
		}
		for _, id := range ids[n-bound+1 : n+1] {
			if _, err := f.load(ctx, id); err != nil {
				return fmt.Errorf("a session in a full store got a new id: %w", err)
			}
		}
	}
	return nil
}

// keptWhileItMoves lets each session of a full store move, as one that is renewed, signs in, signs out or stays a
// stranger. A store may drop in any order, so that a mover alone says little: it has to be each in turn.
func keptWhileItMoves(ctx context.Context, e *env) error {
	for n := range bound {
		for _, users := range [][2]string{{"ada", "ada"}, {"", "ada"}, {"ada", ""}, {"", ""}} {
			if err := e.keptWhileOneMoves(ctx, n, users[0], users[1]); err != nil {
				return err
			}
		}
	}
	return nil
}

// keptWhileOneMoves fills the store twice over with sessions that were seen later, while the one that was created as
// the nth has both of its records.
func (e *env) keptWhileOneMoves(ctx context.Context, n int, before, after string) error {
	f, err := e.fillable()
	if err != nil {
		return err
	}
	ids := handles(3*bound + 1)
	from, to := ids[n], ids[3*bound]
	var recs []*session.Record
	for i, id := range ids[:3*bound] {
		rec := sample(id)
		rec.SeenAt = rec.SeenAt.Add(time.Duration(max(0, i-bound+1)) * time.Minute)
		recs = append(recs, rec)
	}
	recs[n].User = before
	recs = slices.Insert(recs, bound, heir(to, from, after))
	return first(f.create(ctx, recs...), f.endsItsMove(ctx, from, to, before))
}

// endsItsMove retires the old id. Both records must be there before, and the new one afterwards.
func (f fillable) endsItsMove(ctx context.Context, from, to, user string) error {
	retired := owned(from, user)
	retired.Kind, retired.Successor, retired.Version = session.KindAlias, to, 1
	_, oldErr := f.load(ctx, from)
	_, newErr := f.load(ctx, to)
	saveErr := f.replace(ctx, retired)
	_, lastErr := f.load(ctx, to)
	if err := first(oldErr, newErr, saveErr, lastErr); err != nil {
		return fmt.Errorf("others were created while a session got a new id: %w", err)
	}
	return nil
}
