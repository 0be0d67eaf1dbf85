package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coatcheck/session"
)

func sweepRacesSaves(ctx context.Context, e *env) error {
	return e.sweepRaces(ctx, func(id string) (moved bool, err error) {
		rec := expiring(id, at(day))
		rec.Version = 1
		err = e.Save(ctx, rec)
		return err == nil, unlessGone(err)
	})
}

// sweepRacesTouches takes an end for moved when a load has shown it: a touch does not say whether there was a record.
func sweepRacesTouches(ctx context.Context, e *env) error {
	return e.sweepRaces(ctx, func(id string) (moved bool, err error) {
		if err := e.touch(ctx, id, 1, at(time.Minute), at(day)); err != nil {
			return false, err
		}
		rec, err := e.Load(ctx, id)
		return err == nil && rec.ExpiresAt.After(at(0)), unlessGone(err)
	})
}

func unlessGone(err error) error {
	if errors.Is(err, session.ErrNotFound) {
		return nil
	}
	return err
}

// sweepRaces moves the ends of records that have expired, each by a goroutine, while a sweep looks for such records.
func (e *env) sweepRaces(ctx context.Context, move func(id string) (moved bool, err error)) error {
	const n = 4
	for round := range rounds {
		ids, moved := handles((round + 1) * n)[round*n:], make([]bool, n)
		for _, id := range ids {
			if err := e.create(ctx, expiring(id, at(0))); err != nil {
				return err
			}
		}
		errs := race(n+1, func(i int) (err error) {
			if i == n {
				_, err = e.sweeper().Sweep(ctx, at(time.Microsecond), 100)
			} else {
				moved[i], err = move(ids[i])
			}
			return err
		})
		if err := first(errors.Join(errs...), e.wantWhatMoved(ctx, ids, moved)); err != nil {
			return err
		}
	}
	return nil
}

// wantWhatMoved wants those of the records that moved, and no other.
func (e *env) wantWhatMoved(ctx context.Context, ids []string, moved []bool) error {
	for i, id := range ids {
		if !moved[i] {
			if err := first(e.wantAbsent(ctx, id), e.wantUnlisted(ctx, id)); err != nil {
				return fmt.Errorf("a record that was gone when its end was to move: %w", err)
			}
			continue
		}
		rec, err := e.load(ctx, id)
		if err == nil {
			err = e.wantListed(ctx, rec)
		}
		if err != nil {
			return fmt.Errorf("a record whose end moved while a sweep ran: %w", err)
		}
	}
	return nil
}
