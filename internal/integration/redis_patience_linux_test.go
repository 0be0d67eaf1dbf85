package integration_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/redisstore"
)

// Nobody sets a deadline for a list. A server that refuses it for long is an outage nevertheless.
func TestAListOfARedisThatRefusesEndsByItself(t *testing.T) {
	for code, reluctant := range reluctantServers {
		if code == "TRYAGAIN" { // what has one key only is answered
			continue
		}
		t.Run(code, func(t *testing.T) {
			t.Parallel() // each has servers of its own
			c := newCaller(t, reluctant(t), 0)
			save(t, c.store, &session.Record{ID: "moving", User: "ada"})
			c.refuse()
			defer c.allow()
			var all sync.WaitGroup
			all.Go(func() {
				if recs, err := c.store.Page(t.Context(), "", 10); err == nil || !strings.Contains(err.Error(), code) {
					t.Errorf("Page = %v, %v, want %s", recs, err, code)
				}
			})
			all.Go(func() {
				recs, err := c.store.ByUser(t.Context(), "ada")
				if code == "CLUSTERDOWN" { // the list may be on another server
					return
				}
				if err == nil || !strings.Contains(err.Error(), code) {
					t.Errorf("ByUser = %v, %v, want %s", recs, err, code)
				}
			})
			all.Wait()
		})
	}
}

// A slot may be moved by halves for days. What expires elsewhere is swept.
func TestASweepPassesByWhatItsServerRefuses(t *testing.T) {
	slot, owner, other := movingSlot(t)
	client := redisClient(t, rueidis.ClientOption{InitAddress: []string{owner.Addr}})
	store := redisStore(t, client, redisstore.Options{})
	end := time.Now()
	save(t, store, &session.Record{ID: "moving", ExpiresAt: end})
	tag, _, _ := strings.Cut(redisKeyOf("moving"), "}")
	elsewhere := 0
	for i := range 100 {
		if id := fmt.Sprint("id", i); !strings.HasPrefix(redisKeyOf(id), tag) {
			save(t, store, &session.Record{ID: id, ExpiresAt: end})
			elsewhere++
		}
	}
	told(t, other, "CLUSTER", "SETSLOT", slot, "IMPORTING", told(t, owner, "CLUSTER", "MYID"))
	told(t, owner, "CLUSTER", "SETSLOT", slot, "MIGRATING", told(t, other, "CLUSTER", "MYID"))
	host, port, _ := strings.Cut(other.Addr, ":")
	told(t, owner, "MIGRATE", host, port, redisKeyOf("moving"), "0", "5000")
	n, err := store.Sweep(t.Context(), end.Add(time.Second), 1000)
	if n != elsewhere || err == nil || !strings.Contains(err.Error(), "TRYAGAIN") {
		t.Errorf("Sweep = %d, %v, want %d and TRYAGAIN", n, err, elsewhere)
	}
}
