package integration_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/sqlstore"
)

// server is a database server under test.
type server struct {
	name    string
	driver  string
	dialect sqlstore.Dialect
	listen  sqlstore.Listener
	start   func() (*servers.Database, error)
	spoil   string // makes a row unreadable
	params  string // added to the data source name
	pooled  bool   // the connections are those of a pool that pgx has
	native  bool   // the store is a pgstore on such a pool
	silent  bool   // which tells nobody what ended
	spares  string // the trip that a login within a limit does not need
}

var sqlServers = []server{
	{name: "PostgreSQL", driver: "pgx", dialect: sqlstore.PostgreSQL, start: servers.PostgreSQL,
		spoil: "UPDATE %s SET kind = 99 WHERE id = $1"},
	{name: "MySQL", driver: "mysql", dialect: sqlstore.MySQL, start: servers.MySQL,
		spoil: "UPDATE %s SET kind = 99 WHERE id = ?"},
	{name: "PostgreSQL by pgstore", driver: "pgx", dialect: sqlstore.PostgreSQL, start: servers.PostgreSQL,
		spoil: "UPDATE %s SET kind = 99 WHERE id = $1", pooled: true, native: true},
}

// byDriver are the servers, each once.
var byDriver = sqlServers[:2]

var tables atomic.Int64

// open returns a pool of its own to the server, which a missing server is a failure for.
func (s server) open(t *testing.T) opened {
	t.Helper()
	at, err := s.start()
	if err != nil {
		t.Fatal(err)
	}
	return s.connect(t, at.DSN, 16)
}

func (s server) table() string { return fmt.Sprintf("sessions_%d", tables.Add(1)) }

func (s server) store(t *testing.T, db opened, table string) tableStore {
	t.Helper()
	store := s.newStore(t, db, table)
	if err := store.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return store
}

func eachServer(t *testing.T, fn func(t *testing.T, s server)) { eachOf(t, sqlServers, fn) }

func eachOf(t *testing.T, list []server, fn func(t *testing.T, s server)) {
	for _, s := range list {
		t.Run(s.name, func(t *testing.T) { fn(t, s) })
	}
}

// Servers cut names, or refuse them, and so may have no room for a table beside its own index, or beside another table.
func TestSQLServersTakeTheLongestTableNames(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		db := s.open(t)
		for _, end := range []string{"", "a", "b", "abcdefghi"} {
			name := strings.Repeat("x", 63-len(end)) + end
			store, rec := s.store(t, db, name), &session.Record{ID: end + "1", User: "ada"}
			save(t, store, rec)
			if recs, err := store.ByUser(context.Background(), "ada"); err != nil || len(recs) != 1 {
				t.Errorf("table %q: ByUser = %v, %v, want one record", name, recs, err)
			}
			if err := store.Delete(context.Background(), rec.ID); err != nil { // others use the same server
				t.Error(err)
			}
		}
	})
}

// Every field comes back as it was, the largest ones too.
func TestServerColumnsHoldWhatRecordsMayHold(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		store := s.store(t, s.open(t), s.table())
		every := make([]byte, 1<<20)
		for i := range every {
			every[i] = byte(i)
		}
		rec := &session.Record{
			ID: "a", User: strings.Repeat("ü", 127) + "u", Kind: session.KindAlias, Successor: strings.Repeat("s", 64),
			CreatedAt: time.Date(1970, 1, 1, 0, 0, 0, 1000, time.UTC),
			SeenAt:    time.Date(2026, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
			ExpiresAt: time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
			RemoteIP:  netip.MustParseAddr("2001:db8::1"), UserAgent: strings.Repeat("é", 128), Persistent: true,
			Data: every,
		}
		save(t, store, rec)
		want := rec.Clone()
		want.Version = 1
		if got := loaded(t, store, "a"); !reflect.DeepEqual(got, want) {
			t.Errorf("Load = %v, want %v", got, want)
		}
	})
}

// Users and ids that differ in case, accents or a trailing space are different ones.
func TestServerComparesByteForByte(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		store, ctx := s.store(t, s.open(t), s.table()), context.Background()
		names := []string{"ada", "Ada", "ada ", "àda", "%", "_", "a'da", `a"d\a`, "日本"}
		for _, name := range names {
			save(t, store, &session.Record{ID: name, User: name})
		}
		for _, name := range names {
			recs, err := store.ByUser(ctx, name)
			if err != nil || len(recs) != 1 || recs[0].ID != name {
				t.Errorf("ByUser(%q) = %v, %v", name, recs, err)
			}
			loaded(t, store, name)
		}
		page, err := store.Page(ctx, "", 100)
		if err != nil || len(page) != len(names) {
			t.Errorf("Page = %d records, %v, want %d", len(page), err, len(names))
		}
	})
}

