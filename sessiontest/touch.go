package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coatcheck/session"
)

var touchRules = []rule{
	{name: "a touch of another version changes nothing", clause: "Toucher 1", needs: []need{toucher},
		check: touchNamesVersion},
	{name: "a touch keeps the later time seen", clause: "Toucher 2", needs: []need{toucher},
		check: touchKeepsLaterSeen},
	{name: "a touch keeps the later expiry, and never is the latest", clause: "Toucher 2", needs: []need{toucher},
		check: touchKeepsLaterExpiry},
	{name: "of concurrent touches the latest times stay", clause: "Toucher 2", needs: []need{toucher},
		check: touchesRace},
	{name: "a touch changes nothing else", clause: "Toucher 3", needs: []need{toucher}, check: touchChangesNothingElse},
	{name: "a touch never makes a save fail", clause: "Toucher 3", needs: []need{toucher}, check: touchThenSave},
	{name: "touches neither disturb a save nor undo it", clause: "Toucher 3", needs: []need{toucher},
		check: touchesRaceSaves},
	{name: "a touch of what is not there is no error and creates nothing", clause: "Toucher 4", needs: []need{toucher},
		check: touchCreatesNothing},
	{name: "a delete is final for the touches that race it", clause: "Toucher 4", needs: []need{toucher},
		check: touchesRaceDelete},
}

func (e *env) touch(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
	if err := e.toucher().Touch(ctx, id, version, seen, expires); err != nil {
		return fmt.Errorf("Touch(%q, version %d) = %w, want no error", id, version, err)
	}
	return nil
}

func touchNamesVersion(ctx context.Context, e *env) error {
	one, two := sample(idA), next(idA, 1)
	if err := e.create(ctx, one); err != nil {
		return err
	}
	for _, version := range otherVersions {
		if err := first(e.touch(ctx, idA, version, at(day), time.Time{}), e.wantStored(ctx, one)); err != nil {
			return err
		}
	}
	return first(
		e.touch(ctx, idA, 0, at(day), at(day)), e.wantStored(ctx, one),
		e.replace(ctx, two),
		e.touch(ctx, idA, 1, at(day), at(day)), e.touch(ctx, idA, 3, at(day), time.Time{}), e.wantStored(ctx, two),
	)
}

func touchKeepsLaterSeen(ctx context.Context, e *env) error {
	rec := sample(idA)
	if err := e.create(ctx, rec); err != nil {
		return err
	}
	for _, step := range []struct{ touch, want time.Time }{
		{time.Time{}, rec.SeenAt},
		{rec.SeenAt.Add(-day), rec.SeenAt},
		{rec.SeenAt, rec.SeenAt},
		{rec.SeenAt.Add(time.Microsecond), rec.SeenAt.Add(time.Microsecond)},
		{at(day), at(day)},
		{at(time.Hour), at(day)},
		{at(3 * day), at(3 * day)},
	} {
		rec.SeenAt = step.want
		err := first(e.touch(ctx, idA, 1, step.touch, rec.ExpiresAt.Add(-time.Minute)), e.wantStored(ctx, rec))
		if err != nil {
			return fmt.Errorf("after a touch with the time %v: %w", step.touch, err)
		}
	}
	return nil
}

func touchKeepsLaterExpiry(ctx context.Context, e *env) error {
	rec, never := sample(idA), time.Time{}
	if err := e.create(ctx, rec); err != nil {
		return err
	}
	for _, step := range []struct{ touch, want time.Time }{
		{rec.ExpiresAt.Add(-time.Minute), rec.ExpiresAt},
		{rec.ExpiresAt.Add(time.Microsecond), rec.ExpiresAt.Add(time.Microsecond)},
		{at(2 * day), at(2 * day)},
		{at(day), at(2 * day)},
		{never, never},
		{at(3 * day), never},
		{never, never},
	} {
		rec.ExpiresAt = step.want
		if err := first(e.touch(ctx, idA, 1, rec.SeenAt.Add(-day), step.touch), e.wantStored(ctx, rec)); err != nil {
			return fmt.Errorf("after a touch with the expiry %v: %w", step.touch, err)
		}
	}
	return nil
}

func touchesRace(ctx context.Context, e *env) error {
	rec := sample(idA)
	if err := e.create(ctx, rec); err != nil {
		return err
	}
	for round := 1; round <= rounds; round++ {
		rec.SeenAt, rec.ExpiresAt = at(time.Duration(round)*day), at(time.Duration(round+1)*day)
		errs := race(racers, func(i int) error {
			earlier := time.Duration(i) * time.Minute
			return e.touch(ctx, idA, 1, rec.SeenAt.Add(-earlier), rec.ExpiresAt.Add(earlier-(racers-1)*time.Minute))
		})
		if err := first(errors.Join(errs...), e.wantStored(ctx, rec)); err != nil {
			return err
		}
	}
	return nil
}

func touchChangesNothingElse(ctx context.Context, e *env) error {
	for i, kind := range []session.RecordKind{session.KindLive, session.KindAlias, session.KindTombstone} {
		rec := sample(handle(i))
		rec.Kind, rec.Data = kind, []byte("\x00\xff some data")
		if err := first(e.create(ctx, rec), e.touch(ctx, rec.ID, 1, at(day), at(2*day))); err != nil {
			return err
		}
		rec.SeenAt, rec.ExpiresAt = at(day), at(2*day)
		if err := first(e.wantStored(ctx, rec), e.wantListed(ctx, stored(rec))); err != nil {
			return err
		}
	}
	return nil
}

func touchThenSave(ctx context.Context, e *env) error {
	two := next(idA, 1)
	return first(
		e.create(ctx, sample(idA)), e.touch(ctx, idA, 1, at(day), at(2*day)),
		e.replace(ctx, two), e.wantStored(ctx, two), // also its times, which are earlier
	)
}

// touchesRaceSaves touches every version while it is replaced. The times of the touches are later than those of the
// saves.
func touchesRaceSaves(ctx context.Context, e *env) error {
	if err := e.create(ctx, sample(idA)); err != nil {
		return err
	}
	for version := uint64(1); version <= 2*rounds; version++ {
		rec := next(idA, version)
		errs := race(4, func(i int) error {
			if i == 0 {
				return e.replace(ctx, rec)
			}
			return e.touch(ctx, idA, version, at(day), at(2*day))
		})
		if err := first(errors.Join(errs...), e.wantStored(ctx, rec)); err != nil {
			return fmt.Errorf("after touches of the version that a save replaced: %w", err)
		}
	}
	return nil
}

func touchCreatesNothing(ctx context.Context, e *env) error {
	return first(
		e.touch(ctx, idA, 0, at(day), at(2*day)), e.touch(ctx, idA, 1, at(day), at(2*day)), e.wantAbsent(ctx, idA),
		e.create(ctx, sample(idB)), e.remove(ctx, idB),
		e.touch(ctx, idB, 1, at(day), at(2*day)), e.wantAbsent(ctx, idA, idB),
		e.wantPaged(ctx),
	)
}

func touchesRaceDelete(ctx context.Context, e *env) error {
	return e.deleteRaces(ctx, func(ctx context.Context, id string) error {
		return e.touch(ctx, id, 1, at(day), at(2*day))
	})
}
