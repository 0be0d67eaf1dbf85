package integration_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
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
	for i := range 100 {
		save(t, store, &session.Record{ID: fmt.Sprint("id", i), ExpiresAt: end})
	}
	beginMove(t, slot, owner, other)
	moveKey(t, redisKeyOf("moving"), owner, other)
	n, err := store.Sweep(t.Context(), end.Add(time.Second), 1000)
	if n != 100 || err == nil || !strings.Contains(err.Error(), "TRYAGAIN") {
		t.Errorf("Sweep = %d, %v, want 100 and TRYAGAIN", n, err)
	}
}

func beginMove(t *testing.T, slot string, owner, other *servers.Redis) {
	t.Helper()
	told(t, other, "CLUSTER", "SETSLOT", slot, "IMPORTING", told(t, owner, "CLUSTER", "MYID"))
	told(t, owner, "CLUSTER", "SETSLOT", slot, "MIGRATING", told(t, other, "CLUSTER", "MYID"))
}

func moveKey(t *testing.T, key string, owner, other *servers.Redis) {
	t.Helper()
	host, port, _ := strings.Cut(other.Addr, ":")
	told(t, owner, "MIGRATE", host, port, key, "0", "5000")
}

// A slot that is being moved is served: what is whole, on either side, is saved and ended there.
func TestASessionEndsInASlotThatIsBeingMoved(t *testing.T) {
	slot, owner, other := movingSlot(t)
	client := redisClient(t, rueidis.ClientOption{InitAddress: []string{owner.Addr}})
	store := redisStore(t, client, redisstore.Options{})
	tag, _, _ := strings.Cut(redisKeyOf("moving"), "}")
	var ids []string // in that slot
	for i := 0; len(ids) < 5; i++ {
		if id := fmt.Sprint("id", i); strings.HasPrefix(redisKeyOf(id), tag) {
			ids = append(ids, id)
			save(t, store, &session.Record{ID: id, User: "ada", ExpiresAt: time.Now()})
		}
	}
	beginMove(t, slot, owner, other)
	ends := func(begin int) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		stone := &session.Record{ID: ids[begin], Version: 1, Kind: session.KindTombstone, ExpiresAt: time.Now()}
		if err := errors.Join(store.Save(ctx, stone), store.Delete(ctx, ids[begin+1])); err != nil {
			t.Error(err)
		}
	}
	ends(0)
	for _, key := range strings.Fields(told(t, owner, "CLUSTER", "GETKEYSINSLOT", slot, "100")) {
		moveKey(t, key, owner, other)
	}
	ends(2)
	for _, node := range []*servers.Redis{other, owner} {
		told(t, node, "CLUSTER", "SETSLOT", slot, "NODE", told(t, other, "CLUSTER", "MYID"))
	}
	if n, err := store.Sweep(t.Context(), time.Now().Add(time.Second), 100); n != 3 || err != nil {
		t.Errorf("Sweep = %d, %v, want 3", n, err)
	}
}
