package sessiontest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coatcheck/session"
)

var shareRules = []rule{
	{name: "what is shared is saved and loaded as anything else", clause: "Sharer 1", needs: []need{sharer},
		check: sharingIsSaving},
	{name: "a shared save that is refused changes nothing", clause: "Sharer 1", needs: []need{sharer},
		check: refusedSharing},
	{name: "a note stays with its data, and goes with them", clause: "Sharer 2", needs: []need{sharer},
		check: notesStayWithData},
	{name: "a record that was shared never changes", clause: "Sharer 3", needs: []need{sharer, toucher},
		check: sharedNeverChanges},
	{name: "a store around another one does not share", clause: "Sharer 4", needs: []need{sharer},
		check: othersDoNotShare},
}

// saveShared saves a copy, and wants its version to be what is stored.
func (e *env) saveShared(ctx context.Context, rec *session.Record, note any) error {
	own := rec.Clone()
	if err := e.sharer().SaveShared(ctx, own, note); err != nil {
		return fmt.Errorf("SaveShared of %q with version %d = %w, want no error", rec.ID, rec.Version, err)
	}
	if own.Version != rec.Version+1 {
		return fmt.Errorf("SaveShared left version %d in the record, want %d", own.Version, rec.Version+1)
	}
	return e.wantStored(ctx, rec)
}

// wantShared wants the record as it was saved, with that note.
func (e *env) wantShared(ctx context.Context, saved *session.Record, note any) error {
	got, gotNote, err := e.sharer().LoadShared(ctx, saved.ID)
	if err != nil {
		return fmt.Errorf("LoadShared(%q) = %w, want the record", saved.ID, err)
	}
	if d := differences(got, stored(saved)); d != "" {
		return fmt.Errorf("LoadShared(%q): %s", saved.ID, d)
	}
	if gotNote != note {
		return fmt.Errorf("LoadShared(%q) of version %d has the note %v, want %v", saved.ID, got.Version, gotNote, note)
	}
	return nil
}

func sharingIsSaving(ctx context.Context, e *env) error {
	one, two := sample(idA), next(idA, 1)
	one.Successor = idC // of a live record it is the predecessor
	err := first(
		e.saveShared(ctx, one, "one"), e.wantShared(ctx, one, "one"), e.wantInLists(ctx, stored(one)),
		e.saveShared(ctx, two, "two"), e.wantShared(ctx, two, "two"), e.wantInLists(ctx, stored(two)),
		e.remove(ctx, idA), e.wantNotShared(ctx, idA), e.wantUnlisted(ctx, idA),
	)
	if err != nil || e.sweeper() == nil {
		return err
	}
	return first(
		e.saveShared(ctx, expiring(idB, at(0)), nil),
		e.sweep(ctx, at(time.Microsecond), 100, 1), e.wantNotShared(ctx, idB),
	)
}

func (e *env) wantNotShared(ctx context.Context, id string) error {
	if rec, _, err := e.sharer().LoadShared(ctx, id); !errors.Is(err, session.ErrNotFound) {
		return fmt.Errorf("LoadShared(%q) = %v, %w, want ErrNotFound", id, rec, orNil(err))
	}
	return nil
}

func refusedSharing(ctx context.Context, e *env) error {
	saved := sample(idA)
	if err := e.saveShared(ctx, saved, "kept"); err != nil {
		return err
	}
	for _, rec := range []*session.Record{next(idA, 0), next(idA, 7), next(idB, 1)} {
		own, want := rec.Clone(), session.ErrConflict
		if rec.ID == idB {
			want = session.ErrNotFound
		}
		if err := e.sharer().SaveShared(ctx, own, "refused"); !errors.Is(err, want) {
			return fmt.Errorf("SaveShared of %q with version %d = %w, want %w", rec.ID, rec.Version, orNil(err), want)
		}
		if own.Version != rec.Version || !bytes.Equal(own.Data, rec.Data) {
			return fmt.Errorf("a SaveShared that was refused changed its record")
		}
	}
	return first(e.wantShared(ctx, saved, "kept"), e.wantNotShared(ctx, idB))
}

func notesStayWithData(ctx context.Context, e *env) error {
	one, two, three, four := sample(idA), next(idA, 1), next(idA, 2), next(idA, 3)
	if err := first(e.saveShared(ctx, one, "one"), e.wantShared(ctx, one, "one")); err != nil {
		return err
	}
	if t := e.toucher(); t != nil {
		one.SeenAt, one.ExpiresAt = at(day), at(2*day)
		if err := first(e.touch(ctx, idA, 1, one.SeenAt, one.ExpiresAt), e.wantShared(ctx, one, "one")); err != nil {
			return err
		}
	}
	return first(
		e.replace(ctx, two), e.wantShared(ctx, two, nil),
		e.saveShared(ctx, three, "three"), e.wantShared(ctx, three, "three"),
		e.saveShared(ctx, four, nil), e.wantShared(ctx, four, nil),
		e.remove(ctx, idA), e.create(ctx, sample(idA)), e.wantShared(ctx, sample(idA), nil),
	)
}

func sharedNeverChanges(ctx context.Context, e *env) error {
	if err := e.saveShared(ctx, sample(idA), nil); err != nil {
		return err
	}
	for _, change := range []func() error{
		func() error { return e.touch(ctx, idA, 1, at(day), at(2*day)) },
		func() error { return e.replace(ctx, next(idA, 1)) },
		func() error { return e.sharer().SaveShared(ctx, next(idA, 2), nil) },
		func() error { return e.remove(ctx, idA) },
	} {
		shared, _, err := e.sharer().LoadShared(ctx, idA)
		if err != nil {
			return fmt.Errorf("LoadShared(%q) = %w, want the record", idA, err)
		}
		before := shared.Clone()
		if err := change(); err != nil {
			return err
		}
		if d := differences(shared, before); d != "" {
			return fmt.Errorf("a record that LoadShared returned was changed afterwards: %s", d)
		}
	}
	return nil
}

func othersDoNotShare(_ context.Context, e *env) error {
	type around struct{ session.Store }
	switch {
	case !e.sharer().Shares(e.Store):
		return errors.New("Shares of the store itself = false, want true")
	case e.sharer().Shares(around{e.Store}):
		return errors.New("Shares of a store around this one = true, want false")
	}
	return nil
}
