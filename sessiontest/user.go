package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/coatcheck/session"
)

var userRules = []rule{
	{name: "a user's list has all live records of exactly that user", clause: "Lister 1", needs: []need{lister},
		check: listsTheUser},
	{name: "users who look alike have lists of their own", clause: "Lister 1", needs: []need{lister},
		check: listsStayApart},
	{name: "a user's list is complete however long it is", clause: "Lister 1", needs: []need{lister}, check: longList},
	{name: "a user's list has no aliases and tombstones", clause: "Lister 1", needs: []need{lister},
		check: listsOnlyLive},
	{name: "a record moves to another list with its user", clause: "Lister 1", needs: []need{lister},
		check: listFollowsUser},
	{name: "a record leaves the list with its kind", clause: "Lister 1", needs: []need{lister}, check: listFollowsKind},
	{name: "a record leaves the list with its delete", clause: "Lister 1", needs: []need{lister},
		check: listFollowsDelete},
	{name: "a refused save changes no list", clause: "Lister 1", needs: []need{lister}, check: refusedChangesNoList},
	{name: "a record is listed as soon as its save returned", clause: "Lister 1", needs: []need{lister},
		check: listedAtOnce},
	{name: "a record stays listed while it is saved again", clause: "Lister 1", needs: []need{lister},
		check: staysListed},
	{name: "lists have every field but the data", clause: "Lister", needs: []need{lister}, check: listsAreComplete},
}

// byUser returns the records of a user by id.
func (e *env) byUser(ctx context.Context, user string) (map[string]*session.Record, error) {
	recs, err := e.lister().ByUser(ctx, user)
	if err != nil {
		return nil, fmt.Errorf("ByUser(%q) = %w, want no error", user, err)
	}
	byID := make(map[string]*session.Record)
	for _, rec := range recs {
		if byID[rec.ID] != nil {
			return nil, fmt.Errorf("ByUser(%q) lists %q twice", user, rec.ID)
		}
		byID[rec.ID] = rec
	}
	return byID, nil
}

// wantUser wants exactly these records in the list of a user.
func (e *env) wantUser(ctx context.Context, user string, ids ...string) error {
	byID, err := e.byUser(ctx, user)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if byID[id] == nil {
			return fmt.Errorf("ByUser(%q) does not list %q", user, id)
		}
		delete(byID, id)
	}
	for id := range byID {
		return fmt.Errorf("ByUser(%q) lists %q, want only %q", user, id, ids)
	}
	return nil
}

// wantListed wants a record, given as it is stored, in the lists where it belongs, if the store has lists.
func (e *env) wantListed(ctx context.Context, rec *session.Record) error {
	if e.lister() == nil || rec.Kind != session.KindLive || rec.User == "" {
		return nil
	}
	byID, err := e.byUser(ctx, rec.User)
	if err != nil {
		return err
	}
	got := byID[rec.ID]
	if got == nil {
		return fmt.Errorf("ByUser(%q) does not list %q", rec.User, rec.ID)
	}
	if err := inAList(got, rec); err != nil {
		return fmt.Errorf("ByUser(%q): %w", rec.User, err)
	}
	return nil
}

// wantInLists wants a record, given as it is stored, in its user's list and in a page, if the store has lists.
func (e *env) wantInLists(ctx context.Context, rec *session.Record) error {
	if e.lister() == nil {
		return nil
	}
	return first(e.wantListed(ctx, rec), e.pageShows(ctx, rec))
}

// inAList wants every field of a record but its data.
func inAList(got, want *session.Record) error {
	if len(got.Data) > 0 {
		return fmt.Errorf("a list has %d bytes of data, want none", len(got.Data))
	}
	if list := headDifferences(got, want); list != nil {
		return errors.New(strings.Join(list, "; "))
	}
	return nil
}

// wantUnlisted wants that no list has a record, saved as sample or next, if the store has lists.
func (e *env) wantUnlisted(ctx context.Context, id string) error {
	if e.lister() == nil {
		return nil
	}
	for _, user := range []string{sample(id).User, next(id, 0).User} {
		if byID, err := e.byUser(ctx, user); err != nil || byID[id] != nil {
			return fmt.Errorf("ByUser(%q) lists %q, which is gone, %w", user, id, orNil(err))
		}
	}
	return nil
}

func listsTheUser(ctx context.Context, e *env) error {
	again := owned(idA, "ada")
	again.Version = 1
	return first(
		e.wantUser(ctx, "ada"),
		e.create(ctx, owned(idA, "ada"), owned(idB, "bob"), owned(idC, "ada"), owned(handle(0), "")),
		e.wantUser(ctx, "ada", idA, idC), e.wantUser(ctx, "bob", idB), e.wantUser(ctx, "eve"),
		e.replace(ctx, again), e.wantUser(ctx, "ada", idA, idC),
	)
}

func listsStayApart(ctx context.Context, e *env) error {
	users := hostileUsers()
	for i, user := range users {
		if err := e.create(ctx, owned(handle(i), user)); err != nil {
			return fmt.Errorf("user %q: %w", user, err)
		}
	}
	for i, user := range users {
		if err := e.wantUser(ctx, user, handle(i)); err != nil {
			return err
		}
	}
	return e.wantUser(ctx, "nobody")
}

