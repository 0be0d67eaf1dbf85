package explore_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/internal/explore"
	"github.com/coatcheck/session/memstore"
)

// Two goroutines of one handler may do anything to its session at once, before the first byte of the response, during
// it and after it.
func TestTwoGoroutinesOfAHandlerKeepThePromises(t *testing.T) {
	cases := explore.FewHandCases()
	if everything {
		cases = explore.HandCases()
	}
	exploreHands(t, cases, thorough(-1, 1))
}

// What they do is done again on what another request has left.
func TestTwoGoroutinesOfAHandlerKeepThePromisesBesideAnotherRequest(t *testing.T) {
	cases := explore.FewHandCasesThatMeet()
	if everything {
		cases = explore.HandCasesThatMeet()
	}
	exploreHands(t, cases, thorough(2, 1))
}

func exploreHands(t *testing.T, cases []explore.HandCase, preemptions int) {
	t.Helper()
	total, failed := 0, 0
	for _, c := range played(cases) {
		var orders int
		var err error
		synctest.Test(t, func(*testing.T) {
			orders, err = c.Explore(explore.HandPlay{
				Store: memstore.New(memstore.Options{}), Start: time.Now(), Preemptions: preemptions,
				Settled: synctest.Wait, Carry: carry,
			})
		})
		total += orders
		if err != nil {
			t.Error(err)
			failed++
		}
		if failed == 20 {
			t.Fatal("there may be more")
		}
	}
	t.Logf("%d orders", total)
}

func carry(retired session.Store) (session.Store, error) {
	return cookiestore.New(cookiestore.Options{Revocations: retired})
}

// A store that breaks its contract breaks what hands are promised.
func TestThePairsOfHandsFindWhatABrokenStoreBreaks(t *testing.T) {
	forgetful, immortal := brokenStore{save: forgets(changed)}, brokenStore{save: forgets(retired)}
	for _, row := range []struct {
		promise, name string
		store         brokenStore
	}{
		{"what was answered is there", "set and nothing, of ada", forgetful},
		{"flash data are for one request", "get and nothing, of ada", forgetful},
		{"no step of a counter is lost or made twice", "update and nothing, of ada", forgetful},
		{"a value is taken once", "atomic pop and atomic pop, of ada", forgetful},
		{"an old ticket opens nothing", "regenerate and nothing, of ada", immortal},
		{"a session is alive once", "get and nothing, of ada, renewal due", immortal},
		{"somebody has the ticket of each session", "set and nothing, of a stranger", brokenStore{save: twice}},
		{"nobody is signed out whom nobody signed out", "set and nothing, of ada", brokenStore{save: drops}},
		{"each refusal has its reason", "set and nothing, of ada", brokenStore{save: fails}},
	} {
		t.Run(row.promise, func(t *testing.T) {
			cases := explore.HandCases()
			i := slices.IndexFunc(cases, func(c explore.HandCase) bool { return c.String() == row.name })
			if i < 0 {
				t.Fatalf("there is no case %q", row.name)
			}
			var err error
			synctest.Test(t, func(*testing.T) {
				row.store.Store = memstore.New(memstore.Options{})
				_, err = cases[i].Explore(explore.HandPlay{
					Store: row.store, Start: time.Now(), Preemptions: -1, Settled: synctest.Wait,
				})
			})
			if err == nil || !strings.Contains(err.Error(), row.promise) {
				t.Errorf("%s: found is %v, want that %q is broken", row.name, err, row.promise)
			}
		})
	}
}

// twice creates another record beside each.
func twice(s *memstore.Store, rec *session.Record) error {
	if rec.Version == 0 {
		other := rec.Clone()
		other.ID += "0"
		_ = s.Save(context.Background(), other)
	}
	return s.Save(context.Background(), rec)
}

// drops drops what it is to replace.
func drops(s *memstore.Store, rec *session.Record) error {
	if rec.Version > 0 {
		return s.Delete(context.Background(), rec.ID)
	}
	return s.Save(context.Background(), rec)
}
