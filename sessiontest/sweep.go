package sessiontest

import (
	"context"
	"fmt"
	"time"

	"github.com/coatcheck/session"
)

var sweepRules = []rule{
	{name: "a sweep removes what expired before the time given and nothing else", clause: "Sweeper 1",
		needs: []need{sweeper}, check: sweeps},
	{name: "a record without an expiry survives every sweep", clause: "Sweeper 1", needs: []need{sweeper},
		check: foreverSurvives},
	{name: "a sweep goes by the expiry that the last save gave", clause: "Sweeper 1", needs: []need{sweeper},
		check: sweepFollowsSaves},
	{name: "a sweep spares what was touched", clause: "Sweeper 1", needs: []need{sweeper, toucher},
		check: sweepSparesTouched},
	{name: "a sweep removes at most the limit and says how many", clause: "Sweeper 2", needs: []need{sweeper},
		check: sweepsInBatches},
	{name: "a sweep of less than the limit has left nothing", clause: "Sweeper 2", needs: []need{sweeper},
		check: sweepsAll},
	{name: "a sweep goes by the time given and by no clock", clause: "Sweeper 3", needs: []need{sweeper},
		check: sweepReadsNoClock},
	{name: "a sweep spares what is saved while it runs", clause: "Sweeper 1", needs: []need{sweeper},
		check: sweepRacesSaves},
	{name: "a sweep spares what is touched while it runs", clause: "Sweeper 1", needs: []need{sweeper, toucher},
		check: sweepRacesTouches},
}

// sweep sweeps and wants that it removes so many.
func (e *env) sweep(ctx context.Context, before time.Time, limit, want int) error {
	n, err := e.sweeper().Sweep(ctx, before, limit)
	if err != nil {
		return fmt.Errorf("Sweep(%v, %d) = %w, want no error", before, limit, err)
	}
	if n != want {
		return fmt.Errorf("Sweep(%v, %d) = %d, want %d", before, limit, n, want)
	}
	return nil
}

// expiring is a record that expires then.
func expiring(id string, t time.Time) *session.Record {
	rec := sample(id)
	rec.ExpiresAt = t
	return rec
}

func sweeps(ctx context.Context, e *env) error {
	before, just, now, after := expiring(idA, at(-day)), expiring(idB, at(-time.Microsecond)), expiring(idC, at(0)),
		expiring(handle(0), at(day))
	alias, tombstone := expiring(handle(1), at(-day)), expiring(handle(2), at(-day))
	alias.Kind, tombstone.Kind = session.KindAlias, session.KindTombstone
	return first(
		e.create(ctx, before, just, now, after, alias, tombstone),
		e.sweep(ctx, at(-2*day), 100, 0), e.wantStored(ctx, before),
		e.sweep(ctx, at(0), 100, 4),
		e.wantAbsent(ctx, idA, idB, alias.ID, tombstone.ID), e.wantUnlisted(ctx, idA), e.wantPaged(ctx, idC, after.ID),
		e.wantStored(ctx, now), e.wantStored(ctx, after), e.wantListed(ctx, stored(now)),
		e.sweep(ctx, at(0), 100, 0),
		e.sweep(ctx, at(0).Add(time.Microsecond), 100, 1), e.wantAbsent(ctx, idC), e.wantStored(ctx, after),
	)
}

func foreverSurvives(ctx context.Context, e *env) error {
	one, two := expiring(idA, time.Time{}), next(idB, 1)
	two.ExpiresAt = time.Time{}
	end := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	return first(
		e.create(ctx, one, sample(idB)), e.replace(ctx, two),
		e.sweep(ctx, at(0), 100, 0), e.sweep(ctx, end, 100, 0),
		e.wantStored(ctx, one), e.wantStored(ctx, two),
	)
}

