package integration_test

import (
	"errors"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/redisstore"
)

func TestRedisTellsHowLongItKeepsARecord(t *testing.T) {
	client := redisClient(t, rueidis.ClientOption{InitAddress: singleRedis(t)})
	prefix := newPrefix()
	store := redisStore(t, client, redisstore.Options{Prefix: prefix})
	now := time.Now().UTC().Truncate(time.Microsecond)
	save(t, store, &session.Record{ID: "ends", SeenAt: now, ExpiresAt: now.Add(time.Hour)})
	save(t, store, &session.Record{ID: "stays", SeenAt: now})
	save(t, store, &session.Record{ID: "clock", SeenAt: now.Add(-9 * time.Hour), ExpiresAt: now.Add(-8 * time.Hour)})
	for _, id := range []string{"ends", "clock"} { // the server's clock does not matter
		if left, err := store.Remaining(t.Context(), id); err != nil || left < time.Hour-time.Minute ||
			left > 2*time.Hour {
			t.Errorf("Remaining of %q, which ends in an hour = %v, %v", id, left, err)
		}
	}
	if left, err := store.Remaining(t.Context(), "stays"); err != nil || left >= 0 {
		t.Errorf("Remaining of a record without an end = %v, %v, want a negative time", left, err)
	}
	if _, err := store.Remaining(t.Context(), "absent"); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("Remaining of no record = %v, want ErrNotFound", err)
	}
}
