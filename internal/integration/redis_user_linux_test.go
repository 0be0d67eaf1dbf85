package integration_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/redisstore"
)

// A session is never alive and missing from its user's list, while it moves from one id to another and from one user to
// another, and while others read the lists. In a cluster the records and the list lie on different servers.
func TestRedisListsEverySessionThatIsAlive(t *testing.T) {
	ctx, opts := context.Background(), redisstore.Options{Prefix: newPrefix()}
	addrs := clusterRedis(t)
	open := func() *redisstore.Store {
		return redisStore(t, redisClient(t, rueidis.ClientOption{InitAddress: addrs}), opts)
	}
	a, b := open(), open()
	const steps = 150
	save(t, a, &session.Record{ID: "0", User: "ada"})
	done := make(chan struct{})
	var wg sync.WaitGroup
	for _, store := range []*redisstore.Store{a, b} {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if recs, err := store.ByUser(ctx, "ada"); err != nil || len(recs) == 0 {
					t.Errorf("ByUser = %v, %v, want the session under one id or both", recs, err)
					return
				}
			}
		})
	}
	for i := range steps { // as a renewal does
		save(t, a, &session.Record{ID: fmt.Sprint(i + 1), User: "ada"})
		save(t, a, &session.Record{ID: fmt.Sprint(i), User: "ada", Kind: session.KindAlias,
			Successor: fmt.Sprint(i + 1), Version: 1})
	}
	close(done)
	wg.Wait()
}