// Of many writers at one version one wins, and what is gone stays gone.
func TestServerSavesByCompareAndSet(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		ctx, table := context.Background(), s.table()
		a, b := s.store(t, s.open(t), table), s.store(t, s.open(t), table)
		var created atomic.Int64
		both(16, a, b, func(store tableStore, _ int) {
			switch err := store.Save(ctx, &session.Record{ID: "n"}); {
			case err == nil:
				created.Add(1)
			case !errors.Is(err, session.ErrConflict):
				t.Error(err)
			}
		})
		if created.Load() != 1 {
			t.Fatalf("%d creates succeeded, want 1", created.Load())
		}
		const rounds = 20
		both(8, a, b, func(store tableStore, _ int) {
			for n := 0; n < rounds; {
				rec, err := store.Load(ctx, "n")
				if err != nil {
					t.Error(err)
					return
				}
				rec.Data = append(rec.Data, 'x')
				switch err := store.Save(ctx, rec); {
				case err == nil:
					n++
				case !errors.Is(err, session.ErrConflict):
					t.Error(err)
					return
				}
			}
		})
		rec := loaded(t, a, "n")
		if len(rec.Data) != 8*rounds {
			t.Errorf("%d of %d steps are kept", len(rec.Data), 8*rounds)
		}
		if err := b.Delete(ctx, "n"); err != nil {
			t.Fatal(err)
		}
		if err := a.Save(ctx, rec); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("Save after Delete = %v, want ErrNotFound", err)
		}
	})
}

func both(n int, a, b tableStore, fn func(tableStore, int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { fn([]tableStore{a, b}[i%2], i) })
	}
	wg.Wait()
}

func TestServerTouches(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		store, ctx := s.store(t, s.open(t), s.table()), context.Background()
		at := func(n int64) time.Time { return time.UnixMicro(n).UTC() }
		save(t, store, &session.Record{ID: "a", SeenAt: at(10), ExpiresAt: at(20)})
		save(t, store, &session.Record{ID: "never", SeenAt: at(10)})
		for _, step := range []struct {
			id            string
			version       uint64
			seen, expires time.Time
			wantSeen      int64
			wantExpires   time.Time
		}{
			{"a", 1, at(15), at(25), 15, at(25)},
			{"a", 1, at(12), at(22), 15, at(25)}, // never back
			{"a", 2, at(30), at(40), 15, at(25)}, // another version
			{"a", 1, at(16), time.Time{}, 16, time.Time{}},
			{"a", 1, at(17), at(99), 17, time.Time{}},
			{"never", 1, at(17), at(99), 17, time.Time{}},
		} {
			if err := store.Touch(ctx, step.id, step.version, step.seen, step.expires); err != nil {
				t.Fatal(err)
			}
			rec := loaded(t, store, step.id)
			if !rec.SeenAt.Equal(at(step.wantSeen)) || !rec.ExpiresAt.Equal(step.wantExpires) || rec.Version != 1 {
				t.Errorf("after %+v: seen %v, expires %v, version %d", step, rec.SeenAt, rec.ExpiresAt, rec.Version)
			}
		}
		if err := store.Touch(ctx, "absent", 1, at(1), at(2)); err != nil {
			t.Errorf("Touch of what is absent = %v", err)
		}
	})
}

func TestServerSweepsInBatches(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		store, ctx := s.store(t, s.open(t), s.table()), context.Background()
		for i := range 25 {
			save(t, store, &session.Record{ID: fmt.Sprint(i), ExpiresAt: time.UnixMicro(int64(i + 1))})
		}
		save(t, store, &session.Record{ID: "never"})
		for _, want := range []int{10, 10, 0} {
			n, err := store.Sweep(ctx, time.UnixMicro(21), 10)
			if err != nil || n != want {
				t.Errorf("Sweep = %d, %v, want %d", n, err, want)
			}
		}
		if page, _ := store.Page(ctx, "", 100); len(page) != 6 {
			t.Errorf("%d records are left, want 6", len(page))
		}
	})
}
