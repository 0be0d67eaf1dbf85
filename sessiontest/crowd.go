package sessiontest

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/coatcheck/session"
)

// manyGoroutines does everything with a few records from many goroutines, and then looks at what is left of them.
func manyGoroutines(ctx context.Context, e *env) error {
	const goroutines, steps = 50, 12
	ids := handles(5)
	errs := race(goroutines, func(int) error {
		for range steps {
			if err := e.anything(ctx, ids[rand.IntN(len(ids))]); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return e.wantConsistent(ctx, ids)
}

// anything does something with a record, and accepts whatever the others may have made of it.
func (e *env) anything(ctx context.Context, id string) error {
	switch rand.IntN(10) {
	case 0:
		return e.remove(ctx, id)
	case 1, 2:
		return lost(e.Save(ctx, summed(id, 0)))
	case 3:
		return e.touchAny(ctx, id)
	case 4:
		return e.listAny(ctx, id)
	default:
		return e.saveAny(ctx, id)
	}
}

// lost is err unless somebody else was just faster.
func lost(err error) error {
	if errors.Is(err, session.ErrConflict) || errors.Is(err, session.ErrNotFound) {
		return nil
	}
	return err
}

func (e *env) saveAny(ctx context.Context, id string) error {
	rec, err := e.Load(ctx, id)
	if err != nil {
		return lost(err)
	}
	return first(wantWhole(rec), lost(e.Save(ctx, summed(id, rec.Version))))
}

// touchAny touches with the times that are there, lest the record look torn.
func (e *env) touchAny(ctx context.Context, id string) error {
	if e.toucher() == nil {
		return nil
	}
	return e.touch(ctx, id, 1, summed(id, 0).SeenAt, summed(id, 0).ExpiresAt)
}

func (e *env) listAny(ctx context.Context, id string) error {
	if e.lister() == nil {
		return nil
	}
	_, err := e.lister().ByUser(ctx, next(id, 0).User)
	_, pageErr := e.lister().Page(ctx, "", 3)
	return first(err, pageErr)
}

// wantConsistent wants each record whole and in its lists, or nowhere.
func (e *env) wantConsistent(ctx context.Context, ids []string) error {
	for _, id := range ids {
		rec, err := e.Load(ctx, id)
		switch {
		case err == nil:
			err = first(wantWhole(rec), e.wantListed(ctx, rec))
		case errors.Is(err, session.ErrNotFound):
			err = e.wantUnlisted(ctx, id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
