package integration_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/redisstore"
)

// onEachRedis runs a test with a year on one server and on a cluster.
func onEachRedis(t *testing.T, fn func(t *testing.T, y *year)) {
	for name, addrs := range map[string][]string{"single": singleRedis(t), "cluster": clusterRedis(t)} {
		t.Run(name, func(t *testing.T) { fn(t, newYear(t, addrs)) })
	}
}

// Who creates a record whose id is taken leaves the list of its user as it is, and no entry on another one.
func TestRedisListsLoseWhatACreateOfATakenIDFound(t *testing.T) {
	creates := map[string]func(*redisstore.Store, *session.Record) error{
		"Save": func(s *redisstore.Store, rec *session.Record) error { return s.Save(t.Context(), rec) },
		"SaveWithin": func(s *redisstore.Store, rec *session.Record) error {
			return s.SaveWithin(t.Context(), rec, session.Limit{Max: 9, Now: rec.SeenAt})
		},
	}
	onEachRedis(t, func(t *testing.T, y *year) {
		for name, create := range creates {
			for _, user := range []string{"ada", "bob", ""} {
				id := name + user
				save(t, y.store, &session.Record{ID: id, User: "ada", ExpiresAt: y.after(1)})
				again := &session.Record{ID: id, User: user, ExpiresAt: y.after(2)}
				if err := create(y.store, again); !errors.Is(err, session.ErrConflict) {
					t.Errorf("%s of a taken id = %v, want ErrConflict", name, err)
				}
				if n := y.listed(); n != 1 {
					t.Errorf("after a %s of %q there are %d entries, want 1", name, user, n)
				}
				if err := y.store.Delete(t.Context(), id); err != nil {
					t.Fatal(err)
				}
				if n := y.listed(); n != 0 {
					t.Errorf("after a %s of %q and the delete there are %d entries, want none", name, user, n)
				}
			}
		}
		if _, err := y.store.Sweep(t.Context(), y.after(1), 100); err != nil {
			t.Fatal(err)
		}
		if keys := y.keys("*"); len(keys) > 0 {
			t.Errorf("%q are left, want nothing", keys)
		}
	})
}

// Of several creates of one id that are under way at once, the one that wins has the entry.
func TestRedisListsHaveTheEntryOfTheCreateThatWon(t *testing.T) {
	onEachRedis(t, func(t *testing.T, y *year) {
		for i := range 100 {
			id := fmt.Sprint("id", i)
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					err := y.store.Save(t.Context(), &session.Record{ID: id, User: "ada", ExpiresAt: y.after(1)})
					if err != nil && !errors.Is(err, session.ErrConflict) {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if recs, err := y.store.ByUser(t.Context(), "ada"); len(recs) != 1 || err != nil {
				t.Fatalf("ByUser = %v, %v, want the record", recs, err)
			}
			if err := y.store.Delete(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			if n := y.listed(); n != 0 {
				t.Fatalf("after the delete of %q there are %d entries, want none", id, n)
			}
		}
	})
}