func longList(ctx context.Context, e *env) error {
	ids := handles(250)
	for _, id := range ids {
		if err := e.create(ctx, owned(id, "ada")); err != nil {
			return err
		}
	}
	return first(e.wantUser(ctx, "ada", ids...), e.remove(ctx, ids[1:]...), e.wantUser(ctx, "ada", ids[0]))
}

func listsOnlyLive(ctx context.Context, e *env) error {
	live, alias, tombstone := owned(idA, "ada"), owned(idB, "ada"), owned(idC, "ada")
	alias.Kind, tombstone.Kind = session.KindAlias, session.KindTombstone
	alias.Successor, tombstone.Successor = idA, idA
	return first(e.create(ctx, live, alias, tombstone), e.wantUser(ctx, "ada", idA))
}

func listFollowsUser(ctx context.Context, e *env) error {
	if err := e.create(ctx, owned(idA, ""), owned(idB, "ada")); err != nil {
		return err
	}
	users := []string{"ada", "bob", "", "ada"}
	for i, user := range users {
		rec := owned(idA, user)
		rec.Version = uint64(i + 1)
		if err := first(e.replace(ctx, rec), e.wantOnlyIn(ctx, user)); err != nil {
			return fmt.Errorf("after save %d, to user %q: %w", i+1, user, err)
		}
	}
	return nil
}

// wantOnlyIn wants idA in the list of that user, and idB in that of ada.
func (e *env) wantOnlyIn(ctx context.Context, user string) error {
	switch user {
	case "ada":
		return first(e.wantUser(ctx, "ada", idA, idB), e.wantUser(ctx, "bob"))
	case "bob":
		return first(e.wantUser(ctx, "ada", idB), e.wantUser(ctx, "bob", idA))
	}
	return first(e.wantUser(ctx, "ada", idB), e.wantUser(ctx, "bob"))
}

func listFollowsKind(ctx context.Context, e *env) error {
	for i, kind := range []session.RecordKind{session.KindAlias, session.KindTombstone} {
		id := handle(i)
		retired := owned(id, "ada")
		retired.Kind, retired.Successor, retired.Version = kind, idB, 1
		err := first(
			e.create(ctx, owned(id, "ada")), e.wantUser(ctx, "ada", id),
			e.replace(ctx, retired), e.wantUser(ctx, "ada"), e.wantStored(ctx, retired),
		)
		if err != nil {
			return fmt.Errorf("%v: %w", kind, err)
		}
	}
	return nil
}

func listFollowsDelete(ctx context.Context, e *env) error {
	return first(
		e.create(ctx, owned(idA, "ada"), owned(idB, "ada"), owned(idC, "bob")),
		e.remove(ctx, idA), e.wantUser(ctx, "ada", idB), e.wantUser(ctx, "bob", idC),
		e.remove(ctx, idB, idC), e.wantUser(ctx, "ada"), e.wantUser(ctx, "bob"),
	)
}

func refusedChangesNoList(ctx context.Context, e *env) error {
	if err := first(e.create(ctx, owned(idA, "ada")), e.wantUser(ctx, "ada", idA)); err != nil {
		return err
	}
	for _, version := range []uint64{0, 7} {
		rec := owned(idA, "bob")
		rec.Version = version
		if e.Save(ctx, rec) == nil {
			return nil // which is another rule
		}
	}
	gone := owned(idB, "ada")
	gone.Version = 1
	_ = e.Save(ctx, gone)
	return first(e.wantUser(ctx, "ada", idA), e.wantUser(ctx, "bob"))
}

func listedAtOnce(ctx context.Context, e *env) error {
	errs := race(racers, func(i int) error {
		for j := range 4 {
			rec := owned(handle(i*4+j), "ada")
			if err := first(e.create(ctx, rec), e.wantListed(ctx, stored(rec))); err != nil {
				return err
			}
		}
		return nil
	})
	return first(errors.Join(errs...), e.wantUser(ctx, "ada", handles(racers*4)...))
}

func staysListed(ctx context.Context, e *env) error {
	if err := e.create(ctx, owned(idA, "ada"), owned(idB, "ada")); err != nil {
		return err
	}
	saved := make(chan struct{})
	errs := race(3, func(i int) error {
		if i > 0 {
			return until(saved, func() error { return e.wantUser(ctx, "ada", idA, idB) })
		}
		defer close(saved)
		return e.saveAndTouch(ctx, "ada", 40)
	})
	return errors.Join(errs...)
}

// saveAndTouch saves and touches idA many times without a change of its user.
func (e *env) saveAndTouch(ctx context.Context, user string, times int) error {
	for version := 1; version <= times; version++ {
		rec := owned(idA, user)
		rec.Version = uint64(version)
		if err := e.replace(ctx, rec); err != nil {
			return err
		}
		if e.toucher() == nil {
			continue
		}
		if err := e.touch(ctx, idA, uint64(version+1), at(day), at(2*day)); err != nil {
			return err
		}
	}
	return nil
}

func listsAreComplete(ctx context.Context, e *env) error {
	rec, moved := sample(idA), sample(idA)
	moved.Version, moved.Successor = 1, handle(0) // of a live record it is the predecessor
	return first(
		e.create(ctx, rec), e.wantInLists(ctx, stored(rec)), e.replace(ctx, moved), e.wantInLists(ctx, stored(moved)),
		e.create(ctx, retired()...), e.wantInLists(ctx, stored(retired()[0])), e.wantInLists(ctx, stored(retired()[1])),
	)
}
