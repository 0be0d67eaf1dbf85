package integration_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/redisstore"
)

// redisRights is what the package comment of redisstore asks for.
const redisRights = "on >password resetkeys ~session:* +get +getrange +setrange +set +del +exists +persist +pexpireat +time " +
	"+zadd +zrem +zrangebylex +zrangebyscore +hset +hget +hgetall +hdel +eval +evalsha " +
	"+publish +subscribe &session:ended " +
	"+hello +ping +client +multi +exec +pttl +cluster|slots +cluster|shards +info"

func TestRedisNeedsNoOtherRights(t *testing.T) {
	ctx := context.Background()
	r, err := servers.NewRedis()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.CLI(ctx, append([]string{"ACL", "SETUSER", "app"}, strings.Fields(redisRights)...)...); err != nil {
		t.Fatal(err)
	}
	client := redisClient(t, rueidis.ClientOption{InitAddress: []string{r.Addr}, Username: "app", Password: "password"})
	for _, ttl := range []time.Duration{0, time.Minute} {
		store := redisStore(t, client, redisstore.Options{CacheTTL: ttl})
		save(t, store, &session.Record{ID: "a", User: "ada", ExpiresAt: time.Now()})
		loaded(t, store, "a")
		save(t, store, &session.Record{ID: "a", User: "bob", Version: 1})
		if err := store.Touch(ctx, "a", 2, time.Now(), time.Time{}); err != nil {
			t.Error(err)
		}
		if recs, err := store.ByUser(ctx, "bob"); err != nil || len(recs) != 1 {
			t.Errorf("ByUser = %v, %v, want one record", recs, err)
		}
		if page, err := store.Page(ctx, "", 10); err != nil || len(page) != 1 {
			t.Errorf("Page = %v, %v, want one record", page, err)
		}
		save(t, store, &session.Record{ID: "b", User: "ada", ExpiresAt: time.Now()})
		if n, err := store.Sweep(ctx, time.Now().Add(time.Hour), 10); err != nil || n != 1 {
			t.Errorf("Sweep = %d, %v, want 1", n, err)
		}
		if err := store.Delete(ctx, "a"); err != nil {
			t.Error(err)
		}
	}
}
