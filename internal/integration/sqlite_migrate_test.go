package integration_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sqlstore"
)

// Whoever forgot to make the table is told what to do, whatever was called.
func TestSQLiteWithoutTableSaysToMigrate(t *testing.T) {
	ctx := context.Background()
	store := newSQLite(t, openSQLite(t, sqliteFile(t)), "visitors")
	for call, err := range everyCall(ctx, store) {
		if err == nil || errors.Is(err, session.ErrNotFound) ||
			!strings.Contains(err.Error(), `no table "visitors": call Store.Migrate, or run coatcheck db migrate`) {
			t.Errorf("%s = %v, want an error that says to migrate", call, err)
		}
	}
	if err := store.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	save(t, store, &session.Record{ID: "a"})
}

// After Migrate the store works, and a second run does nothing.
func TestSQLiteMigrateTwiceChangesNothing(t *testing.T) {
	ctx := context.Background()
	db, count := openCounted(t, "file:"+sqliteFile(t)+sqliteOptions)
	store := migrated(t, db, "")
	save(t, store, &session.Record{ID: "a"})
	count.take()
	if err := store.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	for _, text := range count.take() {
		if !strings.HasPrefix(text, "SELECT") {
			t.Errorf("the second run did %q", text)
		}
	}
	loaded(t, store, "a")
	if mode := text(t, db, "PRAGMA journal_mode"); mode != "wal" {
		t.Errorf("the journal's mode is %q, want wal", mode)
	}
}

func text(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	var s string
	if err := db.QueryRow(query).Scan(&s); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return s
}

func TestSQLiteTenMigrationsAtOnceMakeOneTable(t *testing.T) {
	for range 5 {
		path := sqliteFile(t)
		errs := make(chan error, 10)
		var start sync.WaitGroup
		start.Add(1)
		for range cap(errs) {
			store := newSQLite(t, openSQLite(t, path), "")
			go func() {
				start.Wait()
				errs <- store.Migrate(context.Background())
			}()
		}
		start.Done()
		for range cap(errs) {
			if err := <-errs; err != nil {
				t.Errorf("Migrate = %v", err)
			}
		}
		if got := text(t, openSQLite(t, path),
			"SELECT count(*) || ' ' || max(version) FROM coatcheck_schema"); got != "1 2" {
			t.Errorf("%s are the tables recorded and their version, want 1 2", got)
		}
	}
}

func TestSQLiteMigrateKeepsOffTheTableOfSomebodyElse(t *testing.T) {
	db := openSQLite(t, sqliteFile(t))
	if _, err := db.Exec("CREATE TABLE sessions (id TEXT, payload TEXT)"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // with and without a table of ours in the database
		err := newSQLite(t, db, "Sessions").Migrate(context.Background())
		if err == nil || !strings.Contains(err.Error(), `Options.Table: there is a table "Sessions" already`) {
			t.Errorf("Migrate = %v, want an error that names the option", err)
		}
		migrated(t, db, "ours")
	}
	if got := text(t, db,
		"SELECT sql FROM sqlite_schema WHERE name = 'sessions'"); got != "CREATE TABLE sessions (id TEXT, "+
		"payload TEXT)" {
		t.Errorf("the table is now %s", got)
	}
}

func TestSQLiteMigrateTakesTwoSpellingsOfOneTableForOne(t *testing.T) {
	db := openSQLite(t, sqliteFile(t))
	save(t, migrated(t, db, "sessions"), &session.Record{ID: "a"})
	loaded(t, migrated(t, db, "SESSIONS"), "a")
}

