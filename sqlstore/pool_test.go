package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
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
		"Load":       func(ctx context.Context) error { return load(ctx, store) },
		"ByUser":     func(ctx context.Context) error { _, err := store.ByUser(ctx, "ada"); return err },
		"Delete":     func(ctx context.Context) error { return remove(ctx, store) },
		"SaveWithin": func(ctx context.Context) error { return saveWithin(ctx, store) },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		err := fn(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "all 2 connections") {
			t.Errorf("%s = %v, want an error that says that all 2 connections are in use", call, err)
		}
	}
}

// crowded is a database that answers when the time is over. Somebody else waits for its only connection by then, and so
// the pool is used up again as soon as that comes back.
type crowded struct {
	db     *sql.DB
	answer error
}

func (*crowded) Driver() driver.Driver                          { return nil }
func (c *crowded) Connect(context.Context) (driver.Conn, error) { return crowdedConn{c}, nil }

type crowdedConn struct{ *crowded }

func (crowdedConn) Begin() (driver.Tx, error)             { return nil, errUnreachable }
func (c crowdedConn) Prepare(string) (driver.Stmt, error) { return nil, c.run() }
func (crowdedConn) Close() error                          { return nil }

func (c crowdedConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return nil, c.run()
}

func (c crowdedConn) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return nil, c.run()
}

func (c crowdedConn) run() error {
	go func() { _, _ = c.db.Conn(context.Background()) }()
	time.Sleep(2 * time.Second)
	return c.answer
}

// A call that had a connection says what became of it, and not that there was none.
func TestACallThatHadAConnectionDoesNotBlameThePool(t *testing.T) {
	byDriver := fmt.Errorf("timeout: %w", context.DeadlineExceeded) // as pgx says it
	for _, test := range []struct {
		name    string
		dialect sqlstore.Dialect
		answer  error
		call    func(context.Context, *sqlstore.Store) error
		want    string
	}{
		{"Load", sqlstore.PostgreSQL, context.DeadlineExceeded, load, "load"},
		{"SaveWithin", sqlstore.PostgreSQL, context.DeadlineExceeded, saveWithin, "save"},
		{"Delete", sqlstore.PostgreSQL, byDriver, remove, "timeout"},
		{"Delete", sqlstore.SQLite, errors.New("database is locked"), remove, "let it commit"},
	} {
		t.Run(test.dialect.String()+" "+test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				err := runCrowded(t, test.dialect, test.answer, test.call)
				if err == nil || strings.Contains(err.Error(), "SetMaxOpenConns") ||
					!strings.Contains(err.Error(), test.want) {
					t.Errorf("%v, want an error that says %q, and nothing about the pool", err, test.want)
				}
			})
		})
	}
}

func runCrowded(t *testing.T, dialect sqlstore.Dialect, answer error,
	call func(context.Context, *sqlstore.Store) error) error {
	c := &crowded{answer: answer}
	c.db = sql.OpenDB(c)
	defer c.db.Close()
	c.db.SetMaxOpenConns(1)
	store, err := sqlstore.New(c.db, sqlstore.Options{Dialect: dialect})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err = call(ctx, store)
	if pool := c.db.Stats(); pool.InUse != 1 {
		t.Fatalf("%d connections are in use, want the one that somebody waited for", pool.InUse)
	}
	return err
}

func load(ctx context.Context, s *sqlstore.Store) error   { _, err := s.Load(ctx, "a"); return err }
func remove(ctx context.Context, s *sqlstore.Store) error { return s.Delete(ctx, "a") }

func saveWithin(ctx context.Context, s *sqlstore.Store) error {
	return s.SaveWithin(ctx, &session.Record{ID: "a"}, session.Limit{Max: 1})
}
