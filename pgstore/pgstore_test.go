package pgstore_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/pgstore"
)

func TestNewRefusesAPoolThatIsNil(t *testing.T) {
	var none *pgxpool.Pool
	for _, pool := range []pgstore.Pool{nil, none} {
		if store, err := pgstore.New(pool, pgstore.Options{}); store != nil || err == nil {
			t.Errorf("New(%#v) = %v, %v, want an error", pool, store, err)
		}
	}
}

func TestNewRefusesHostileTableNames(t *testing.T) {
	pool, err := pgxpool.New(t.Context(), "postgres://app@127.0.0.1:1/app")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for _, table := range []string{" ", "1sessions", `"sessions"`, "sessions'--", "sessions; DROP TABLE users",
		"public.sessions", "{table}", "$1", "sessions\x00", "sëssions", strings.Repeat("x", 64), "pg_class", "PG_class",
		"Coatcheck_Schema"} {
		store, err := pgstore.New(pool, pgstore.Options{Table: table})
		if store != nil || err == nil || !strings.Contains(err.Error(), "pgstore: Options.Table") {
			t.Errorf("New with the table %.80q = %v, want an error that names Options.Table", table, err)
		}
	}
}

// broken are the ends of a connection, after which nobody knows what became of the statement.
var broken = map[string]func(*pgproto3.Backend) bool{
	"closed": silence, "57P01": leaves("57P01"), "57P02": leaves("57P02"), "57P03": leaves("57P03"),
	"57P05": leaves("57P05"), "08006": leaves("08006"),
}

func TestAReadGetsOverAPoolOfBrokenConnections(t *testing.T) {
	for name, ends := range broken {
		s := &server{times: 60, ends: ends}
		if _, err := storeOn(t, s).Load(t.Context(), "a"); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("%s: Load = %v, want ErrNotFound of the connection that works", name, err)
		}
	}
}

func TestAReadIsNotRepeatedForEver(t *testing.T) {
	for name, ends := range broken {
		s := &server{times: 1 << 30, ends: ends}
		_, err := storeOn(t, s).ByUser(t.Context(), "ada")
		if _, ran := s.count(); err == nil || ran > 200 {
			t.Errorf("%s: ByUser = %v after %d statements, want an error after at most 200", name, err, ran)
		}
	}
}

// A write may have been done when its answer is lost.
func TestAWriteOnABrokenConnectionIsSentOnce(t *testing.T) {
	for name, ends := range broken {
		s := &server{times: 1, ends: ends}
		err := storeOn(t, s).Delete(t.Context(), "a")
		if _, ran := s.count(); err == nil || errors.Is(err, session.ErrNotFound) || ran != 1 {
			t.Errorf("%s: Delete = %v after %d statements, want the error of the first", name, err, ran)
		}
		s = &server{times: 1, ends: ends}
		err = storeOn(t, s).SaveWithin(t.Context(), &session.Record{ID: "a"}, session.Limit{Max: 1})
		if _, ran := s.count(); err == nil || errors.Is(err, session.ErrTooMany) || ran != 1 {
			t.Errorf("%s: SaveWithin = %v after %d statements, want the error of the first", name, err, ran)
		}
	}
}

func TestNothingIsRepeatedThatFailedForAnotherReason(t *testing.T) {
	s := &server{times: 1, ends: refuses("42501")}
	_, err := storeOn(t, s).Load(t.Context(), "a")
	var refused *pgconn.PgError
	if _, ran := s.count(); !errors.As(err, &refused) || ran != 1 {
		t.Errorf("Load = %v after %d statements, want the error of the first", err, ran)
	}
}

