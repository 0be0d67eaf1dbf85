package integration_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/pgstore"
	"github.com/coatcheck/session/sqlstore"
)

// BenchmarkPostgreSQLPool is what a site sees of PostgreSQL through database/sql and through the pool that pgx has of
// its own: whole requests with a deadline, from more clients than there are cores, on eight connections. The two take
// turns, so that whatever else the machine does meets both, and it reports the requests of a second and the processor
// time of this process for each request: docs/decisions/0037 says what follows.
func BenchmarkPostgreSQLPool(b *testing.B) {
	at, err := servers.PostgreSQL()
	if err != nil {
		b.Fatal(err)
	}
	pool, err := pgxpool.New(b.Context(), at.DSN+"&pool_max_conns=8")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	native, err := pgstore.New(pool, pgstore.Options{Table: "pool_bench"})
	if err != nil {
		b.Fatal(err)
	}
	if err := native.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	ways := []*way{{name: "sql", store: throughDatabaseSQL(b, at.DSN)}, {name: "pgx", store: native}}
	b.Run("load", func(b *testing.B) { inTurns(b, ways, loads) })
	b.Run("read", func(b *testing.B) { inTurns(b, ways, requests(func(s *session.Session) { s.Get("n") })) })
	b.Run("write", func(b *testing.B) {
		inTurns(b, ways, requests(func(s *session.Session) { s.Set("n", time.Now().UnixNano()) }))
	})
}

func throughDatabaseSQL(b *testing.B, dsn string) *sqlstore.Store {
	b.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		b.Fatal(err)
	}
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	b.Cleanup(func() { db.Close() })
	store, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.PostgreSQL, Table: "pool_bench"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	return store
}

// way is one of the ways to PostgreSQL, with what its requests took.
type way struct {
	name      string
	store     session.Store
	took, cpu time.Duration
}

// clients is how many ask at once.
const clients = 16

// inTurns has both ways do what the function that of returns does for one of the clients, for some thousandths of a
// second each.
func inTurns(b *testing.B, ways []*way, of func(*testing.B, session.Store) func(client int)) {
	const turn = 400
	var sites []func(n int)
	for _, w := range ways {
		w.took, w.cpu = 0, 0
		do := of(b, w.store)
		sites = append(sites, func(n int) {
			var all sync.WaitGroup
			for client := range clients {
				all.Go(func() {
					for range n / clients {
						do(client)
					}
				})
			}
			all.Wait()
		})
		sites[len(sites)-1](turn)
	}
	b.ResetTimer()
	for done := 0; done < b.N; done += turn {
		for i, w := range ways {
			start, before := time.Now(), processorTime()
			sites[i](turn)
			w.took, w.cpu = w.took+time.Since(start), w.cpu+processorTime()-before
		}
	}
	n := float64((b.N + turn - 1) / turn * turn)
	for _, w := range ways {
		b.ReportMetric(n/w.took.Seconds(), w.name+"-requests/s")
		b.ReportMetric(float64(w.cpu.Nanoseconds())/n, w.name+"-cpu-ns/request")
	}
	b.ReportMetric(float64(ways[0].cpu)/float64(ways[1].cpu), "sql/pgx-cpu")
	b.ReportMetric(float64(ways[0].took)/float64(ways[1].took), "sql/pgx-time")
}

// loads is the call of the store alone.
func loads(b *testing.B, store session.Store) func(client int) {
	b.Helper()
	for client := range clients {
		id := fmt.Sprint("client ", client)
		_ = store.Delete(b.Context(), id)
		save(b, store, &session.Record{ID: id, User: "ada", Data: make([]byte, 300)})
	}
	return func(client int) {
		ctx, cancel := context.WithTimeout(b.Context(), 5*time.Second)
		defer cancel()
		if _, err := store.Load(ctx, fmt.Sprint("client ", client)); err != nil {
			b.Error(err)
		}
	}
}

// requests are those of a site whose handler does something.
func requests(do func(*session.Session)) func(*testing.B, session.Store) func(client int) {
	return func(b *testing.B, store session.Store) func(client int) {
		m, err := session.New(store, session.Options{Secrets: []session.Secret{secret}, SweepEvery: -1})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { m.Close() })
		handler := func(fn func(*session.Session)) http.Handler {
			return m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { fn(s) })
		}
		login, site := handler(func(s *session.Session) { s.Login("ada") }), handler(do)
		cookies := make([]string, clients)
		for i := range cookies {
			w := httptest.NewRecorder()
			login.ServeHTTP(w, httptest.NewRequest("GET", "https://app.example.com/", nil))
			cookies[i] = w.Header().Get("Set-Cookie")
		}
		return func(client int) { request(b, site, cookies[client]) }
	}
}

func request(b *testing.B, site http.Handler, cookie string) {
	ctx, cancel := context.WithTimeout(b.Context(), 5*time.Second)
	defer cancel()
	r := (&http.Request{Method: "GET", URL: &url.URL{Path: "/"}, Host: "app.example.com",
		Header: http.Header{"Cookie": {cookie}}}).WithContext(ctx)
	w := httptest.NewRecorder()
	site.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		b.Errorf("status %d", w.Code)
	}
}

func processorTime() time.Duration {
	var use syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &use) != nil {
		return 0
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
