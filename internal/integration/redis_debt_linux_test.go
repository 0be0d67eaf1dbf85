package integration_test

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/redisstore"
)

// scriptName is the name by which a server knows a script of the store.
func scriptName(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile("../../redisstore/lua/" + file)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha1.Sum(text)
	return hex.EncodeToString(sum[:])
}

// cutAt is a second store on the records of a year, whose connections end when that word is sent and left is above 0.
func (y *year) cutAt(word string) (*redisstore.Store, *cutter) {
	y.t.Helper()
	cut := &cutter{word: word}
	var addrs []string
	for addr := range y.client.Nodes() {
		addrs = append(addrs, addr)
	}
	client := redisClient(y.t, rueidis.ClientOption{InitAddress: addrs, DialCtxFn: cut.dial})
	return redisStore(y.t, client, redisstore.Options{Prefix: y.prefix}), cut
}

// Who ends a session may lose the connection before he has taken it off the list of its user. A sweep does it then.
func TestASweepTakesSessionsOffListsThatWereOutOfReach(t *testing.T) {
	for name, addrs := range map[string][]string{"single": singleRedis(t), "cluster": clusterRedis(t)} {
		for end, do := range map[string]func(*redisstore.Store, string) error{
			"Delete": func(s *redisstore.Store, id string) error { return s.Delete(t.Context(), id) },
			"tombstone": func(s *redisstore.Store, id string) error {
				return s.Save(t.Context(), &session.Record{ID: id, User: "ada", Version: 1,
					Kind: session.KindTombstone})
			},
			"Sweep": func(s *redisstore.Store, _ string) error {
				_, _ = s.Sweep(t.Context(), time.Now().Add(time.Hour), 100) // fails
				return nil
			},
		} {
			t.Run(name+", "+end, func(t *testing.T) {
				y := newYear(t, addrs)
				store, cut := y.cutAt(scriptName(t, "unlist.lua"))
				for i := range 20 {
					id := fmt.Sprint("id", i)
					save(t, store, &session.Record{ID: id, User: "ada", ExpiresAt: time.Now()})
					cut.left.Store(100)
					if err := do(store, id); err != nil {
						t.Fatal(err)
					}
					cut.left.Store(0)
				}
				if listed := y.listed(); listed != 20 {
					t.Fatalf("%d entries are out of reach, want 20", listed)
				}
				if n, err := y.store.Sweep(t.Context(), time.Now(), 100); err != nil || n > 0 && end != "Sweep" {
					t.Errorf("Sweep = %d, %v", n, err)
				}
				if listed := y.listed(); listed > 0 {
					t.Errorf("%d entries are left, want none", listed)
				}
				if due := y.keys("d*"); len(due) > 0 {
					t.Errorf("%q are left", due)
				}
			})
		}
	}
}

// In a cluster the list of a user may hear of a session that is never saved.
func TestASignInThatFailedByHalfIsOnNoList(t *testing.T) {
	y := newYear(t, clusterRedis(t))
	store, cut := y.cutAt("SET")
	save(t, store, &session.Record{ID: "every script is known now", User: "ada"})
	for i := range 20 {
		cut.left.Store(1)
		err := store.Save(t.Context(), &session.Record{ID: fmt.Sprint("id", i), User: fmt.Sprint("user ", i)})
		if err == nil {
			t.Fatal("the save was not cut off")
		}
	}
	if listed := y.listed(); listed != 1 {
		t.Errorf("%d entries are there, want that of the one that was saved", listed)
	}
}

