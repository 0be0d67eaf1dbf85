package integration_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/sqlstore"
)

// A table that is locked holds nobody for longer than the dsn says, which docs/operations.md prints. Without it these
// loads last as long as the test has patience.
func TestALockedTableHoldsNobodyForLongerThanTheDSNSays(t *testing.T) {
	postgres, err := servers.PostgreSQL()
	if err != nil {
		t.Fatal(err)
	}
	mysql, err := servers.MySQL()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, driver, dsn, limit, lock, unlock string
		dialect                                sqlstore.Dialect
	}{
		{"PostgreSQL", "pgx", postgres.DSN, "&statement_timeout=100ms", "BEGIN; LOCK TABLE locked_sessions",
			"ROLLBACK", sqlstore.PostgreSQL},
		{"MariaDB", "mysql", mysql.DSN, "?max_statement_time=0.1", "LOCK TABLES locked_sessions WRITE",
			"UNLOCK TABLES", sqlstore.MySQL},
	} {
		t.Run(row.name, func(t *testing.T) {
			db, unlimited := tableToLock(t, row.driver, row.dsn, row.dialect)
			if err := unlimited.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, store := tableToLock(t, row.driver, row.dsn+row.limit, row.dialect)
			conn, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			for statement := range strings.SplitSeq(row.lock, "; ") {
				if _, err := conn.ExecContext(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			_, err = store.Load(ctx, "nobody")
			if err == nil || errors.Is(err, session.ErrNotFound) || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Load of a locked table = %v, want the error of the server", err)
			}
			if _, err := conn.ExecContext(t.Context(), row.unlock); err != nil {
				t.Fatal(err)
			}
			recovered(t, func() bool { // in time, as the dsn says
				_, err := store.Load(t.Context(), "nobody")
				return errors.Is(err, session.ErrNotFound)
			})
		})
	}
}

// tableToLock opens a store whose statements have the limits of the dsn.
func tableToLock(t *testing.T, driver, dsn string, dialect sqlstore.Dialect) (*sql.DB, *sqlstore.Store) {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	store, err := sqlstore.New(db, sqlstore.Options{Dialect: dialect, Table: "locked_sessions"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return db, store
}
