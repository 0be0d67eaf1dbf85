package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sqlstore"
)

// Handlers that hold every connection while their sessions are saved wait for each other. The error says so.
func TestAPoolThatIsUsedUpIsNamed(t *testing.T) {
	for _, dialect := range []sqlstore.Dialect{sqlstore.PostgreSQL, sqlstore.MySQL, sqlstore.SQLite} {
		t.Run(dialect.String(), func(t *testing.T) { usesUp(t, dialect) })
	}
}

func usesUp(t *testing.T, dialect sqlstore.Dialect) {
	db := sql.OpenDB(&failing{})
	defer db.Close()
	db.SetMaxOpenConns(2)
	store, err := sqlstore.New(db, sqlstore.Options{Dialect: dialect})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	for call, fn := range map[string]func(context.Context) error{
		"Load":   func(ctx context.Context) error { _, err := store.Load(ctx, "a"); return err },
		"ByUser": func(ctx context.Context) error { _, err := store.ByUser(ctx, "ada"); return err },
		"Delete": func(ctx context.Context) error { return store.Delete(ctx, "a") },
		"SaveWithin": func(ctx context.Context) error {
			return store.SaveWithin(ctx, &session.Record{ID: "a"}, session.Limit{Max: 1})
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		err := fn(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "all 2 connections") {
			t.Errorf("%s = %v, want an error that says that all 2 connections are in use", call, err)
		}
	}
}
