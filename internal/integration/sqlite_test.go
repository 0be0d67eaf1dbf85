package integration_test

import (
	"context"
	"database/sql"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/coatcheck/session/sqlstore"
)

// sqliteOptions are the ones that package sqlstore recommends.
const sqliteOptions = "?_pragma=busy_timeout(250)&_pragma=synchronous(NORMAL)&_txlock=immediate"

func openSQLite(tb testing.TB, path string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("sqlite", "file:"+path+sqliteOptions)
	if err != nil {
		tb.Fatal(err)
	}
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	tb.Cleanup(func() { db.Close() })
	return db
}

func migrated(tb testing.TB, db *sql.DB, table string) *sqlstore.Store {
	tb.Helper()
	store, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.SQLite, Table: table})
	if err != nil {
		tb.Fatal(err)
	}
	if err := store.Migrate(context.Background()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { store.Close() })
	return store
}
