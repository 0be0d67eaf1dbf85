package integration_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/redisstore"
)

// A sweep takes its batch from many shards. What it asks them for is what it removes, however much more has expired
// there: the server sends it through the connection on which visitors wait for their sessions.
func TestRedisSweepAsksForNoMoreThanItRemoves(t *testing.T) {
	const expired, limit, perRecord = 5000, 100, 300 // an id and the answer of a script are about 150 bytes
	ctx := context.Background()
	r, err := servers.NewRedis()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Stop()
	client := redisClient(t, rueidis.ClientOption{InitAddress: []string{r.Addr}, DisableCache: true})
	store := redisStore(t, client, redisstore.Options{})
	end := time.Now().Add(time.Hour)
	for i := range expired {
		save(t, store, &session.Record{ID: fmt.Sprintf("%064d", i), ExpiresAt: end})
	}
	before := redisSent(t, r)
	if n, err := store.Sweep(ctx, end.Add(time.Second), limit); n != limit || err != nil {
		t.Fatalf("Sweep = %d, %v, want %d", n, err, limit)
	}
	if sent := redisSent(t, r) - before; sent > limit*perRecord {
		t.Errorf("the server sent %d bytes for %d records, want at most %d each", sent, limit, perRecord)
	}
	for want := expired - limit; want > 0; want -= limit {
		if n, err := store.Sweep(ctx, end.Add(time.Second), limit); n != limit || err != nil {
			t.Fatalf("Sweep with %d left = %d, %v, want %d", want, n, err, limit)
		}
	}
	if n, err := store.Sweep(ctx, end.Add(time.Second), limit); n != 0 || err != nil {
		t.Errorf("Sweep of nothing = %d, %v", n, err)
	}
}

// redisSent is how many bytes the server has sent to all of its clients.
func redisSent(t *testing.T, r *servers.Redis) int {
	t.Helper()
	return redisInfo(t, r, "stats", "total_net_output_bytes")
}

// redisInfo is a number that the server tells of itself.
func redisInfo(t *testing.T, r *servers.Redis, section, field string) int {
	t.Helper()
	_, rest, _ := strings.Cut(told(t, r, "INFO", section), "\n"+field+":")
	text, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
