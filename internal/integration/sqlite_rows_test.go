package integration_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// A row that cannot be read gives its connection back, so that the next request has one.
func TestSQLiteARowThatCannotBeReadKeepsNoConnection(t *testing.T) {
	db := openSQLite(t, sqliteFile(t))
	db.SetMaxOpenConns(1)
	store := migrated(t, db, "")
	if err := store.Save(t.Context(),
		&session.Record{ID: "a", User: "ada", SeenAt: time.Unix(1e9, 0).UTC()}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("UPDATE sessions SET version = -1"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for range 3 {
		if _, err := store.Load(ctx, "a"); err == nil || errors.Is(err, session.ErrNotFound) || ctx.Err() != nil {
			t.Fatalf("Load = %v, want an error that says that the row cannot be read", err)
		}
		if _, err := store.ByUser(ctx, "ada"); ctx.Err() != nil {
			t.Fatalf("ByUser = %v", err)
		}
	}
}
