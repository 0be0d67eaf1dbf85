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

// Ten processes that start at once make one table.
func TestServerMigratesOnceForTenProcesses(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		table := s.table()
		var wg sync.WaitGroup
		for range 10 {
			db := s.open(t)
			store := s.newStore(t, db, table)
			wg.Go(func() {
				if err := store.Migrate(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		save(t, s.store(t, s.open(t), table), &session.Record{ID: "a"})
	})
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
