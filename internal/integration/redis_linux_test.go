package integration_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/redisstore"
)

// A revocation through another store is seen as soon as the server has told of it, long before the record's time in the
// cache is over.
func TestRedisCacheSeesARevocationElsewhere(t *testing.T) {
	ctx, opts := context.Background(), redisstore.Options{Prefix: newPrefix(), CacheTTL: time.Hour}
	for _, addrs := range [][]string{singleRedis(t), clusterRedis(t)} {
		a := redisStore(t, redisClient(t, rueidis.ClientOption{InitAddress: addrs}), opts)
		b := redisStore(t, redisClient(t, rueidis.ClientOption{InitAddress: addrs}), opts)
		for i := range 50 {
			id := fmt.Sprint("id", i)
			save(t, a, &session.Record{ID: id})
			loaded(t, b, id)
			loaded(t, b, id)
			if err := a.Delete(ctx, id); err != nil {
				t.Fatal(err)
			}
			recovered(t, func() bool {
				_, err := b.Load(ctx, id)
				if err != nil && !errors.Is(err, session.ErrNotFound) {
					t.Fatalf("Load after the delete = %v, want ErrNotFound", err)
				}
				return err != nil
			})
		}
	}
}

// Whoever wrote reads what he wrote, however late the server tells of it.
func TestRedisCacheShowsOwnWrites(t *testing.T) {
	ctx := context.Background()
	store := redisStore(t, redisClient(t, rueidis.ClientOption{InitAddress: singleRedis(t)}),
		redisstore.Options{Prefix: newPrefix(), CacheTTL: time.Hour})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			rec := &session.Record{ID: fmt.Sprint("id", i)}
			for version := range uint64(200) {
				rec.Version = version
				if err := store.Save(ctx, rec); err != nil {
					t.Error(err)
					return
				}
				if got, err := store.Load(ctx, rec.ID); err != nil || got.Version != version+1 {
					t.Errorf("Load after the save of version %d = %v, %v", version, got, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// A server that was restarted knows no script. One that is away is an outage, and no answer.
func TestRedisComesBackFromRestart(t *testing.T) {
	ctx := context.Background()
	r, err := servers.NewRedis("--appendonly", "yes", "--appendfsync", "always")
	if err != nil {
		t.Fatal(err)
	}
	var conns watched
	store := redisStore(t, redisClient(t, rueidis.ClientOption{InitAddress: []string{r.Addr}, DialCtxFn: conns.dial}),
		redisstore.Options{})
	save(t, store, &session.Record{ID: "a", User: "ada"})
	r.Kill()
	conns.noticed(t)
	_, loadErr := store.Load(ctx, "a")
	saveErr := store.Save(ctx, &session.Record{ID: "a", User: "ada", Version: 1})
	for _, err := range []error{loadErr, saveErr, store.Delete(ctx, "a")} {
		if err == nil || errors.Is(err, session.ErrNotFound) || errors.Is(err, session.ErrConflict) {
			t.Errorf("without a server: %v, want an outage", err)
		}
	}
	if err := r.Start(r.Ready); err != nil {
		t.Fatal(err)
	}
	loaded(t, store, "a")
	save(t, store, &session.Record{ID: "a", User: "ada", Version: 1})
	save(t, store, &session.Record{ID: "b", User: "ada"})
	if _, err := r.CLI(ctx, "SCRIPT", "FLUSH"); err != nil {
		t.Fatal(err)
	}
	if err := store.Touch(ctx, "a", 2, time.Now(), time.Now().Add(time.Hour)); err != nil {
		t.Error(err)
	}
	if recs, err := store.ByUser(ctx, "ada"); err != nil || len(recs) != 2 {
		t.Errorf("ByUser = %v, %v, want two records", recs, err)
	}
}

// A server that refuses to write is an outage.
func TestRedisThatIsFullIsAnOutage(t *testing.T) {
	ctx := context.Background()
	r, err := servers.NewRedis("--maxmemory-policy", "noeviction")
	if err != nil {
		t.Fatal(err)
	}
	store := redisStore(t, redisClient(t, rueidis.ClientOption{InitAddress: []string{r.Addr}}), redisstore.Options{})
	save(t, store, &session.Record{ID: "a", User: "ada"})
	for _, setting := range [][]string{{"maxmemory", "1"}, {"min-replicas-to-write", "1"}} {
		if _, err := r.CLI(ctx, append([]string{"CONFIG", "SET"}, setting...)...); err != nil {
			t.Fatal(err)
		}
		for _, rec := range []*session.Record{{ID: "a", User: "ada", Version: 1}, {ID: "b", User: "ada"},
			{ID: "a", User: "bob", Version: 1}} {
			err := store.Save(ctx, rec)
			if err == nil || errors.Is(err, session.ErrNotFound) || errors.Is(err, session.ErrConflict) {
				t.Errorf("%s: Save(%v) = %v, want an outage", setting[0], rec, err)
			}
		}
		if _, err := r.CLI(ctx, "CONFIG", "SET", setting[0], "0"); err != nil {
			t.Fatal(err)
		}
	}
	save(t, store, &session.Record{ID: "a", User: "ada", Version: 1})
}

// What another store, or the application, keeps on the same server is out of reach.
func TestRedisPrefixesPartStores(t *testing.T) {
	ctx, client := context.Background(), redisClient(t, rueidis.ClientOption{InitAddress: singleRedis(t)})
	prefix := newPrefix()
	a, b := redisStore(t, client, redisstore.Options{Prefix: prefix}),
		redisStore(t, client, redisstore.Options{Prefix: prefix + "s"})
	end := time.Now().Add(time.Hour)
	save(t, a, &session.Record{ID: "id", User: "ada", ExpiresAt: end})
	if _, err := b.Load(ctx, "id"); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("Load with another prefix = %v, want ErrNotFound", err)
	}
	byUser, err1 := b.ByUser(ctx, "ada")
	page, err2 := b.Page(ctx, "", 10)
	n, err3 := b.Sweep(ctx, end.Add(time.Hour), 10)
	if err := errors.Join(err1, err2, err3, b.Delete(ctx, "id")); err != nil || len(byUser)+len(page)+n > 0 {
		t.Errorf("with another prefix: %v, %v, %d swept, %v", byUser, page, n, err)
	}
	loaded(t, a, "id")
}

// What the server dropped by itself leaves entries behind, which whoever meets them removes.
func TestRedisIndexesAreRepaired(t *testing.T) {
	ctx, client, prefix := context.Background(), redisClient(t, rueidis.ClientOption{InitAddress: singleRedis(t)}),
		newPrefix()
	store := redisStore(t, client, redisstore.Options{Prefix: prefix})
	for i := range 20 {
		save(t, store, &session.Record{ID: fmt.Sprint("id", i), User: "ada", ExpiresAt: time.Now().Add(time.Hour)})
	}
	for _, key := range redisKeys(t, client, prefix+"s*") {
		if err := client.Do(ctx, client.B().Del().Key(key).Build()).Error(); err != nil {
			t.Fatal(err)
		}
	}
	list := redisKeys(t, client, prefix+"u*")
	for i := range 20 { // as if they had been there for long
		id := fmt.Sprint("id", i)
		client.Do(ctx, client.B().Hset().Key(list[0]).FieldValue().FieldValue(id, "0123456789abcdef1000000000").Build())
	}
	if recs, err := store.ByUser(ctx, "ada"); err != nil || len(recs) > 0 {
		t.Errorf("ByUser = %v, %v, want none", recs, err)
	}
	if n, err := store.Sweep(ctx, time.Now().Add(2*time.Hour), 5); err != nil || n != 0 {
		t.Errorf("Sweep = %d, %v, want 0: the records were gone", n, err)
	}
	if page, err := store.Page(ctx, "", 5); err != nil || len(page) > 0 {
		t.Errorf("Page = %v, %v, want none", page, err)
	}
	if left := redisKeys(t, client, prefix+"*"); len(left) > 0 {
		t.Errorf("%q are left, want nothing", left)
	}
}

func redisKeys(t *testing.T, client rueidis.Client, pattern string) []string {
	t.Helper()
	keys, err := client.Do(context.Background(), client.B().Keys().Pattern(pattern).Build()).AsStrSlice()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}
