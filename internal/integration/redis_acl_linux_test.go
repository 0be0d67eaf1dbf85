package integration_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/redisstore"
)

// redisRights are the words that follow the user's name in the command that the package comment of redisstore shows.
func redisRights(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../redisstore/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rights, found := strings.Cut(string(text), "ACL SETUSER app ")
	rights, _, _ = strings.Cut(rights, "\n//\n")
	if !found {
		t.Fatal("the package comment shows no ACL SETUSER")
	}
	return strings.Fields(strings.ReplaceAll(rights, "\n//", " "))
}

// limitedRedis is a server, and a client whose user has those rights and no other.
func limitedRedis(t *testing.T, rights []string) (*servers.Redis, rueidis.Client) {
	t.Helper()
	r, err := servers.NewRedis()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.CLI(t.Context(), append([]string{"ACL", "SETUSER", "app"}, rights...)...); err != nil {
		t.Fatal(err)
	}
	return r, redisClient(t, rueidis.ClientOption{InitAddress: []string{r.Addr}, Username: "app", Password: "password"})
}

// Nothing that the store does is refused to a user with the rights in the package comment, whatever the options.
func TestRedisNeedsNoOtherRights(t *testing.T) {
	r, client := limitedRedis(t, redisRights(t))
	for _, ttl := range []time.Duration{0, time.Minute} {
		store := redisStore(t, client, redisstore.Options{CacheTTL: ttl})
		usesEveryCommand(t, store)
		for _, overflow := range []session.Overflow{session.EvictOldest, session.RefuseNew} {
			overflows(t, store, overflow)
		}
	}
	watches(t, r, redisStore(t, client, redisstore.Options{CacheTTL: time.Minute}))
	if refused, err := r.CLI(t.Context(), "ACL", "LOG"); err != nil || strings.TrimSpace(refused) != "" {
		t.Errorf("the server has refused %s, %v", refused, err)
	}
}

func usesEveryCommand(t *testing.T, store *redisstore.Store) {
	t.Helper()
	ctx := t.Context()
	save(t, store, &session.Record{ID: "a", User: "ada", ExpiresAt: time.Now()})
	loaded(t, store, "a")
	if _, err := store.Remaining(ctx, "a"); err != nil {
		t.Error(err)
	}
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

// overflows signs a user in three times where he may have two sessions.
func overflows(t *testing.T, store *redisstore.Store, overflow session.Overflow) {
	t.Helper()
	m := node(t, store, func(o *session.Options) { o.MaxPerUser, o.Overflow = 2, overflow })
	want := map[session.Overflow]int{session.EvictOldest: http.StatusOK,
		session.RefuseNew: http.StatusForbidden}[overflow]
	for i, status := range []int{http.StatusOK, http.StatusOK, want} {
		if resp := newBrowser(t).with(m, func(s *session.Session) { s.Login("eve") }); resp.StatusCode != status {
			t.Errorf("overflow %v: sign-in %d is answered %d, want %d", overflow, i+1, resp.StatusCode, status)
		}
	}
	one := &session.Record{ID: fmt.Sprint("one more ", overflow), User: "eve"}
	err := store.SaveWithin(t.Context(), one, session.Limit{Max: 2, Now: time.Now()})
	if !errors.Is(err, session.ErrTooMany) {
		t.Errorf("SaveWithin above the limit = %v, want ErrTooMany", err)
	}
	if n, err := m.RevokeUser(t.Context(), "eve"); n != 2 || err != nil {
		t.Errorf("RevokeUser = %d, %v, want 2", n, err)
	}
	// What tells the device that was evicted is kept for a day.
	if _, err := store.Sweep(t.Context(), time.Now().Add(48*time.Hour), 10); err != nil {
		t.Error(err)
	}
}

// watches waits until the store is told of a session that ended.
func watches(t *testing.T, r *servers.Redis, store *redisstore.Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	over := make(chan error, 1)
	go func() {
		over <- store.Watch(ctx, func(id string) {
			if id == "watched" {
				cancel()
			}
		})
	}()
	untilSubscribed(t, r)
	save(t, store, &session.Record{ID: "watched"})
	if err := store.Delete(t.Context(), "watched"); err != nil {
		t.Error(err)
	}
	if err := <-over; !errors.Is(err, context.Canceled) {
		t.Errorf("Watch = %v, want the end of its context", err)
	}
}
