package integration_test

import (
	"fmt"
	"net"
	"sync"
	"testing"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/redisstore"
)

// forgetLists does what a failover does to a shard whose replica had not heard of the last sign-ins.
func (y *year) forgetLists() {
	y.t.Helper()
	for _, key := range y.keys("u{*") {
		y.do("DEL", key)
	}
}

// wantListed wants a user to have so many sessions.
func (y *year) wantListed(user string, want int) {
	y.t.Helper()
	if recs, err := y.store.ByUser(y.t.Context(), user); len(recs) != want || err != nil {
		y.t.Errorf("%s has %d sessions, %v, want %d", user, len(recs), err, want)
	}
}

// A list may be lost while the records that belong on it are not. A sweep that meets a session in use puts it back.
func TestASweepPutsSessionsBackOnAListThatWasLost(t *testing.T) {
	for name, addrs := range map[string][]string{"single": singleRedis(t), "cluster": clusterRedis(t)} {
		t.Run(name, func(t *testing.T) {
			y := newYear(t, addrs)
			for i := range 20 {
				id := fmt.Sprint("id", i)
				save(t, y.store, &session.Record{ID: id, User: "ada", ExpiresAt: y.after(1)})
				if err := y.store.Touch(t.Context(), id, 1, y.began, y.after(3)); err != nil {
					t.Fatal(err)
				}
			}
			y.forgetLists()
			if n, err := y.store.Sweep(t.Context(), y.after(2), 100); n != 0 || err != nil {
				t.Errorf("Sweep = %d, %v, want 0: all are in use", n, err)
			}
			y.wantListed("ada", 20)
			if n, err := y.store.Sweep(t.Context(), y.after(4), 100); n != 20 || err != nil {
				t.Errorf("Sweep after the end = %d, %v, want 20", n, err)
			}
			if keys := y.keys("*"); len(keys) > 0 {
				t.Errorf("%q are left, want nothing", keys)
			}
		})
	}
}

// Whoever lists all sessions after a failover has every session on its list, with an end or without.
func TestAListOfAllPutsSessionsBackOnAListThatWasLost(t *testing.T) {
	for name, addrs := range map[string][]string{"single": singleRedis(t), "cluster": clusterRedis(t)} {
		t.Run(name, func(t *testing.T) {
			y := newYear(t, addrs)
			save(t, y.store, &session.Record{ID: "a", User: "ada"})
			save(t, y.store, &session.Record{ID: "b", User: "ada", ExpiresAt: y.after(1)})
			save(t, y.store, &session.Record{ID: "c", User: "ada", ExpiresAt: y.after(1)})
			save(t, y.store, &session.Record{ID: "c", User: "ada", Version: 1, Kind: session.KindTombstone})
			save(t, y.store, &session.Record{ID: "d"})
			y.forgetLists()
			if page, err := y.store.Page(t.Context(), "", 10); len(page) != 4 || err != nil {
				t.Errorf("Page = %v, %v, want 4 records", page, err)
			}
			y.wantListed("ada", 2)
			if listed := y.listed(); listed != 2 {
				t.Errorf("%d entries, want 2", listed)
			}
		})
	}
}

// A session may end just before it is put back on its list, and be forgotten by then.
func TestNoSessionIsPutBackOnAListThatHasEndedMeanwhile(t *testing.T) {
	y := newYear(t, singleRedis(t))
	ended := 0
	end := sync.OnceFunc(func() {
		if err := y.store.Delete(t.Context(), "a"); err != nil {
			t.Error(err)
		}
		if _, err := y.store.Sweep(t.Context(), y.after(2), 10); err != nil {
			t.Error(err)
		}
		ended++
	})
	late := redisStore(t, redisClient(t, rueidis.ClientOption{InitAddress: singleRedis(t),
		DialCtxFn: onWord(scriptName(t, "enlist.lua"), func(net.Conn) { end() })}),
		redisstore.Options{Prefix: y.prefix})
	save(t, y.store, &session.Record{ID: "a", User: "ada", ExpiresAt: y.after(1)})
	if err := y.store.Touch(t.Context(), "a", 1, y.began, y.after(9)); err != nil {
		t.Fatal(err)
	}
	y.forgetLists()
	if _, err := late.Sweep(t.Context(), y.after(2), 10); err != nil || ended != 1 {
		t.Fatalf("Sweep: %v, and the session has ended %d times meanwhile, want once", err, ended)
	}
	if keys := y.keys("*"); len(keys) > 0 {
		t.Errorf("%q are left, want nothing", keys)
	}
}
