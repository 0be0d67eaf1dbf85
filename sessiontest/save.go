package sessiontest

import (
	"context"
	"errors"
	"fmt"

	"github.com/coatcheck/session"
)

var loadRules = []rule{
	{name: "what was never saved is not found", clause: "Store 1", bare: true, check: neverSaved},
	{name: "a load returns what was saved last", clause: "Store 1", check: savedLast},
	{name: "a load returns what was touched last", clause: "Store 1", needs: []need{toucher}, check: touchedLast},
}

func neverSaved(ctx context.Context, e *env) error {
	return e.wantAbsent(ctx, idA, idA, idB)
}

func savedLast(ctx context.Context, e *env) error {
	one, two, other := sample(idA), next(idA, 1), sample(idB)
	return first(
		e.create(ctx, one, other), e.wantStored(ctx, one), e.wantStored(ctx, one),
		e.replace(ctx, two), e.wantStored(ctx, two), e.wantStored(ctx, other),
	)
}

func touchedLast(ctx context.Context, e *env) error {
	for _, rec := range []*session.Record{sample(idA), owned(idB, "")} {
		want := rec.Clone()
		want.SeenAt, want.ExpiresAt = at(day), at(2*day)
		err := first(e.create(ctx, rec), e.touch(ctx, rec.ID, 1, at(day), at(2*day)), e.wantStored(ctx, want))
		if err != nil {
			return err
		}
	}
	return nil
}

var saveRules = []rule{
	{name: "a new record is accepted", clause: "Store 2", bare: true, check: newAccepted},
	{name: "a save of version 0 stores version 1", clause: "Store 2", check: zeroStoresOne},
	{name: "a create never overwrites", clause: "Store 2", check: createNeverOverwrites},
	{name: "a save of the stored version replaces the record and adds 1 to the version", clause: "Store 3",
		check: replaces},
	{name: "a save of an older version is a conflict and changes nothing", clause: "Store 3", check: olderConflicts},
	{name: "a save of a version yet to come is a conflict and changes nothing", clause: "Store 3",
		check: newerConflicts},
	{name: "a save over what is not there is not found and creates nothing", clause: "Store 3", bare: true,
		check: noUpsert},
	{name: "a conflict hands over the newest record or none", clause: "ConflictError", check: conflictShowsNewest},
}

func newAccepted(ctx context.Context, e *env) error {
	return e.create(ctx, sample(idA), sample(idB), &session.Record{ID: idC})
}

func zeroStoresOne(ctx context.Context, e *env) error {
	if err := e.create(ctx, sample(idA)); err != nil {
		return err
	}
	rec, err := e.load(ctx, idA)
	if err == nil && rec.Version != 1 {
		return fmt.Errorf("the first save stored version %d, want 1", rec.Version)
	}
	return err
}

func createNeverOverwrites(ctx context.Context, e *env) error {
	one, two := sample(idA), next(idA, 1)
	for _, rec := range retired() {
		err := first(
			e.create(ctx, rec),
			wantError("Save of version 0 over a retired id", e.Save(ctx, next(rec.ID, 0)), session.ErrConflict),
			e.wantStored(ctx, rec),
		)
		if err != nil {
			return err
		}
	}
	return first(
		e.create(ctx, one),
		wantError("Save of version 0 over version 1", e.Save(ctx, next(idA, 0)), session.ErrConflict),
		e.wantStored(ctx, one),
		e.replace(ctx, two),
		wantError("Save of version 0 over version 2", e.Save(ctx, next(idA, 0)), session.ErrConflict),
		e.wantStored(ctx, two),
	)
}

func replaces(ctx context.Context, e *env) error {
	if err := e.create(ctx, sample(idA)); err != nil {
		return err
	}
	for version := uint64(1); version <= 12; version++ {
		rec := next(idA, version)
		if err := first(e.replace(ctx, rec), e.wantStored(ctx, rec)); err != nil {
			return err
		}
	}
	return nil
}

