package integration_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/coatcheck/session"
)

// A table of sessions that was restored, copied or renamed has left the row behind that says at which step it is. The
// error of Migrate has the statements that write it, and they keep every session.
func TestMigrateSaysHowToAdoptATableThatWasRestored(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		db, table := s.open(t), s.table()
		adopts(t, db.DB, table, s.store(t, db, table), "DELETE FROM coatcheck_schema WHERE name = '"+table+"'")
	})
	t.Run("SQLite", func(t *testing.T) {
		db := openSQLite(t, sqliteFile(t))
		adopts(t, db, "sessions", migrated(t, db, ""), "DROP TABLE coatcheck_schema")
	})
}

func adopts(t *testing.T, db *sql.DB, table string, store tableStore, lose string) {
	save(t, store, &session.Record{ID: "a"})
	for step := steps; step > 0; step-- {
		if _, err := db.Exec(lose); err != nil {
			t.Fatal(err)
		}
		err := store.Migrate(t.Context())
		if err == nil || !strings.Contains(err.Error(), "restored") || strings.Contains(err.Error(), "Options.") {
			t.Fatalf("Migrate = %v, want an error that says what to do with a table that was restored", err)
		}
		_, advised, _ := strings.Cut(err.Error(), ": run ")
		for statement := range strings.SplitSeq(advised, "; ") {
			if _, err := db.Exec(statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		atStep(t, store, step)
		if err := store.Migrate(t.Context()); err != nil {
			t.Errorf("Migrate = %v after what it advised", err)
		}
		atStep(t, store, steps)
		loaded(t, store, "a")
		for at := steps; at >= step && at > 1; at-- {
			if done, err := store.Rollback(t.Context()); !done || err != nil {
				t.Fatal(fmt.Errorf("Rollback = %t, %w", done, err))
			}
		}
	}
}
