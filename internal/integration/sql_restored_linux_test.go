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
		followAdvice(t, db, err)
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

func followAdvice(t *testing.T, db *sql.DB, err error) {
	t.Helper()
	_, advised, _ := strings.Cut(err.Error(), ": run ")
	for statement := range strings.SplitSeq(advised, "; ") {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// The table that was made by hand stays. It must tell names apart if the database does, and not otherwise.
func TestWhatMigrateAdvisesToMakeComparesNamesAsTheDatabaseDoes(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		db := openSQLite(t, sqliteFile(t))
		namesApart(t, db, newSQLite(t, db, "sessions"), newSQLite(t, db, "Sessions"), "1")
	})
	t.Run("MySQL", func(t *testing.T) {
		s, _ := ownMySQL(t)
		db := s.open(t)
		namesApart(t, db.DB, s.newStore(t, db, "sessions"), s.newStore(t, db, "Sessions"), "2")
	})
}

func namesApart(t *testing.T, db *sql.DB, store, other tableStore, tables string) {
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("DROP TABLE coatcheck_schema"); err != nil {
		t.Fatal(err)
	}
	followAdvice(t, db, store.Migrate(t.Context()))
	for _, store := range []tableStore{store, other} {
		if err := store.Migrate(t.Context()); err != nil {
			t.Error(err)
		}
		atStep(t, store, steps)
	}
	if got := text(t, db, "SELECT count(*) FROM coatcheck_schema"); got != tables {
		t.Errorf("there are %s versions, want %s", got, tables)
	}
}
