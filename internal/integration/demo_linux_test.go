package integration_test

import (
	"testing"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session/cmd/demo/experiment"
	"github.com/coatcheck/session/cmd/demo/trace"
	"github.com/coatcheck/session/redisstore"
)

// What the demo shows in files it shows on every store.
func TestTheExperimentsOfTheDemoHoldOnEveryServer(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) { experimentsHold(t, s.store(t, s.open(t), s.table())) })
	t.Run("SQLite", func(t *testing.T) { experimentsHold(t, migrated(t, openSQLite(t, sqliteFile(t)), "")) })
	for name, addrs := range map[string]func(testing.TB) []string{"Redis": singleRedis, "Redis Cluster": clusterRedis} {
		t.Run(name, func(t *testing.T) {
			client := redisClient(t, rueidis.ClientOption{InitAddress: addrs(t)})
			experimentsHold(t, redisStore(t, client, redisstore.Options{Prefix: newPrefix()}))
		})
	}
}

func experimentsHold(t *testing.T, store trace.Backend) {
	t.Helper()
	for _, e := range experiment.All {
		report, err := e.Run(t.Context(), store)
		if err != nil || !report.Ours.Kept || report.Usual.Kept {
			t.Errorf("%s: %+v, %v; want the promise kept here, and not in the usual way", e.Name, report, err)
		}
	}
	recs, err := store.Page(t.Context(), "", 100)
	if err != nil || len(recs) != 0 {
		t.Errorf("the experiments left %d records, %v", len(recs), err)
	}
}
