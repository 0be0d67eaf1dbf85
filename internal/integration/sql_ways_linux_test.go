package integration_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/pgstore"
	"github.com/coatcheck/session/sqlstore"
)

// opened is a database as a test opened it.
type opened struct {
	*sql.DB
	pool *pgxpool.Pool // that the connections are from; nil: database/sql has them
}

func (o opened) Close() error {
	err := o.DB.Close()
	if o.pool != nil {
		o.pool.Close()
	}
	return err
}

// inUse is how many connections somebody works with.
func (o opened) inUse() int {
	if o.pool != nil {
		return int(o.pool.Stat().AcquiredConns())
	}
	return o.Stats().InUse
}

// released wants that nobody works with a connection any more. A pool of pgx closes broken ones a little after it was
// given them back.
func (o opened) released(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(time.Minute); o.inUse() != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("%d connections are still in use", o.inUse())
			return
		}
	}
}

// connect opens the database in the server's way.
func (s server) connect(t *testing.T, dsn string, conns int) opened {
	t.Helper()
	if s.pooled {
		return openPool(t, dsn+s.params, conns)
	}
	db, err := sql.Open(s.driver, dsn+s.params)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	t.Cleanup(func() { db.Close() })
	return opened{DB: db}
}

// newStore returns a store of a table that is there or not.
func (s server) newStore(t *testing.T, db opened, table string) tableStore {
	t.Helper()
	if s.native {
		store, err := pgstore.New(db.pool, pgstore.Options{Table: table, NoNotify: s.silent})
		if err != nil {
			t.Fatal(err)
		}
		return store
	}
	store, err := sqlstore.New(db.DB, sqlstore.Options{Dialect: s.dialect, Table: table, Listen: s.listen})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// openPool returns the connections of a pool of pgx, as a program that has one shares them.
func openPool(t *testing.T, dsn string, conns int) opened {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), fmt.Sprintf("%s&pool_max_conns=%d", dsn, conns))
	if err != nil {
		t.Fatal(err)
	}
	db := opened{stdlib.OpenDBFromPool(pool), pool}
	t.Cleanup(func() { db.Close() })
	return db
}

// ownMySQL is a server that only this test uses.
func ownMySQL(t *testing.T, args ...string) (server, *servers.Database) {
	t.Helper()
	at, err := servers.NewMySQLWith(args...)
	if err != nil {
		t.Fatal(err)
	}
	if at.Server == nil {
		t.Skip("a server that the environment names is not set otherwise")
	}
	s := sqlServers[1]
	s.start = func() (*servers.Database, error) { return at, nil }
	return s, at
}

// otherWays are those of opening a database beside the plain one.
func otherWays() []server {
	var ways []server
	way := func(s server, name, params string) *server {
		s.name, s.params = s.name+" "+name, params
		ways = append(ways, s)
		return &ways[len(ways)-1]
	}
	postgres, mysql, native := sqlServers[0], sqlServers[1], sqlServers[2]
	way(postgres, "by a pool of pgx", "").pooled = true
	for _, mode := range []string{"cache_describe", "exec", "simple_protocol"} {
		way(postgres, "with "+mode, "&default_query_exec_mode="+mode)
		way(postgres, "behind PgBouncer with "+mode, "&default_query_exec_mode="+mode).start = servers.PgBouncer
		way(native, "with "+mode, "&default_query_exec_mode="+mode)
		behind := way(native, "behind PgBouncer with "+mode, "&default_query_exec_mode="+mode)
		behind.start, behind.silent = servers.PgBouncer, true
	}
	pooled := way(postgres, "behind PgBouncer by a pool of pgx", "&default_query_exec_mode=exec")
	pooled.start, pooled.pooled = servers.PgBouncer, true
	way(mysql, "that interpolates", "?interpolateParams=true").spares = "prepare "
	return ways
}

func eachWay(t *testing.T, fn func(t *testing.T, s server)) {
	for _, s := range append(otherWays(), sqlServers...) {
		t.Run(s.name, func(t *testing.T) { fn(t, s) })
	}
}

// Behind PgBouncer that is the mode that the guide names, exec, and only there: the others are run directly, and behind
// it by the tests of trips.
func TestServerKeepsTheContractHoweverItIsOpened(t *testing.T) {
	for _, s := range otherWays() {
		if strings.Contains(s.name, "PgBouncer") != strings.HasSuffix(s.params, "=exec") {
			continue
		}
		t.Run(s.name, func(t *testing.T) { keepsTheContract(t, s) })
	}
}

