package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/coatcheck/session"
)

var pageRules = []rule{
	{name: "pages show every record once, of any kind", clause: "Lister 2", needs: []need{lister}, check: pagesShowAll},
	{name: "a page has at most the limit, and fewer only at the end", clause: "Lister 2", needs: []need{lister},
		check: pagesAreFull},
	{name: "pages have one order", clause: "Lister 2", needs: []need{lister}, check: pagesHaveOneOrder},
	{name: "a page begins after an id that is gone", clause: "Lister 2", needs: []need{lister}, check: pageAfterGone},
	{name: "a walk shows what stays exactly once while others come and go", clause: "Lister 2", needs: []need{lister},
		check: walkAmongOthers},
	{name: "a walk shows what is saved meanwhile exactly once", clause: "Lister 2", needs: []need{lister},
		check: walkWhileSaved},
}

// wholeLister is a lister where nil among the records is an error.
type wholeLister struct{ session.Lister }

func (l wholeLister) ByUser(ctx context.Context, user string) ([]*session.Record, error) {
	return whole(l.Lister.ByUser(ctx, user))
}

func (l wholeLister) Page(ctx context.Context, after string, limit int) ([]*session.Record, error) {
	return whole(l.Lister.Page(ctx, after, limit))
}

func whole(recs []*session.Record, err error) ([]*session.Record, error) {
	if err != nil {
		return nil, err
	}
	if slices.Contains(recs, nil) {
		return nil, errors.New("a list with nil in it")
	}
	return recs, nil
}

// walk goes through all pages and returns the ids in their order. between is called after each page with its last id.
func (e *env) walk(ctx context.Context, limit int, between func(last string) error) ([]string, error) {
	var ids []string
	for after := ""; ; {
		page, err := e.lister().Page(ctx, after, limit)
		if err != nil {
			return nil, fmt.Errorf("Page(%q, %d) = %w, want no error", after, limit, err)
		}
		if len(page) > limit {
			return nil, fmt.Errorf("Page(%q, %d) has %d records", after, limit, len(page))
		}
		for _, rec := range page {
			if slices.Contains(ids, rec.ID) {
				return nil, fmt.Errorf("a walk in pages of %d shows %q twice", limit, rec.ID)
			}
			ids = append(ids, rec.ID)
		}
		if len(page) < limit {
			return ids, nil
		}
		after = page[len(page)-1].ID
		if err := between(after); err != nil {
			return nil, err
		}
	}
}

func nothing(string) error { return nil }

// wantPaged wants exactly these records in the pages, in any order, if the store has pages.
func (e *env) wantPaged(ctx context.Context, want ...string) error {
	if e.lister() == nil {
		return nil
	}
	return e.wantWalk(ctx, 3, want)
}

func (e *env) wantWalk(ctx context.Context, limit int, want []string) error {
	got, err := e.walk(ctx, limit, nothing)
	if err != nil {
		return err
	}
	return sameSet(limit, got, want)
}

func sameSet(limit int, got, want []string) error {
	for _, id := range want {
		if !slices.Contains(got, id) {
			return fmt.Errorf("a walk in pages of %d does not show %q", limit, id)
		}
	}
	for _, id := range got {
		if !slices.Contains(want, id) {
			return fmt.Errorf("a walk in pages of %d shows %q, which is not there", limit, id)
		}
	}
	return nil
}

func (e *env) createAll(ctx context.Context, ids []string) error {
	for _, id := range ids {
		if err := e.create(ctx, sample(id)); err != nil {
			return err
		}
	}
	return nil
}

func pagesShowAll(ctx context.Context, e *env) error {
	ids := handles(3)
	if err := e.wantPaged(ctx); err != nil {
		return err
	}
	for i, id := range ids {
		rec := sample(id)
		rec.Kind = session.RecordKind(i)
		if err := e.create(ctx, rec); err != nil {
			return err
		}
	}
	nobody := owned(idA, "")
	return first(
		e.create(ctx, nobody), e.wantPaged(ctx, append(ids, idA)...),
		e.remove(ctx, ids[0]), e.wantPaged(ctx, ids[1], ids[2], idA),
		e.pageShows(ctx, stored(nobody)),
	)
}

// pageShows wants a record, given as it is stored, in a page.
func (e *env) pageShows(ctx context.Context, want *session.Record) error {
	page, err := e.lister().Page(ctx, "", 100)
	if err != nil {
		return err
	}
	for _, got := range page {
		if got.ID == want.ID {
			if err := inAList(got, want); err != nil {
				return fmt.Errorf("in a page: %w", err)
			}
			return nil
		}
	}
	return fmt.Errorf("Page does not list %q", want.ID)
}

