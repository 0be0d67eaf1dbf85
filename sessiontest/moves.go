package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/coatcheck/session"
)

var moveRules = []rule{
	{name: "a user is never without the session that moves from id to id", clause: "Lister 1", needs: []need{lister},
		check: listedWhileItMoves},
	{name: "a conflict hands over another version than the save named", clause: "ConflictError",
		check: conflictIsNewer},
}

// listedWhileItMoves gives a session new ids as the manager does: the new record is there before the old one is
// retired.
func listedWhileItMoves(ctx context.Context, e *env) error {
	const moves = 20
	if err := e.create(ctx, owned(handle(0), "ada")); err != nil {
		return err
	}
	var looks atomic.Int64
	moved := make(chan struct{})
	errs := race(4, func(i int) error {
		if i > 0 {
			return until(moved, func() error {
				looks.Add(1)
				return e.wantSome(ctx, "ada")
			})
		}
		defer close(moved)
		for n := range moves {
			awaitChange(&looks) // so that the session moves while somebody looks
			if err := e.move(ctx, handle(n), handle(n+1), "ada"); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(errs...)
}

// awaitChange lets others run until the count changes, but not for ever.
func awaitChange(count *atomic.Int64) {
	for was, n := count.Load(), 0; n < 10_000 && count.Load() == was; n++ {
		runtime.Gosched()
	}
}

// move gives the session of a user another id, and deletes the old one at the next opportunity, as a sweep would.
func (e *env) move(ctx context.Context, from, to, user string) error {
	retired := owned(from, user)
	retired.Kind, retired.Successor, retired.Version = session.KindAlias, to, 1
	return first(e.create(ctx, owned(to, user)), e.replace(ctx, retired), e.remove(ctx, from))
}

func (e *env) wantSome(ctx context.Context, user string) error {
	byID, err := e.byUser(ctx, user)
	if err == nil && len(byID) == 0 {
		err = fmt.Errorf("ByUser(%q) lists nothing while a session of the user moves to another id", user)
	}
	return err
}

// conflictIsNewer lets savers compete. Whoever has lost to another save must not be told that nothing has changed.
func conflictIsNewer(ctx context.Context, e *env) error {
	if err := e.create(ctx, sample(idA)); err != nil {
		return err
	}
	for version := uint64(1); version <= rounds; version++ {
		for _, err := range race(racers, func(i int) error { return e.Save(ctx, entry(i, version)) }) {
			var conflict *session.ConflictError
			if errors.As(err, &conflict) && conflict.Newest != nil && conflict.Newest.Version == version {
				return fmt.Errorf("Save over version %d = a conflict with a record of that version", version)
			}
		}
	}
	return nil
}
