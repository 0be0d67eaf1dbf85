package integration_test

import (
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/redisstore"
)

func TestRedisFaultsLogNobodyOut(t *testing.T) {
	target := singleRedis(t)[0]
	leavesNothing(t)
	for name, ttl := range map[string]time.Duration{"not cached": 0, "cached": time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachFault(t, func(t *testing.T) (session.Store, *servers.Proxy) {
				proxy := servers.NewProxy(t, target)
				client := redisClient(t, rueidis.ClientOption{InitAddress: []string{proxy.Addr}})
				return redisStore(t, client, redisstore.Options{Prefix: newPrefix(), CacheTTL: ttl}), proxy
			})
		})
	}
}

func TestRedisKilledUnderLoadLosesNoAnsweredWrite(t *testing.T) {
	r := syncingRedis(t)
	leavesNothing(t)
	t.Cleanup(r.Stop)
	var stores [2]session.Store
	for i := range stores {
		stores[i] = redisStore(t, redisClient(t, rueidis.ClientOption{InitAddress: []string{r.Addr}}),
			redisstore.Options{})
	}
	survivesKill(t, stores, func() { restarted(t, r) })
}

// syncingRedis is a server of the test's own that forgets nothing it has answered.
func syncingRedis(t *testing.T) *servers.Redis {
	t.Helper()
	r, err := servers.NewRedis("--appendonly", "yes", "--appendfsync", "always")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func restarted(t *testing.T, r *servers.Redis) {
	r.Kill()
	if err := r.Start(r.Ready); err != nil {
		t.Error(err)
	}
}