func pagesAreFull(ctx context.Context, e *env) error {
	ids := handles(60)
	if err := e.createAll(ctx, ids); err != nil {
		return err
	}
	for _, limit := range []int{1, 7, 30, 59, 60, 61, 1000} {
		if err := e.wantWalk(ctx, limit, ids); err != nil {
			return err
		}
	}
	return nil
}

func pagesHaveOneOrder(ctx context.Context, e *env) error {
	if err := e.createAll(ctx, handles(40)); err != nil {
		return err
	}
	before, err := e.walk(ctx, 7, nothing)
	if err != nil {
		return err
	}
	others := handles(120)[40:]
	if err := first(e.createAll(ctx, others), e.remove(ctx, others[:40]...),
		e.replace(ctx, next(handle(3), 1))); err != nil {
		return err
	}
	after, err := e.walk(ctx, 11, nothing)
	if err != nil {
		return err
	}
	after = slices.DeleteFunc(after, func(id string) bool { return slices.Contains(others, id) })
	if !slices.Equal(before, after) {
		return errors.New("records that stayed are in another order after others came and went")
	}
	return nil
}

// pageAfterGone deletes the last record of each page before it asks for the next one.
func pageAfterGone(ctx context.Context, e *env) error {
	ids := handles(40)
	if err := e.createAll(ctx, ids); err != nil {
		return err
	}
	got, err := e.walk(ctx, 3, func(last string) error { return e.remove(ctx, last) })
	if err != nil {
		return err
	}
	return sameSet(3, got, ids)
}

// walkAmongOthers adds and removes records between the pages, and by another goroutine during them.
func walkAmongOthers(ctx context.Context, e *env) error {
	stay, others := handles(40), handles(400)[40:]
	if err := first(e.createAll(ctx, stay), e.createAll(ctx, others[:100])); err != nil {
		return err
	}
	walked := make(chan struct{})
	var got []string
	errs := race(2, func(i int) (err error) {
		if i > 0 {
			return e.comeAndGo(ctx, others[200:], walked)
		}
		defer close(walked)
		got, err = e.walk(ctx, 5, e.changing(ctx, others[:200]))
		return err
	})
	got = slices.DeleteFunc(got, func(id string) bool { return slices.Contains(others, id) })
	return first(errors.Join(errs...), sameSet(5, got, stay))
}

// changing returns a function that removes some of the others and adds some each time that it is called.
func (e *env) changing(ctx context.Context, others []string) func(string) error {
	n := 0
	return func(string) error {
		if n += 5; n > 100 {
			return nil
		}
		return first(e.remove(ctx, others[n-5:n]...), e.createAll(ctx, others[95+n:100+n]))
	}
}

// comeAndGo creates and deletes others until the walk is done.
func (e *env) comeAndGo(ctx context.Context, others []string, walked <-chan struct{}) error {
	for i := range others {
		select {
		case <-walked:
			return nil
		default:
		}
		if err := e.create(ctx, sample(others[i])); err != nil {
			return err
		}
		if i >= 8 {
			if err := e.remove(ctx, others[i-8]); err != nil {
				return err
			}
		}
	}
	return nil
}

// walkWhileSaved lets a walk and a round of saves begin at the same moment, again and again: one long race could be
// over before a walk begins whose goroutine has to wait for a processor.
func walkWhileSaved(ctx context.Context, e *env) error {
	ids := handles(12)
	if err := e.createAll(ctx, ids); err != nil {
		return err
	}
	for version := uint64(1); version <= 2*rounds; version++ {
		saved := make(chan struct{})
		errs := race(2, func(i int) error {
			if i > 0 {
				return until(saved, func() error { return e.wantWalk(ctx, 5, ids) })
			}
			defer close(saved)
			return e.saveInTurn(ctx, ids, version)
		})
		if err := errors.Join(errs...); err != nil {
			return err
		}
	}
	return nil
}

// saveInTurn saves and touches one record after the other.
func (e *env) saveInTurn(ctx context.Context, ids []string, version uint64) error {
	for _, id := range ids {
		if err := e.replace(ctx, next(id, version)); err != nil {
			return err
		}
		if e.toucher() == nil {
			continue
		}
		if err := e.touch(ctx, id, version+1, at(day), at(2*day)); err != nil {
			return err
		}
	}
	return nil
}