// A deadlock that PostgreSQL broke, and a change that it could not put in order, have changed nothing.
func TestWhoeverIsInTheWayIsWaitedFor(t *testing.T) {
	for _, code := range []string{"40001", "40P01"} {
		s := &server{times: 3, ends: refuses(code)}
		if err := storeOn(t, s).Delete(t.Context(), "a"); err != nil {
			t.Errorf("%s: Delete = %v, want success at the fourth time", code, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		s = &server{times: 1 << 30, ends: func(b *pgproto3.Backend) bool { cancel(); return refuses(code)(b) }}
		if err := storeOn(t, s).Delete(ctx, "a"); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: Delete = %v, want the end of the context", code, err)
		}
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	for code, want := range map[string]string{
		"25006": "give the store the primary",
		"26000": "default_query_exec_mode=exec", "42P05": "default_query_exec_mode=exec",
		"42P01": "Store.Migrate",
	} {
		_, loaded := storeOn(t, &server{times: 1, ends: refuses(code)}).Load(t.Context(), "a")
		deleted := storeOn(t, &server{times: 1, ends: refuses(code)}).Delete(t.Context(), "a")
		for _, err := range []error{loaded, deleted} {
			var refused *pgconn.PgError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want an error that says %q", code, err, want)
			}
		}
	}
}

func TestAnErrorIsToldOnce(t *testing.T) {
	store := storeOn(t, &server{times: 1, ends: refuses("57014")})
	err := store.SaveWithin(t.Context(), &session.Record{ID: "a"}, session.Limit{Max: 1})
	if err == nil || strings.Count(err.Error(), "SQLSTATE 57014") != 1 {
		t.Errorf("SaveWithin = %v, want the error of the server once", err)
	}
}

// A handler that holds the last connection while its session is saved waits for itself.
func TestAPoolThatIsUsedUpIsNamed(t *testing.T) {
	pool := poolOn(t, &server{})
	store, err := pgstore.New(pool, pgstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range pool.Config().MaxConns {
		conn, err := pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Release()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = store.Load(ctx, "a")
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "raise pool_max_conns") {
		t.Errorf("Load = %v, want the end of the context, and the size of the pool", err)
	}
}

// A server that cannot be reached, or lets nobody in, is asked once: more would hold every request up.
func TestAnOutageIsOneAttempt(t *testing.T) {
	config, err := pgxpool.ParseConfig("postgres://app@127.0.0.1/app?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	dialed, down := 0, errors.New("down")
	config.ConnConfig.DialFunc = func(context.Context, string, string) (net.Conn, error) { dialed++; return nil, down }
	config.MaxConnIdleTime, config.HealthCheckPeriod = time.Hour, time.Hour
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	store, err := pgstore.New(pool, pgstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"Load":   func() error { _, err := store.Load(t.Context(), "a"); return err },
		"Delete": func() error { return store.Delete(t.Context(), "a") },
		"Watch":  func() error { return store.Watch(t.Context(), func(string) {}) },
	} {
		dialed = 0
		if err := call(); !errors.Is(err, down) || dialed != 1 {
			t.Errorf("%s = %v after %d attempts, want the error of the first", name, err, dialed)
		}
	}
}

func TestACallGivesUpAServerThatHangs(t *testing.T) {
	for name, call := range map[string]func(context.Context, *pgstore.Store) error{
		"Load": func(ctx context.Context, s *pgstore.Store) error { _, err := s.Load(ctx, "a"); return err },
		"Save": func(ctx context.Context, s *pgstore.Store) error { return s.Save(ctx, &session.Record{ID: "a"}) },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		s := &server{times: 1, ends: func(*pgproto3.Backend) bool { cancel(); <-t.Context().Done(); return false }}
		if err := call(ctx, storeOn(t, s)); !errors.Is(err, context.Canceled) {
			t.Errorf("%s = %v, want the error of the context", name, err)
		}
	}
}

// asked is a pool that counts how often it is asked for its figures, which takes a lock that all calls share.
type asked struct {
	*pgxpool.Pool
	times int
}

func (a *asked) Stat() *pgxpool.Stat {
	a.times++
	return a.Pool.Stat()
}

func TestAPoolIsAskedForItsFiguresOnlyWhenItHasNoConnection(t *testing.T) {
	pool := &asked{Pool: poolOn(t, &server{})}
	store, err := pgstore.New(pool, pgstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if pool.times > 0 {
		t.Errorf("the pool was asked %d times", pool.times)
	}
}

func TestASilentStoreIsNotWatched(t *testing.T) {
	pool, err := pgxpool.New(t.Context(), "postgres://app@127.0.0.1:1/app")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	store, err := pgstore.New(pool, pgstore.Options{NoNotify: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Watch(t.Context(), func(string) {}); !errors.Is(err, session.ErrNotSupported) {
		t.Errorf("Watch = %v, want ErrNotSupported", err)
	}
}

func TestTheEndOfASessionIsAnnounced(t *testing.T) {
	s := &server{}
	store := storeOn(t, s)
	_ = store.Delete(t.Context(), "a")
	_ = store.Save(t.Context(), &session.Record{ID: "a", Version: 1, Kind: session.KindTombstone})
	for _, statement := range s.ran[:2] {
		if !strings.Contains(statement, "pg_notify") {
			t.Errorf("%s, want that it notifies", statement)
		}
	}
}