// A pooler that gives each transaction another connection works with statements that were prepared on one of them, as
// PgBouncer does from 1.21 on, or every call that fails for it says what to set.
func TestPgBouncerWorksOrTheErrorSaysWhatToSet(t *testing.T) {
	eachOf(t, []server{sqlServers[0], sqlServers[2]}, worksBehindPgBouncer)
}

func worksBehindPgBouncer(t *testing.T, pooled server) {
	plain, table := pooled.store(t, pooled.open(t), pooled.table()), fmt.Sprintf("sessions_%d", tables.Load())
	save(t, plain, &session.Record{ID: "a", User: "ada"})
	pooled.start = servers.PgBouncer
	store := pooled.newStore(t, pooled.open(t), table)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 20 {
				checkAdvice(t, loadAndSave(t.Context(), store))
			}
		})
	}
	all.Wait()
}

func loadAndSave(ctx context.Context, store session.Store) error {
	rec, err := store.Load(ctx, "a")
	if err != nil {
		return err
	}
	if err := store.Save(ctx, rec); !errors.Is(err, session.ErrConflict) {
		return err
	}
	return nil
}

func checkAdvice(t *testing.T, err error) {
	t.Helper()
	if err != nil && !strings.Contains(err.Error(), "default_query_exec_mode=exec") {
		t.Errorf("%v, want an error that says what to set", err)
	}
}

// Where pgx has not asked what a statement returns, the server writes bytes as a text, in the form that it is set to.
func TestPostgreSQLThatWritesBytesInItsOldFormSaysWhatToSet(t *testing.T) {
	eachOf(t, []server{sqlServers[0], sqlServers[2]}, func(t *testing.T, s server) {
		s.params = "&bytea_output=escape&default_query_exec_mode=exec"
		store := s.store(t, s.open(t), s.table())
		save(t, store, &session.Record{ID: "a"})
		_, err := store.Load(t.Context(), "a")
		if err == nil || !strings.Contains(err.Error(), "SET bytea_output = hex") {
			t.Errorf("Load = %v, want an error that says what to set", err)
		}
	})
}

// The names of users that are stored over such a connection are found over no other.
func TestPostgreSQLThatTakesUTF8ForSomethingElseGetsNoTable(t *testing.T) {
	eachOf(t, []server{sqlServers[0], sqlServers[2]}, func(t *testing.T, s server) {
		for encoding, want := range map[string]string{"LATIN1": "set it to UTF8", "UNICODE": "", "SQL_ASCII": ""} {
			s.params = "&client_encoding=" + encoding
			err := s.newStore(t, s.open(t), s.table()).Migrate(t.Context())
			if (err != nil) != (want != "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("Migrate with %s = %v, want an error that says %q, or none", encoding, err, want)
			}
		}
	})
}

// A pool that keeps no connection makes one for each call. Statements that the driver interpolates are not prepared on
// it.
func TestMySQLThatInterpolatesPreparesNothing(t *testing.T) {
	s := sqlServers[1]
	s.params = "?interpolateParams=true"
	store, seen := s.watched(t, s.table(), func(db opened) { db.SetMaxIdleConns(0) })
	m := node(t, store, func(o *session.Options) { o.MaxPerUser = 3 })
	b := newBrowser(t)
	newBrowser(t).with(m, func(s *session.Session) { s.Set("x", 1) }) // the driver is asked once what it does
	seen.take()
	for _, step := range []struct {
		do   func(*session.Session)
		want string
	}{
		{func(s *session.Session) { s.Set("x", "it's \\ a value") }, "INSERT"},
		{func(s *session.Session) { s.Get("x") }, "SELECT"},
		{func(s *session.Session) { s.Set("x", s.Get("x")) }, "SELECT UPDATE"},
		{func(s *session.Session) { s.Login("ada") }, "SELECT SELECT SET INSERT DO UPDATE"},
	} {
		if status := b.with(m, step.do).StatusCode; status != 200 {
			t.Errorf("status %d", status)
		}
		if got := seen.take(); got != step.want {
			t.Errorf("a request: %q, want %q", got, step.want)
		}
	}
}
