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
	save(t, store, &session.Record{ID: "ends", CreatedAt: now, ExpiresAt: now.Add(time.Hour)})
	save(t, store, &session.Record{ID: "stays", CreatedAt: now})
	// the server is told a later end, for clocks that differ
	if left, err := store.Remaining(t.Context(), "ends"); err != nil || left < time.Hour-time.Minute ||
		left > 2*time.Hour {
		t.Errorf("Remaining of a record that ends in an hour = %v, %v", left, err)
	}
	if left, err := store.Remaining(t.Context(), "stays"); err != nil || left >= 0 {
		t.Errorf("Remaining of a record without an end = %v, %v, want a negative time", left, err)
	}
	if _, err := store.Remaining(t.Context(), "absent"); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("Remaining of no record = %v, want ErrNotFound", err)
	}
}
