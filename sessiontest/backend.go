package sessiontest

import (
	"context"
	"errors"
	"fmt"

	"github.com/coatcheck/session"
)

var peerRules = []rule{
	{name: "a second store sees what the first one does at once", clause: "Store 8", needs: []need{peer},
		check: peersSee},
	{name: "a second store sees lists, touches and sweeps at once", clause: "Store 8", needs: []need{peer},
		check: peersSeeMore},
	{name: "two stores let one of their concurrent saves succeed", clause: "Store 8", needs: []need{peer},
		check: peersRace},
	{name: "no save through a second store brings a deleted record back", clause: "Store 8", needs: []need{peer},
		check: peersDelete},
}

// second returns what works on the same backend.
func (e *env) second() *env { return &env{Store: e.opts.Peer(e.Store), opts: e.opts} }

func peersSee(ctx context.Context, e *env) error {
	one, two, three := sample(idA), next(idA, 1), sample(idA)
	three.Version = 2
	p := e.second()
	return first(
		p.wantAbsent(ctx, idA), e.create(ctx, one), p.wantStored(ctx, one),
		p.replace(ctx, two), e.wantStored(ctx, two), e.replace(ctx, three), p.wantStored(ctx, three),
		wantError("Save at a version that another store has replaced", p.Save(ctx, next(idA, 2)), session.ErrConflict),
		wantError("Save of version 0 of what another store has created", p.Save(ctx, next(idA, 0)),
			session.ErrConflict),
		p.remove(ctx, idA), e.wantAbsent(ctx, idA),
	)
}

func peersSeeMore(ctx context.Context, e *env) error {
	p := e.second()
	rec, touched := sample(idA), sample(idA)
	if err := first(e.create(ctx, rec), p.wantListed(ctx, stored(rec))); err != nil {
		return err
	}
	if e.toucher() != nil {
		touched.SeenAt, touched.ExpiresAt = at(day), at(2*day)
		if err := e.touch(ctx, idA, 1, at(day), at(2*day)); err != nil {
			return err
		}
	}
	if err := first(p.wantStored(ctx, touched), p.wantListed(ctx, stored(touched))); err != nil {
		return err
	}
	if e.sweeper() == nil {
		return nil
	}
	return first(p.sweep(ctx, at(3*day), 10, 1), e.wantAbsent(ctx, idA), e.wantUnlisted(ctx, idA))
}

func peersRace(ctx context.Context, e *env) error {
	p := e.second()
	return saveRace(ctx, e, func(i int) session.Store {
		if i%2 == 0 {
			return e.Store
		}
		return p.Store
	})
}

func peersDelete(ctx context.Context, e *env) error {
	p := e.second()
	one, two := sample(idA), next(idA, 1)
	return first(
		e.create(ctx, one), p.wantStored(ctx, one), p.replace(ctx, two), e.remove(ctx, idA),
		wantError("Save of version 2 of what another store has deleted", p.Save(ctx, next(idA, 2)),
			session.ErrNotFound),
		p.wantAbsent(ctx, idA), e.wantAbsent(ctx, idA),
	)
}

var outageRules = []rule{
	{name: "a backend that fails is an error, and no answer", clause: "Store 9", needs: []need{outage},
		check: outageIsAnError},
}

func outageIsAnError(ctx context.Context, e *env) error {
	if err := e.create(ctx, sample(idA)); err != nil {
		return err
	}
	e.opts.Break(e.Store)
	for _, c := range append(e.calls(idA), e.calls(idB)...) {
		if err := wantOutage(c.name+" without a backend", c.do(ctx)); err != nil {
			return err
		}
	}
	return nil
}

var corruptRules = []rule{
	{name: "a record that cannot be read is corrupt", clause: "Store 10", needs: []need{corrupt},
		check: corruptIsCorrupt},
	{name: "a record that cannot be read stays until it is deleted", clause: "Store 10", needs: []need{corrupt},
		check: corruptStays},
}

// corrupted makes two records and damages the first.
func (e *env) corrupted(ctx context.Context) error {
	err := e.create(ctx, sample(idA), sample(idB))
	if err == nil {
		e.opts.Corrupt(e.Store, idA)
	}
	return err
}

func (e *env) wantCorrupt(ctx context.Context) error {
	rec, err := e.Load(ctx, idA)
	if !errors.Is(err, session.ErrCorrupt) || errors.Is(err, session.ErrNotFound) {
		return fmt.Errorf("Load of a damaged record = %v, %w, want ErrCorrupt and not ErrNotFound", rec, orNil(err))
	}
	if rec != nil {
		return errors.New("Load of a damaged record returned ErrCorrupt and a record, want no record")
	}
	return nil
}

func corruptIsCorrupt(ctx context.Context, e *env) error {
	return first(e.corrupted(ctx), e.wantCorrupt(ctx), e.wantStored(ctx, sample(idB)))
}

func corruptStays(ctx context.Context, e *env) error {
	if err := first(e.corrupted(ctx), e.loadTwice(ctx)); err != nil {
		return err
	}
	if err := e.Save(ctx, sample(idA)); err == nil {
		return errors.New("Save of version 0 over a damaged record = no error, want one")
	}
	return first(e.stillThere(ctx), e.remove(ctx, idA), e.wantAbsent(ctx, idA), e.wantStored(ctx, sample(idB)))
}

func (e *env) loadTwice(ctx context.Context) error {
	_, _ = e.Load(ctx, idA)
	return e.stillThere(ctx)
}

// stillThere wants that the damaged record is not gone. What its Load says is another rule.
func (e *env) stillThere(ctx context.Context) error {
	if _, err := e.Load(ctx, idA); err == nil || errors.Is(err, session.ErrNotFound) {
		return fmt.Errorf("Load of a damaged record = %w, want it still there and damaged", orNil(err))
	}
	return nil
}
