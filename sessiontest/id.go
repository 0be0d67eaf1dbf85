package sessiontest

import (
	"context"
	"errors"
	"fmt"

	"github.com/coatcheck/session"
)

var idRules = []rule{
	{name: "an id that nobody saved leads to no record", clause: "Store 11", check: strangeIDsLeadNowhere},
	{name: "no id is mixed up with another one", clause: "Store 11", check: idsStayApart},
	{name: "a refused id changes nothing", clause: "Store 11", check: refusedIDs},
	{name: "no id is refused as a conflict", clause: "Store 11", bare: true, check: noIDConflicts},
}

// strangeIDsLeadNowhere asks for hostile ids in a store that has other ones.
func strangeIDsLeadNowhere(ctx context.Context, e *env) error {
	saved := []*session.Record{sample(idA), sample(idB), sample(idC)}
	if err := e.create(ctx, saved...); err != nil {
		return err
	}
	for _, id := range hostileIDs() {
		if rec, err := e.Load(ctx, id); err == nil {
			return fmt.Errorf("Load(%q) = %v, want an error: it was never saved", id, rec)
		}
		if err := e.Delete(ctx, id); errors.Is(err, session.ErrConflict) {
			return fmt.Errorf("Delete(%q) = %w, want no error or a refusal", id, err)
		}
		if err := e.Save(ctx, next(id, 1)); err == nil {
			return fmt.Errorf("Save of version 1 of %q = no error, want one: it was never saved", id)
		}
	}
	return first(e.wantStored(ctx, saved[0]), e.wantStored(ctx, saved[1]), e.wantStored(ctx, saved[2]))
}

func idsStayApart(ctx context.Context, e *env) error {
	kept := e.keep(ctx, hostileIDs())
	if err := e.wantAllStored(ctx, kept); err != nil {
		return err
	}
	for i, id := range kept {
		if err := first(e.remove(ctx, id), e.wantAbsent(ctx, id)); err != nil {
			return err
		}
		rest := kept[i+1:]
		if i%8 != 0 { // looking at all of them each time would take long, and those that look alike are neighbours
			rest = rest[:min(8, len(rest))]
		}
		if err := e.wantAllStored(ctx, rest); err != nil {
			return fmt.Errorf("after Delete(%q): %w", id, err)
		}
	}
	return nil
}

// keep saves a sample under each id and returns those that the store did not refuse.
func (e *env) keep(ctx context.Context, ids []string) []string {
	var kept []string
	for _, id := range ids {
		if e.Save(ctx, sample(id)) == nil {
			kept = append(kept, id)
		}
	}
	return kept
}

func refusedIDs(ctx context.Context, e *env) error {
	saved := sample(idA)
	if err := e.create(ctx, saved); err != nil {
		return err
	}
	for _, id := range hostileIDs() {
		if e.Save(ctx, sample(id)) == nil {
			continue
		}
		if rec, err := e.Load(ctx, id); err == nil {
			return fmt.Errorf("Load(%q) = %v, want an error: its save was refused", id, rec)
		}
	}
	return e.wantStored(ctx, saved)
}

// noIDConflicts saves ids that are all different, so that a conflict means that one was taken for another.
func noIDConflicts(ctx context.Context, e *env) error {
	for _, id := range hostileIDs() {
		if err := e.Save(ctx, sample(id)); errors.Is(err, session.ErrConflict) || errors.Is(err, session.ErrNotFound) {
			return fmt.Errorf("Save of the new record %q = %w, want no error or a refusal", id, err)
		}
	}
	return nil
}
