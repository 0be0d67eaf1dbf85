package integration_test

import (
	"database/sql"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessiontest"
)

func TestSQLiteKeepsTheContract(t *testing.T) {
	t.Parallel()
	type place struct {
		db   *sql.DB
		path string
	}
	places := make(map[session.Store]place)
	open := func(t *testing.T, path string) session.Store {
		p := place{openSQLite(t, path), path}
		store := migrated(t, p.db, "")
		places[store] = p
		return store
	}
	sessiontest.Run(t, func(t *testing.T) session.Store { return open(t, sqliteFile(t)) }, sessiontest.Options{
		Peer:  func(t *testing.T, s session.Store) session.Store { return open(t, places[s].path) },
		Break: func(_ *testing.T, s session.Store) { places[s].db.Close() },
		Corrupt: func(t *testing.T, s session.Store, id string) {
			if _, err := places[s].db.Exec("UPDATE sessions SET kind = 99 WHERE id = ?", id); err != nil {
				t.Fatal(err)
			}
		},
	})
}