// sweepFollowsSaves moves ends, and one of them again after a sweep that came before it.
func sweepFollowsSaves(ctx context.Context, e *env) error {
	later, earlier := expiring(idA, at(day)), expiring(idB, at(5*day))
	forever, bounded := expiring(idC, at(day)), expiring(handle(0), time.Time{})
	if err := e.create(ctx, later, earlier, forever, bounded); err != nil {
		return err
	}
	ends := []time.Time{at(5 * day), at(day), {}, at(day)}
	for i, rec := range []*session.Record{later, earlier, forever, bounded} {
		rec.Version, rec.ExpiresAt = 1, ends[i]
		if err := e.replace(ctx, rec); err != nil {
			return err
		}
	}
	again := later.Clone()
	again.Version, again.ExpiresAt = 2, at(3*day)
	return first(
		e.sweep(ctx, at(2*day), 100, 2), e.wantAbsent(ctx, idB, handle(0)),
		e.wantStored(ctx, later), e.wantStored(ctx, forever),
		e.replace(ctx, again), e.sweep(ctx, at(4*day), 100, 1), e.wantAbsent(ctx, idA),
		e.sweep(ctx, at(6*day), 100, 0), e.wantStored(ctx, forever),
	)
}

func sweepSparesTouched(ctx context.Context, e *env) error {
	spared, forever := expiring(idA, at(0)), expiring(idB, at(0))
	if err := e.create(ctx, spared, forever, expiring(idC, at(0))); err != nil {
		return err
	}
	spared.SeenAt, spared.ExpiresAt, forever.ExpiresAt = at(time.Hour), at(day), time.Time{}
	return first(
		e.touch(ctx, idA, 1, at(time.Hour), at(day)), e.touch(ctx, idB, 1, forever.SeenAt, time.Time{}),
		e.sweep(ctx, at(time.Hour), 100, 1),
		e.wantAbsent(ctx, idC), e.wantStored(ctx, spared), e.wantStored(ctx, forever),
		e.sweep(ctx, at(2*day), 100, 1), e.wantAbsent(ctx, idA), e.wantStored(ctx, forever),
	)
}

// due makes n records that have expired at base, and as many others.
func (e *env) due(ctx context.Context, n int) error {
	for i := range n {
		expired := expiring(handle(i), at(-time.Duration(i+1)*time.Second))
		if err := e.create(ctx, expired, expiring(handle(n+i), at(time.Duration(i)*time.Second))); err != nil {
			return err
		}
	}
	return nil
}

// left is how many of the n records that are due are still there.
func (e *env) left(ctx context.Context, n int) (left int) {
	for i := range n {
		if _, err := e.Load(ctx, handle(i)); err == nil {
			left++
		}
	}
	return left
}

func (e *env) wantLeft(ctx context.Context, n, want int) error {
	if left := e.left(ctx, n); left != want {
		return fmt.Errorf("%d of the %d expired records are left, want %d", left, n, want)
	}
	return nil
}

func sweepsInBatches(ctx context.Context, e *env) error {
	const n = 10
	return first(
		e.due(ctx, n),
		e.sweep(ctx, base, 0, 0), e.wantLeft(ctx, n, 10),
		e.sweep(ctx, base, 4, 4), e.wantLeft(ctx, n, 6),
		e.sweep(ctx, base, 1, 1), e.wantLeft(ctx, n, 5),
		e.sweep(ctx, base, 5, 5), e.wantLeft(ctx, n, 0),
	)
}

func sweepsAll(ctx context.Context, e *env) error {
	const n, limit = 75, 20
	if err := e.due(ctx, n); err != nil {
		return err
	}
	for range n {
		removed, err := e.sweeper().Sweep(ctx, base, limit)
		if err != nil {
			return fmt.Errorf("Sweep = %w, want no error", err)
		}
		if removed < limit {
			return first(e.wantLeft(ctx, n, 0), e.wantStored(ctx, expiring(handle(n), at(0))))
		}
	}
	return fmt.Errorf("%d sweeps of %d records each removed %d, want the last to remove fewer", n, n, limit)
}

// sweepReadsNoClock sweeps at times that no clock shows for long: base lies in the distant future.
func sweepReadsNoClock(ctx context.Context, e *env) error {
	rec := expiring(idA, at(0))
	return first(
		e.create(ctx, rec),
		e.sweep(ctx, time.Date(1971, 1, 1, 0, 0, 0, 0, time.UTC), 100, 0), e.wantStored(ctx, rec),
		e.sweep(ctx, at(time.Second), 100, 1), e.wantAbsent(ctx, idA),
	)
}
