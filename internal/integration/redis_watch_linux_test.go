package integration_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/redisstore"
)

// A store tells nothing of the sessions under another prefix, an id may be anything, and what was sat out with a server
// that was away is told again once it is back.
func TestARedisThatWasAwayTellsAgain(t *testing.T) {
	r, err := servers.NewRedis()
	if err != nil {
		t.Fatal(err)
	}
	client := redisClient(t, rueidis.ClientOption{InitAddress: []string{r.Addr}})
	own, other := redisStore(t, client, redisstore.Options{}),
		redisStore(t, client, redisstore.Options{Prefix: "other:"})
	heard := make(chan string, 100)
	go own.Watch(t.Context(), func(id string) {
		if id != "" { // it has begun
			heard <- id
		}
	})
	for range 2 {
		untilSubscribed(t, r)
		ids := []string{"a b", "x", strings.Repeat("é", 1000), `quo'te"` + "\n"}
		for _, id := range ids {
			for _, store := range []*redisstore.Store{other, own} {
				// A connection that the killed server had may not have heard of it yet.
				recovered(t, func() bool { return store.Save(t.Context(), &session.Record{ID: id}) == nil })
				recovered(t, func() bool { return store.Delete(t.Context(), id) == nil })
			}
		}
		for _, id := range ids {
			if got := <-heard; got != id {
				t.Errorf("told of %q, want %q", got, id)
			}
		}
		r.Kill()
		if err := r.Start(r.Ready); err != nil {
			t.Fatal(err)
		}
	}
}

// untilSubscribed waits until somebody listens on the channel of the default prefix.
func untilSubscribed(t *testing.T, r *servers.Redis) {
	t.Helper()
	for {
		out, err := r.CLI(t.Context(), "PUBSUB", "NUMSUB", "session:ended")
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(strings.TrimSpace(out), "1") {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// Whoever may neither publish nor subscribe ends sessions all the same, and is told by Watch what it lacks.
func TestRedisEndsSessionsOfWhoMayNotTell(t *testing.T) {
	rights := strings.Join(redisRights(t), " ")
	rights = strings.ReplaceAll(rights, "+publish +subscribe &session:ended ", "resetchannels ")
	_, client := limitedRedis(t, strings.Fields(rights))
	store := redisStore(t, client, redisstore.Options{})
	for _, end := range []func() error{
		func() error { return store.Delete(t.Context(), "a") },
		func() error {
			return store.Save(t.Context(), &session.Record{ID: "a", Kind: session.KindTombstone, Version: 1})
		},
	} {
		save(t, store, &session.Record{ID: "a", User: "ada"})
		if err := end(); err != nil {
			t.Error(err)
		}
		if rec, err := store.Load(context.Background(), "a"); err == nil && rec.Kind == session.KindLive {
			t.Error("the session is alive")
		}
	}
	if err := store.Watch(t.Context(), func(string) {}); !errors.Is(err, session.ErrNotSupported) {
		t.Errorf("Watch = %v, want ErrNotSupported", err)
	}
}

// What was told of is not read from the cache any more, whichever message the server sent first.
func TestRedisCacheForgetsWhatItIsToldOf(t *testing.T) {
	opts := redisstore.Options{Prefix: newPrefix(), CacheTTL: time.Minute}
	own := redisStore(t, redisClient(t, rueidis.ClientOption{InitAddress: singleRedis(t)}), opts)
	other := redisStore(t, redisClient(t, rueidis.ClientOption{InitAddress: singleRedis(t)}),
		redisstore.Options{Prefix: opts.Prefix})
	told := make(chan error, 1000) // nobody is held up who is told once more
	listens(t, own, func(id string) {
		_, err := own.Load(context.Background(), id)
		told <- err
	})
	for i := range 200 {
		id := fmt.Sprint("id ", i)
		save(t, other, &session.Record{ID: id})
		loaded(t, own, id)
		if err := other.Delete(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if err := <-told; !errors.Is(err, session.ErrNotFound) {
			t.Fatalf("session %d that was told of is loaded: %v", i, err)
		}
	}
}

// Whoever is told of a session may look at the store first, however much there is to tell meanwhile. Messages and
// records come over one connection.
func TestWhoIsToldOfASessionMayLookAtTheStore(t *testing.T) {
	for _, ttl := range []time.Duration{0, time.Minute} {
		r, err := servers.NewRedis()
		if err != nil {
			t.Fatal(err)
		}
		client := redisClient(t, rueidis.ClientOption{InitAddress: []string{r.Addr}, PipelineMultiplex: -1})
		own := redisStore(t, client, redisstore.Options{CacheTTL: ttl})
		address := rueidis.ClientOption{InitAddress: []string{r.Addr}}
		other := redisStore(t, redisClient(t, address), redisstore.Options{})
		ctx, end := context.WithCancel(t.Context())
		const sessions = 200
		all, told, over := make(chan struct{}), make(chan error, sessions), make(chan error, 1)
		go func() {
			over <- own.Watch(ctx, func(id string) {
				if id == "" {
					return
				}
				<-all
				limited, stop := context.WithTimeout(context.Background(), patience)
				defer stop()
				_, err := own.Load(limited, id)
				told <- err
			})
		}()
		untilSubscribed(t, r)
		for i := range sessions {
			id := fmt.Sprint("id ", i)
			save(t, other, &session.Record{ID: id})
			if err := other.Delete(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		close(all)
		for range sessions {
			if err := <-told; !errors.Is(err, session.ErrNotFound) {
				t.Fatalf("a session that ended is loaded: %v", err)
			}
		}
		end()
		if err := <-over; !errors.Is(err, context.Canceled) {
			t.Errorf("Watch = %v, want the end of its context", err)
		}
	}
}
