package migration_test

import (
	"database/sql"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/coatcheck/session/cmd/coatcheck/internal/migration"
	"github.com/coatcheck/session/sqlstore"
)

// Of several operators who take a step back at once, those who come too late have taken none, and are told so.
func TestNobodyIsToldOfAStepBackThatSomebodyElseTook(t *testing.T) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "sessions.db")+"?_pragma=busy_timeout(250)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	store, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.SQLite})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for range 10 {
		if err := store.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		said := stepsBack(t, db, store)
		at, known, err := store.SchemaVersion(t.Context())
		if err != nil || said != known-at {
			t.Fatalf("%d operators were told of a step back, and %d were taken, %v", said, known-at, err)
		}
	}
}

// stepsBack is how many of some operators say that they have taken a step back.
func stepsBack(t *testing.T, db *sql.DB, store *sqlstore.Store) int {
	var said atomic.Int64
	var operators sync.WaitGroup
	for range 8 {
		operators.Go(func() {
			d, err := migration.Open(db, store, "", 2)
			if err != nil {
				t.Error(err)
				return
			}
			if done, _ := d.Down(t.Context()); done { // an error says that nothing was done
				said.Add(1)
			}
		})
	}
	operators.Wait()
	return int(said.Load())
}
