package integration_test

import (
	"slices"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/leftout"
	"github.com/coatcheck/session/redisstore"
)

func TestRedisSaysWhichDamagedRecordsAPageLeavesOut(t *testing.T) {
	client := redisClient(t, rueidis.ClientOption{InitAddress: singleRedis(t)})
	store := redisStore(t, client, redisstore.Options{Prefix: "leftout:"})
	for _, id := range []string{"a", "b"} {
		rec := &session.Record{ID: id, User: "ada", SeenAt: time.Unix(1e9, 0).UTC()}
		if err := store.Save(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	spoilRedis(t, client, "leftout:", "b")
	var told []string
	ctx := leftout.Telling(t.Context(), func(id, _ string) { told = append(told, id) })
	page, err := store.Page(ctx, "", 10)
	if err != nil || len(page) != 1 || page[0].ID != "a" || !slices.Equal(told, []string{"b"}) {
		t.Errorf("Page = %v, %v, and left out %q, want a, and b left out", page, err, told)
	}
}
