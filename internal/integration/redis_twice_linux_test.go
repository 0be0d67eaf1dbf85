package integration_test

import (
	"errors"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/redisstore"
)

// Two stores with one client and one prefix share what the client caches. Each reads what it has written itself all the
// same, and not what the other one has read into the cache before.
func TestRedisStoresOnOneClientReadTheirOwnWrites(t *testing.T) {
	client := redisClient(t, rueidis.ClientOption{InitAddress: singleRedis(t)})
	opts := redisstore.Options{Prefix: newPrefix(), CacheTTL: time.Minute}
	for range 50 {
		one, two := redisStore(t, client, opts), redisStore(t, client, opts)
		save(t, one, &session.Record{ID: "a"}) // the first turn of the one
		loaded(t, one, "a")
		if err := two.Delete(t.Context(), "a"); err != nil { // and of the other
			t.Fatal(err)
		}
		if _, err := two.Load(t.Context(), "a"); !errors.Is(err, session.ErrNotFound) {
			t.Fatalf("Load of what the store has deleted = %v, want ErrNotFound", err)
		}
	}
}