// A deploy in waves runs the old release on the new table for a while.
func TestSQLiteMigrateLeavesANewerTableAlone(t *testing.T) {
	db := openSQLite(t, sqliteFile(t))
	store := migrated(t, db, "")
	for _, change := range []string{"UPDATE coatcheck_schema SET version = 99",
		"ALTER TABLE sessions ADD COLUMN later TEXT NOT NULL DEFAULT 'x'"} {
		if _, err := db.Exec(change); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Migrate(context.Background()); err != nil {
		t.Errorf("Migrate = %v", err)
	}
	save(t, store, &session.Record{ID: "a"})
	loaded(t, store, "a")
}

func TestSQLiteMigrateMakesADroppedTableAnew(t *testing.T) {
	db := openSQLite(t, sqliteFile(t))
	store := migrated(t, db, "")
	if _, err := db.Exec("DROP TABLE sessions"); err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(context.Background()); err != nil {
		t.Errorf("Migrate = %v", err)
	}
	save(t, store, &session.Record{ID: "a"})
}

func TestSQLiteMigrateRefusesADatabaseInUTF16(t *testing.T) {
	db := openSQLite(t, sqliteFile(t))
	db.SetMaxOpenConns(1) // the encoding of a file without tables is that of the connection
	if _, err := db.Exec("PRAGMA encoding = 'UTF-16le'"); err != nil {
		t.Fatal(err)
	}
	err := newSQLite(t, db, "").Migrate(context.Background())
	if err == nil || !strings.Contains(err.Error(), "UTF-16le") {
		t.Errorf("Migrate = %v, want an error that names the encoding", err)
	}
}

func TestSQLiteMigrateThatIsCancelledMakesNothing(t *testing.T) {
	db := openSQLite(t, sqliteFile(t))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := newSQLite(t, db, "").Migrate(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Migrate = %v, want context.Canceled", err)
	}
	if got := text(t, db, "SELECT count(*) FROM sqlite_schema"); got != "0" {
		t.Errorf("there are %s tables and indexes", got)
	}
}

// A failing step leaves neither half a table nor a connection that is still in the transaction.
func TestSQLiteMigrateThatFailsLeavesNoTransaction(t *testing.T) {
	db := openSQLite(t, sqliteFile(t))
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("CREATE TABLE sessions_user_id (i)"); err != nil { // the name of the index
		t.Fatal(err)
	}
	if err := newSQLite(t, db, "").Migrate(context.Background()); err == nil {
		t.Error("Migrate succeeded although the name of an index is taken")
	}
	if got := text(t, db, "SELECT count(*) FROM sqlite_schema"); got != "1" {
		t.Errorf("there are %s tables and indexes, want the one that was there", got)
	}
	if _, err := db.Exec("BEGIN; COMMIT"); err != nil {
		t.Errorf("the connection is still in a transaction: %v", err)
	}
}

// The statements of Schema make the same table as Migrate, and take it away again.
func TestSQLiteSchemaIsWhatMigrateMakes(t *testing.T) {
	opts := sqlstore.Options{Dialect: sqlstore.SQLite, Table: "visitors"}
	up, down, err := sqlstore.Schema(opts)
	if err != nil {
		t.Fatal(err)
	}
	db := openSQLite(t, sqliteFile(t))
	if _, err := db.Exec(up); err != nil {
		t.Fatal(err)
	}
	const everything = "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY name)"
	other := openSQLite(t, sqliteFile(t))
	migrated(t, other, "visitors")
	if got, want := text(t, db, everything), text(t, other, everything); got != want {
		t.Errorf("Schema makes %s, Migrate makes %s", got, want)
	}
	save(t, migrated(t, db, "visitors"), &session.Record{ID: "a"})
	if _, err := db.Exec(down); err != nil {
		t.Fatal(err)
	}
	if got := text(t, db, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'visitors%'"); got != "0" {
		t.Errorf("%s tables and indexes are left", got)
	}
	save(t, migrated(t, db, "visitors"), &session.Record{ID: "a"})
}

func TestSQLiteRollbackTakesTheTableAndMigrateMakesItAnew(t *testing.T) {
	ctx := context.Background()
	store := migrated(t, openSQLite(t, sqliteFile(t)), "")
	save(t, store, &session.Record{ID: "a"})
	for step := steps; step > 0; step-- {
		atStep(t, store, step)
		if done, err := store.Rollback(ctx); !done || err != nil {
			t.Fatalf("Rollback of step %d = %t, %v, want true", step, done, err)
		}
	}
	atStep(t, store, 0)
	if done, err := store.Rollback(ctx); done || err != nil {
		t.Errorf("a Rollback of no step = %t, %v, want false", done, err)
	}
	if err := store.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Load(ctx, "a"); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("Load = %v, want ErrNotFound", err)
	}
}

// steps is how many the schema has.
const steps = 2

func atStep(t *testing.T, store tableStore, want int) {
	t.Helper()
	at, known, err := store.SchemaVersion(context.Background())
	if at != want || known != steps || err != nil {
		t.Errorf("SchemaVersion = %d, %d, %v, want %d, %d", at, known, err, want, steps)
	}
}

// Whoever asks when a step is back already takes the one before it.
func TestSQLiteTenRollbacksAtOnceTakeNoStepTwice(t *testing.T) {
	path := sqliteFile(t)
	store := migrated(t, openSQLite(t, path), "")
	done := make(chan bool, 10)
	for range cap(done) {
		store := newSQLite(t, openSQLite(t, path), "")
		go func() {
			did, err := store.Rollback(context.Background())
			if err != nil {
				t.Errorf("Rollback = %v", err)
			}
			done <- did
		}()
	}
	n := 0
	for range cap(done) {
		if <-done {
			n++
		}
	}
	tookBack(t, store, n)
}

// tookBack wants that so many rollbacks took as many steps.
func tookBack(t *testing.T, store tableStore, n int) {
	t.Helper()
	if n == 0 || n > steps {
		t.Fatalf("%d of 10 rollbacks took a step back, want 1 to %d", n, steps)
	}
	atStep(t, store, steps-n)
}

func TestSQLiteRollbackLeavesANewerTableAlone(t *testing.T) {
	db := openSQLite(t, sqliteFile(t))
	store := migrated(t, db, "")
	if _, err := db.Exec("UPDATE coatcheck_schema SET version = 99"); err != nil {
		t.Fatal(err)
	}
	if done, err := store.Rollback(context.Background()); done || err == nil ||
		!strings.Contains(err.Error(), "newer release") {
		t.Errorf("Rollback = %t, %v, want an error that names the newer release", done, err)
	}
	save(t, store, &session.Record{ID: "a"})
}
