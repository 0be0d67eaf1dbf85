package integration_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// The table of an older release has the rows, and lacks the column. Whatever writes to it says what to do.
func TestAnOlderTableSaysToMigrateAndKeepsItsRows(t *testing.T) {
	eachDueTable(t, func(t *testing.T, at dueTable) {
		moved(t, at.store, "ended", 10)
		moved(t, at.store, "alive", 10, 90)
		for range 2 {
			if done, err := at.peer.Rollback(t.Context()); !done || err != nil {
				t.Fatalf("Rollback = %t, %v, want true", done, err)
			}
			atStep(t, at.store, 1)
			loaded(t, at.store, "alive")
			for call, err := range everyCall(t.Context(), at.store) {
				if err != nil && call != "Load" && !strings.Contains(err.Error(), "call Store.Migrate, or run") {
					t.Errorf("%s = %v, want an error that says to migrate", call, err)
				}
			}
			if err := at.store.Save(t.Context(), &session.Record{ID: "new"}); err == nil {
				t.Error("a save succeeded that lacks a column")
			}
			if err := at.peer.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			atStep(t, at.store, 2)
		}
		sweepAt(t, at.store, 50, 10, 1)
		if n := at.count(t, "due_at = 90"); n != 1 {
			t.Errorf("%d sessions are due at their end, want 1", n)
		}
		moved(t, at.store, "new", 10, 20)
		sweepAt(t, at.store, 91, 10, 2)
	})
}

// MySQL has no transaction for a step. A rollback that fails half way, here for a reader who keeps the table, must
// not take the step before when it is tried again: that one removes every session.
func TestMySQLRollsBackOnFromWhereItFailed(t *testing.T) {
	s := sqlServers[1]
	db, table := s.connect(t, dsnOf(t, s)+"?lock_wait_timeout=1", 4), s.table()
	store := s.store(t, db, table)
	moved(t, store, "a", 10, 20)
	reader, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	look := func(statement string) {
		t.Helper()
		if _, err := reader.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	look("BEGIN")
	look("SELECT id FROM " + table)
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		if done, err := store.Rollback(ctx); done || err == nil {
			t.Errorf("Rollback of a table that is read = %t, %v, want an error", done, err)
		}
		cancel()
		atStep(t, store, 2)
	}
	look("ROLLBACK")
	if done, err := store.Rollback(t.Context()); !done || err != nil {
		t.Errorf("Rollback = %t, %v, want true", done, err)
	}
	atStep(t, store, 1)
	loaded(t, store, "a")
}

// A site may have an index of its own on the ends, and MySQL names one without a name after its column. It is none of
// the schema's business.
func TestMySQLLeavesAnIndexOfTheSiteOnTheEnds(t *testing.T) {
	s := sqlServers[1]
	db, table := s.open(t), s.table()
	store := s.store(t, db, table)
	if _, err := db.Exec("ALTER TABLE " + table + " ADD KEY (expires_at)"); err != nil {
		t.Fatal(err)
	}
	at := changing{table: table, db: db.DB, dialect: s.dialect}
	want := at.shape(t)
	if !strings.Contains(want, "expires_at on expires_at") {
		t.Fatalf("the table is %s, want an index expires_at", want)
	}
	atStep(t, store, steps)
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	atStep(t, store, steps)
	if got := at.shape(t); got != want {
		t.Errorf("after Migrate the table is %s, want %s", got, want)
	}
	moved(t, store, "a", 10, 20)
	sweepAt(t, store, 21, 10, 1)
}

// The index on the ends that Migrate made is in the way of every save. What a site has made itself stays.
func TestPostgreSQLMigrateDropsItsOwnIndexOfTheEnds(t *testing.T) {
	s := sqlServers[0]
	for name, change := range map[string]string{
		"as it was made":      "SELECT '%s'",
		"dropped by the site": `DROP INDEX "%s_expires_at_idx"`,
		"made again":          `CREATE INDEX ON "%s" (expires_at)`,
		"beside others": `CREATE INDEX ON "%[1]s" (expires_at) WHERE kind = 0;
			CREATE INDEX ON "%[1]s" (expires_at, id)`,
	} {
		t.Run(name, func(t *testing.T) {
			db, table := s.open(t), strings.Repeat("x", 20)+s.table()
			store := s.store(t, db, table)
			if done, err := store.Rollback(t.Context()); !done || err != nil {
				t.Fatalf("Rollback = %t, %v, want true", done, err)
			}
			if _, err := db.Exec(fmt.Sprintf(change, table)); err != nil {
				t.Fatal(err)
			}
			if err := store.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			want := map[bool]int{false: 0, true: 2}[name == "beside others"]
			if n := indexesOfTheEnds(t, db.DB, table); n != want {
				t.Errorf("there are %d indexes on expires_at, want %d", n, want)
			}
		})
	}
}

func indexesOfTheEnds(t *testing.T, db *sql.DB, table string) (n int) {
	t.Helper()
	err := db.QueryRow("SELECT count(*) FROM pg_indexes WHERE tablename = $1 AND indexdef LIKE '%(expires_at%'", table).
		Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// What PostgreSQL calls hot: the new row is in the page of the old one, and no index hears of it.
func TestPostgreSQLSavesInPlace(t *testing.T) {
	for _, s := range []server{sqlServers[0], sqlServers[2]} {
		t.Run(s.name, func(t *testing.T) {
			db, name := s.connect(t, dsnOf(t, s), 1), s.table() // the server counts what one connection did
			at := dueTable{DB: db.DB, store: s.store(t, db, name), name: name}
			const saves = 40
			ends := make([]int64, saves+1)
			for i := range ends {
				ends[i] = int64(10 + i)
			}
			moved(t, at.store, "a", ends...)
			if err := at.store.Touch(t.Context(), "a", saves+1, time.UnixMicro(5), time.UnixMicro(99)); err != nil {
				t.Fatal(err)
			}
			if all, inPlace := at.updates(t); all != saves+1 || inPlace != all {
				t.Errorf("%d of %d updates are in place, want all of %d", inPlace, all, saves+1)
			}
		})
	}
}

// updates says how many updates of the table the server has counted, and how many of them were in place.
func (d dueTable) updates(t *testing.T) (all, inPlace int) {
	t.Helper()
	d.run(t, "SELECT pg_stat_force_next_flush(), '%s'")
	err := d.QueryRow("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = '"+d.name+"'").
		Scan(&all, &inPlace)
	if err != nil {
		t.Fatal(err)
	}
	return all, inPlace
}

func dsnOf(t *testing.T, s server) string {
	t.Helper()
	at, err := s.start()
	if err != nil {
		t.Fatal(err)
	}
	return at.DSN
}
