package integration_test

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/redisstore"
)

// What the server is about to do cannot be taken back safely: the command that does so may overtake it, and the place
// on the list of the user would be taken by nobody. So a create that has begun is ended, as long as its deadline lets
// it.
func TestACreateThatIsCancelledMidwayIsDone(t *testing.T) {
	for word, create := range map[string]func(context.Context, *redisstore.Store) error{
		scriptName(t, "admit.lua"): func(ctx context.Context, s *redisstore.Store) error {
			return s.SaveWithin(ctx, &session.Record{ID: "a", User: "ada"}, session.Limit{Max: 1})
		},
		"SET": func(ctx context.Context, s *redisstore.Store) error {
			return s.Save(ctx, &session.Record{ID: "a", User: "ada"})
		},
	} {
		for _, within := range []time.Duration{0, time.Hour} {
			t.Run(fmt.Sprint(word, " within ", within), func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if within > 0 {
					ctx, cancel = context.WithTimeout(t.Context(), within)
					defer cancel()
				}
				client := redisClient(t, rueidis.ClientOption{
					InitAddress: singleRedis(t), DialCtxFn: onWord(word, func(net.Conn) { cancel() }),
					AlwaysPipelining: true,
				})
				store := redisStore(t, client, redisstore.Options{Prefix: newPrefix()})
				if err := create(ctx, store); err != nil {
					t.Errorf("the create that was cancelled midway = %v", err)
				}
				if ctx.Err() == nil {
					t.Error("it was not cancelled")
				}
				if recs, err := store.ByUser(t.Context(), "ada"); len(recs) != 1 || err != nil {
					t.Errorf("ByUser = %v, %v, want the session", recs, err)
				}
			})
		}
	}
}
