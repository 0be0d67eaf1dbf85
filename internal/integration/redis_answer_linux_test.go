package integration_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/redisstore"
)

// A change whose answer was lost is an outage. It is not sent again: the second time it would meet what the first has
// done, and be told of a conflict, or of a session that is gone.
func TestRedisIsSentEachChangeOnce(t *testing.T) {
	ctx := context.Background()
	for _, change := range []struct {
		name, sent string
		do         func(*redisstore.Store) error
	}{
		{"create", "SET+ZADD", func(s *redisstore.Store) error { return s.Save(ctx, &session.Record{ID: "new"}) }},
		{"replace", "EVALSHA", func(s *redisstore.Store) error {
			return s.Save(ctx, &session.Record{ID: "a", Version: 1})
		}},
		{"touch", "EVALSHA", func(s *redisstore.Store) error {
			return s.Touch(ctx, "a", 1, time.Now(), time.Now().Add(time.Hour))
		}},
		{"delete", "EVALSHA", func(s *redisstore.Store) error { return s.Delete(ctx, "a") }},
	} {
		t.Run(change.name, func(t *testing.T) {
			store, proxy, seen := redisThrough(t, redisstore.Options{Prefix: newPrefix()})
			save(t, store, &session.Record{ID: "warm"}) // every script is known by then
			err := errors.Join(
				store.Save(ctx, &session.Record{ID: "warm", Version: 1}),
				store.Touch(ctx, "warm", 2, time.Now(), time.Time{}),
				store.Delete(ctx, "warm"), store.Save(ctx, &session.Record{ID: "a"}),
			)
			if err != nil {
				t.Fatal(err)
			}
			seen.take()
			proxy.Set(servers.Cut)
			if err := change.do(store); err == nil || errors.Is(err, session.ErrNotFound) ||
				errors.Is(err, session.ErrConflict) {
				t.Errorf("without the answer: %v, want an outage", err)
			}
			proxy.Set(servers.None)
			if sent := seen.take(); sent != change.sent {
				t.Errorf("%q was sent, want %q", sent, change.sent)
			}
		})
	}
}
