package integration_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sqlstore"
)

// Ten processes that start at once make one table, and bring an older one up to date once.
func TestServerMigratesOnceForTenProcesses(t *testing.T) {
	eachServer(t, migratesOnce)
}

// A database may give each transaction a snapshot, which a process must not have taken before it waited.
func TestPostgreSQLMigratesOnceAtAnyIsolation(t *testing.T) {
	for _, level := range []string{"repeatable%20read", "serializable"} {
		for _, s := range []server{sqlServers[0], sqlServers[2]} {
			s.params = "&default_transaction_isolation=" + level
			t.Run(level+"/"+s.name, func(t *testing.T) { migratesOnce(t, s) })
		}
	}
}

func migratesOnce(t *testing.T, s server) {
	table := s.table()
	migrateTenTimes(t, s, table)
	store := s.newStore(t, s.open(t), table)
	save(t, store, &session.Record{ID: "a"})
	if done, err := store.Rollback(t.Context()); !done || err != nil {
		t.Fatalf("Rollback = %t, %v, want true", done, err)
	}
	migrateTenTimes(t, s, table)
	atStep(t, store, steps)
	loaded(t, store, "a")
}

func migrateTenTimes(t *testing.T, s server, table string) {
	t.Helper()
	var wg sync.WaitGroup
	for range 10 {
		store := s.newStore(t, s.open(t), table)
		wg.Go(func() {
			if err := store.Migrate(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// A site whose migrations are files runs each of them as one script.
func TestServerRunsTheSchemaAsAScript(t *testing.T) {
	eachOf(t, byDriver, func(t *testing.T, s server) {
		if s.dialect == sqlstore.MySQL {
			s.params = "?multiStatements=true"
		}
		db, table := s.open(t), s.table()
		up, down, err := sqlstore.Schema(sqlstore.Options{Dialect: s.dialect, Table: table})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(up); err != nil {
			t.Fatal(err)
		}
		store := s.store(t, db, table)
		atStep(t, store, steps)
		moved(t, store, "a", 10, 20)
		sweepAt(t, store, 15, 10, 0)
		sweepAt(t, store, 21, 10, 1)
		if _, err := db.Exec(down); err != nil {
			t.Fatal(err)
		}
		atStep(t, store, 0)
	})
}

func TestServerRollsNoStepBackTwiceForTenProcesses(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		table := s.table()
		store := s.store(t, s.open(t), table)
		save(t, store, &session.Record{ID: "a"})
		var wg sync.WaitGroup
		var took atomic.Int32
		for range 10 {
			other := s.newStore(t, s.open(t), table)
			wg.Go(func() {
				done, err := other.Rollback(context.Background())
				if err != nil {
					t.Error(err)
				}
				if done {
					took.Add(1)
				}
			})
		}
		wg.Wait()
		tookBack(t, store, int(took.Load()))
		for range steps - took.Load() {
			if done, err := store.Rollback(context.Background()); !done || err != nil {
				t.Errorf("Rollback = %t, %v, want true", done, err)
			}
		}
		atStep(t, store, 0)
		if err := store.Migrate(context.Background()); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Load(context.Background(), "a"); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("Load = %v, want ErrNotFound", err)
		}
	})
}

func TestServerSaysWhenThereIsNoTable(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		_, err := s.newStore(t, s.open(t), "nothing_here").Load(context.Background(), "a")
		if err == nil || errors.Is(err, session.ErrNotFound) || !strings.Contains(err.Error(), "Store.Migrate") {
			t.Errorf("Load without a table = %v, want an error that names Migrate", err)
		}
	})
}

func TestServerRefusesATableOfSomebodyElse(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		db, table := s.open(t), s.table()
		if _, err := db.Exec("CREATE TABLE " + table + " (x INT)"); err != nil {
			t.Fatal(err)
		}
		store := s.newStore(t, db, table)
		s.store(t, db, s.table()) // makes the version record
		if err := store.Migrate(context.Background()); err == nil || !strings.Contains(err.Error(), "Options.Table") {
			t.Errorf("Migrate = %v, want an error that names Options.Table", err)
		}
	})
}
