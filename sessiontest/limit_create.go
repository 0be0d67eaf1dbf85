package sessiontest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coatcheck/session"
)

// Whatever holds of what Save creates, holds of what SaveWithin creates.
var limitCreateRules = []rule{
	{name: "a sweep removes what was created within the limit", clause: "Limiter 1", needs: []need{limiter, sweeper},
		check: sweepsWithinLimit},
	{name: "pages show what was created within the limit", clause: "Limiter 1", needs: []need{limiter, lister},
		check: pagesWithinLimit},
	{name: "what was created within the limit comes back whole", clause: "Limiter 1", needs: []need{limiter},
		check: wholeWithinLimit},
	{name: "within the limit a create keeps nothing that its caller can still change", clause: "Limiter 1",
		needs: []need{limiter}, check: copiesWithinLimit},
	{name: "what was created within the limit is saved and touched as any other", clause: "Limiter 1",
		needs: []need{limiter}, check: changesWithinLimit},
	{name: "a refused or cancelled create within the limit takes no place", clause: "Limiter 3",
		needs: []need{limiter}, check: noPlaceIsLost},
}

func sweepsWithinLimit(ctx context.Context, e *env) error {
	expired, later, never := expiring(idA, at(0)), expiring(idB, at(day)), expiring(idC, time.Time{})
	return first(
		e.admit(ctx, within(1), expired, later, never),
		e.sweep(ctx, at(0), 100, 0), e.sweep(ctx, at(time.Microsecond), 100, 1),
		e.wantAbsent(ctx, idA), e.wantUnlisted(ctx, idA), e.wantPaged(ctx, idB, idC),
		e.sweep(ctx, at(2*day), 100, 1), e.wantAbsent(ctx, idB), e.wantStored(ctx, never),
	)
}

func pagesWithinLimit(ctx context.Context, e *env) error {
	a, b := sample(idA), owned(idB, "")
	return first(
		e.admit(ctx, within(1), a, b), e.wantPaged(ctx, idA, idB), e.pageShows(ctx, stored(a)),
		e.remove(ctx, idA), e.wantPaged(ctx, idB),
	)
}

func wholeWithinLimit(ctx context.Context, e *env) error {
	plain, moved, large, bare := sample(idA), sample(idB), sample(idC), &session.Record{ID: handle(0), User: "ada"}
	plain.Persistent = false
	moved.Successor = handle(1) // of a live record it is the predecessor
	moved.CreatedAt, moved.LoginAt = base.Add(time.Microsecond), base.Add(999*time.Microsecond)
	large.Data = bytes.Repeat([]byte{0, 0xff, 'x'}, 100_000)
	for _, rec := range []*session.Record{plain, moved, large, bare} {
		if err := first(e.admit(ctx, within(1), rec), e.wantStored(ctx, rec)); err != nil {
			return err
		}
	}
	return nil
}

func copiesWithinLimit(ctx context.Context, e *env) error {
	rec := sample(idA)
	before := rec.Clone()
	if err := e.admit(ctx, within(1), rec); err != nil {
		return err
	}
	if d := differences(rec, before); d != "" {
		return fmt.Errorf("the record given to SaveWithin was changed: %s", d)
	}
	spoil(rec)
	return e.wantStored(ctx, before)
}

func changesWithinLimit(ctx context.Context, e *env) error {
	touched, saved := sample(idA), next(idA, 1)
	if err := e.admit(ctx, within(1), sample(idA)); err != nil {
		return err
	}
	if e.toucher() != nil {
		touched.SeenAt, touched.ExpiresAt = at(day), at(2*day)
		if err := e.touch(ctx, idA, 1, at(day), at(2*day)); err != nil {
			return err
		}
	}
	return first(
		e.wantStored(ctx, touched), e.wantListed(ctx, stored(touched)),
		e.replace(ctx, saved), e.wantStored(ctx, saved), e.wantListed(ctx, stored(saved)),
		e.remove(ctx, idA), e.wantAbsent(ctx, idA), e.wantUnlisted(ctx, idA),
	)
}

// noPlaceIsLost creates records whose ids are taken, and one in a context that has ended.
func noPlaceIsLost(ctx context.Context, e *env) error {
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_ = e.limiter().SaveWithin(ended, owned(handle(0), "eve"), within(1))
	return first(
		e.wantRoom(ctx, handle(0), owned(handle(1), "eve")),
		e.create(ctx, owned(idA, "ada")),
		wantError("SaveWithin of an id that is taken", e.limiter().SaveWithin(ctx, owned(idA, "ada"), within(9)),
			session.ErrConflict),
		wantError("Save of an id that is taken", e.Save(ctx, owned(idA, "ada")), session.ErrConflict),
		wantError("SaveWithin of an id that another user has", e.limiter().SaveWithin(ctx, owned(idA, "bob"),
			within(1)), session.ErrConflict),
		e.remove(ctx, idA), e.admit(ctx, within(1), owned(idB, "ada"), owned(idC, "bob")),
	)
}

// wantRoom wants that there is the record, or room for another one. A server may finish what its caller has given up,
// and do so meanwhile.
func (e *env) wantRoom(ctx context.Context, id string, other *session.Record) error {
	if _, err := e.Load(ctx, id); !errors.Is(err, session.ErrNotFound) {
		return err
	}
	err := e.limiter().SaveWithin(ctx, other, within(1))
	if _, found := e.Load(ctx, id); err == nil || found == nil {
		return nil
	}
	return fmt.Errorf("SaveWithin after one that was cancelled and created nothing = %w, want no error", err)
}
