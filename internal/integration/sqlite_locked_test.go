package integration_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// A handler that writes to tables of its own in the same file, and commits after its response has begun, waits for
// itself: the session is saved before the first byte.
func TestATransactionThatStaysOpenIsNamed(t *testing.T) {
	db := openSQLite(t, sqliteFile(t))
	store := migrated(t, db, "")
	if _, err := db.Exec("CREATE TABLE orders (id INTEGER)"); err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("INSERT INTO orders VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	errs := make(chan error)
	for _, id := range []string{"a", "b"} { // one tries, and the other one waits for it
		go func() {
			ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
			defer cancel()
			errs <- store.Save(ctx, &session.Record{ID: id})
		}()
	}
	for range 2 {
		if err := <-errs; err == nil || !strings.Contains(err.Error(), "commit") {
			t.Errorf("Save = %v, want an error that says to commit", err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	save(t, store, &session.Record{ID: "c"})
}
