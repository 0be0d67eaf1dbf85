package integration_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/redisstore"
)

// slowCache is a client that asks its cache only when it is told to, and says what came of it.
type slowCache struct {
	rueidis.Client
	begin chan struct{}
	ended chan error
}

func (c slowCache) DoCache(ctx context.Context, cmd rueidis.Cacheable, ttl time.Duration) rueidis.RedisResult {
	<-c.begin
	if errors.Is(ctx.Err(), context.DeadlineExceeded) { // it was the test that took half a second
		ctx = context.WithoutCancel(ctx)
	}
	reply := c.Client.DoCache(ctx, cmd, ttl)
	c.ended <- reply.Error()
	return reply
}

// slowlyCached is a store that has saved a session under a context that is over, and whose reading ahead has not begun.
func slowlyCached(t *testing.T) (slowCache, *redisstore.Store) {
	t.Helper()
	client := redisClient(t, rueidis.ClientOption{InitAddress: singleRedis(t)})
	cache := slowCache{client, make(chan struct{}, 9), make(chan error, 9)}
	store := redisStore(t, cache, redisstore.Options{Prefix: newPrefix(), CacheTTL: time.Minute})
	save(t, store, &session.Record{ID: "a"})
	ctx, end := context.WithCancel(t.Context())
	if err := store.Save(ctx, &session.Record{ID: "a", Version: 1}); err != nil {
		t.Fatal(err)
	}
	end()
	return cache, store
}

// Who saves does not wait for the read that brings the record into the cache, and that read does not end with him.
func TestNobodyWaitsForWhatIsReadAhead(t *testing.T) {
	cache, store := slowlyCached(t)
	if len(cache.ended) > 0 {
		t.Fatal("the save has waited for a read")
	}
	cache.begin <- struct{}{}
	if err := <-cache.ended; err != nil {
		t.Errorf("the read after the end of the request: %v, want the record", err)
	}
	cache.begin <- struct{}{}
	if rec := loaded(t, store, "a"); rec.Version != 2 {
		t.Errorf("Load = version %d, want that of the save", rec.Version)
	}
}

// A record that is loaded before it was read ahead is the one that was saved.
func TestALoadMayComeBeforeWhatIsReadAhead(t *testing.T) {
	cache, store := slowlyCached(t)
	cache.begin <- struct{}{}
	cache.begin <- struct{}{}
	if rec := loaded(t, store, "a"); rec.Version != 2 {
		t.Errorf("Load = version %d, want that of the save", rec.Version)
	}
}

// What is read ahead ends with the client.
func TestWhatIsReadAheadEndsWithTheClient(t *testing.T) {
	cache, _ := slowlyCached(t)
	cache.Close()
	cache.begin <- struct{}{}
	if err := <-cache.ended; !errors.Is(err, rueidis.ErrClosing) {
		t.Errorf("the read after Close = %v, want ErrClosing", err)
	}
}
