//go:build drivers && linux

package drivers_test

import (
	"database/sql"
	"path/filepath"
	"sync"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessiontest"
	"github.com/coatcheck/session/sqlstore"
)

func TestSQLStoreKeepsTheContractOnEveryDriver(t *testing.T) {
	for _, d := range linked {
		t.Run(d.module, func(t *testing.T) { keepsTheContract(t, d.driver, d.options) })
	}
}

func keepsTheContract(t *testing.T, driver, options string) {
	type place struct {
		db   *sql.DB
		path string
	}
	var places sync.Map
	open := func(t *testing.T, path string) session.Store {
		db, err := sql.Open(driver, "file:"+path+options)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		store, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.SQLite})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		if err := store.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		places.Store(store, place{db, path})
		return store
	}
	at := func(s session.Store) place { p, _ := places.Load(s); return p.(place) }
	sessiontest.Run(t, func(t *testing.T) session.Store { return open(t, filepath.Join(t.TempDir(), "sessions.db")) },
		sessiontest.Options{
			Peer:  func(t *testing.T, s session.Store) session.Store { return open(t, at(s).path) },
			Break: func(_ *testing.T, s session.Store) { at(s).db.Close() },
			Corrupt: func(t *testing.T, s session.Store, id string) {
				if _, err := at(s).db.Exec("UPDATE sessions SET kind = 99 WHERE id = ?", id); err != nil {
					t.Fatal(err)
				}
			},
		})
}