func olderConflicts(ctx context.Context, e *env) error {
	two, other := next(idA, 1), entry(0, 1) // which differ, so that one sees which of them is stored
	return first(
		e.create(ctx, sample(idA)), e.replace(ctx, two),
		wantError("Save of version 1 over version 2", e.Save(ctx, other), session.ErrConflict),
		e.wantStored(ctx, two),
	)
}

// otherVersions are not 1, also for a store that looks at the last digits, or at a few bytes.
var otherVersions = []uint64{2, 11, 257, 1<<16 + 1, 1<<32 + 1}

func newerConflicts(ctx context.Context, e *env) error {
	for _, one := range append(retired(), sample(idA)) {
		if err := e.create(ctx, one); err != nil {
			return err
		}
		for _, version := range otherVersions {
			what := fmt.Sprintf("Save of version %d over version 1", version)
			err := wantError(what, e.Save(ctx, next(one.ID, version)), session.ErrConflict)
			if err := first(err, e.wantStored(ctx, one)); err != nil {
				return err
			}
		}
	}
	return nil
}

func noUpsert(ctx context.Context, e *env) error {
	return first(
		wantError("Save of version 1 of an absent record", e.Save(ctx, next(idA, 1)), session.ErrNotFound),
		wantError("Save of version 2 of an absent record", e.Save(ctx, next(idA, 2)), session.ErrNotFound),
		e.wantAbsent(ctx, idA),
	)
}

func conflictShowsNewest(ctx context.Context, e *env) error {
	two := next(idA, 1)
	return first(
		e.create(ctx, sample(idA)), e.replace(ctx, two),
		wantNewest(e.Save(ctx, next(idA, 0)), two), wantNewest(e.Save(ctx, next(idA, 1)), two),
	)
}

// wantNewest wants that the record in a ConflictError, if there is one, is what is stored.
func wantNewest(err error, saved *session.Record) error {
	newest := newestOf(err)
	if newest == nil {
		return nil
	}
	if d := differences(newest, stored(saved)); d != "" {
		return fmt.Errorf("ConflictError.Newest: %s", d)
	}
	return nil
}

func newestOf(err error) *session.Record {
	var conflict *session.ConflictError
	if errors.As(err, &conflict) {
		return conflict.Newest
	}
	return nil
}

var deleteRules = []rule{
	{name: "a delete removes the record and no other", clause: "Store 5", check: deletes},
	{name: "to delete what is not there is no error", clause: "Store 5", bare: true, check: deleteTwice},
	{name: "no save brings a deleted record back", clause: "Store 5", check: deletedStaysDeleted},
	{name: "a delete is final for the saves that race it", clause: "Store 5", check: deleteRacesSaves},
}

func deletes(ctx context.Context, e *env) error {
	other := sample(handle(0))
	return first(
		e.create(ctx, sample(idA), other), e.replace(ctx, next(idA, 1)),
		e.remove(ctx, idA), e.wantAbsent(ctx, idA), e.wantStored(ctx, other),
		e.create(ctx, retired()...), e.remove(ctx, idB, idC), e.wantAbsent(ctx, idB, idC), e.wantStored(ctx, other),
	)
}

func deleteTwice(ctx context.Context, e *env) error {
	return first(e.remove(ctx, idA), e.create(ctx, sample(idA)), e.remove(ctx, idA, idA), e.wantAbsent(ctx, idA))
}

func deletedStaysDeleted(ctx context.Context, e *env) error {
	if err := first(e.create(ctx, sample(idA)), e.replace(ctx, next(idA, 1)), e.remove(ctx, idA)); err != nil {
		return err
	}
	for version := uint64(1); version <= 3; version++ {
		what := fmt.Sprintf("Save of version %d after Delete", version)
		if err := wantError(what, e.Save(ctx, next(idA, version)), session.ErrNotFound); err != nil {
			return err
		}
	}
	return e.wantAbsent(ctx, idA)
}

// remove deletes records, which are there or not.
func (e *env) remove(ctx context.Context, ids ...string) error {
	for _, id := range ids {
		if err := e.Delete(ctx, id); err != nil {
			return fmt.Errorf("Delete(%q) = %w, want no error", id, err)
		}
	}
	return nil
}