// A user may come to another session by Save alone. What the store owes the first list is not done to the second.
func TestASweepLeavesSessionsOnTheListsThatTheyAreOn(t *testing.T) {
	y := newYear(t, singleRedis(t))
	end := time.Now().Add(time.Hour)
	save(t, y.store, &session.Record{ID: "a", User: "ada", ExpiresAt: end})
	save(t, y.store, &session.Record{ID: "a", User: "bob", ExpiresAt: end, Version: 1})
	save(t, y.store, &session.Record{ID: "a", User: "ada", ExpiresAt: end, Version: 2})
	save(t, y.store, &session.Record{ID: "b", User: "ada", ExpiresAt: end})
	if err := y.store.Delete(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	save(t, y.store, &session.Record{ID: "b", User: "ada", ExpiresAt: end})
	for _, before := range []time.Time{time.Now(), end} {
		if n, err := y.store.Sweep(t.Context(), before, 10); n != 0 || err != nil {
			t.Errorf("Sweep = %d, %v, want 0", n, err)
		}
		if recs, err := y.store.ByUser(context.Background(), "ada"); len(recs) != 2 || err != nil {
			t.Errorf("ByUser = %v, %v, want both", recs, err)
		}
	}
	if n, err := y.store.Sweep(t.Context(), end.Add(time.Microsecond), 10); n != 2 || err != nil {
		t.Errorf("Sweep after the end = %d, %v, want 2", n, err)
	}
	if keys := y.keys("*"); len(keys) > 0 {
		t.Errorf("%q are left", keys)
	}
}

// The script that saves finds the id in the key, behind the braces of its group. An id may have braces, too.
func TestAnIDWithBracesIsFoundInItsKey(t *testing.T) {
	y := newYear(t, singleRedis(t))
	ids := []string{"}", "{}", "a}b{c", "{00}", "}}}", "{"}
	for _, id := range ids {
		save(t, y.store, &session.Record{ID: id, User: "ada", ExpiresAt: y.after(3)})
		save(t, y.store, &session.Record{ID: id, User: "ada", ExpiresAt: y.after(1), Version: 1}) // earlier
		save(t, y.store, &session.Record{ID: id, User: "bob", ExpiresAt: y.after(1), Version: 2})
		save(t, y.store, &session.Record{ID: id, ExpiresAt: y.after(1), Version: 3})
	}
	n, err := y.store.Sweep(t.Context(), y.after(1), 100)
	if n != 0 || err != nil {
		t.Errorf("Sweep = %d, %v, want 0: none has ended", n, err)
	}
	n, err = y.store.Sweep(t.Context(), y.after(1).Add(time.Microsecond), 100)
	if n != len(ids) || err != nil {
		t.Errorf("Sweep = %d, %v, want all %d", n, err, len(ids))
	}
	for _, id := range ids {
		save(t, y.store, &session.Record{ID: id, User: "ada", ExpiresAt: y.after(3)})
		save(t, y.store, &session.Record{ID: id, User: "ada", ExpiresAt: y.after(3), Version: 1,
			Kind: session.KindTombstone})
	}
	if _, err := y.store.Sweep(t.Context(), y.after(4), 100); err != nil {
		t.Fatal(err)
	}
	if keys := y.keys("*"); len(keys) > 0 {
		t.Errorf("%q are left, want nothing", keys)
	}
}

// What ends at another instant is indexed by the script, which counts as the store does, on either side of 1970.
func TestAnEndThatBecomesEarlierIsExactInTheIndex(t *testing.T) {
	y := newYear(t, singleRedis(t))
	for i, end := range []time.Time{
		y.began, time.UnixMicro(1), time.UnixMicro(0), time.UnixMicro(-1), time.UnixMicro(-6854775809),
		time.Date(1901, 2, 3, 4, 5, 6, 7000, time.UTC), time.Date(2250, 1, 1, 0, 0, 0, 1000, time.UTC),
	} {
		id := fmt.Sprint("id", i)
		save(t, y.store, &session.Record{ID: id, ExpiresAt: end.AddDate(1, 0, 0)})
		save(t, y.store, &session.Record{ID: id, ExpiresAt: end, Version: 1})
		dues, err := y.do("ZRANGE", y.keys("d{*")[0], "0", "-1", "WITHSCORES").AsZScores()
		if err != nil || len(dues) != 1 || dues[0].Score != float64(end.UnixMicro()) {
			t.Errorf("a session that ends at %d is due %v, %v", end.UnixMicro(), dues, err)
		}
		if err := y.store.Delete(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if _, err := y.store.Sweep(t.Context(), y.began.AddDate(400, 0, 0), 10); err != nil {
			t.Fatal(err)
		}
	}
}
