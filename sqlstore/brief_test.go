package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sqlstore"
)

// seen is a database that notes the context which each statement comes with.
type seen struct {
	contexts []context.Context
	before   func() error // nil: statements succeed
}

func (s *seen) Driver() driver.Driver { return nil }

func (s *seen) Connect(context.Context) (driver.Conn, error) { return seenConn{s}, nil }

type seenConn struct{ *seen }

func (seenConn) Begin() (driver.Tx, error)             { return nil, errUnreachable }
func (c seenConn) Prepare(string) (driver.Stmt, error) { return seenStmt(c), nil }
func (seenConn) Close() error                          { return nil }

type seenStmt struct{ *seen }

func (seenStmt) Close() error                                { return nil }
func (seenStmt) NumInput() int                               { return -1 }
func (seenStmt) Exec([]driver.Value) (driver.Result, error)  { return nil, errUnreachable }
func (s seenStmt) Query([]driver.Value) (driver.Rows, error) { return nil, errUnreachable }

func (s seenStmt) ExecContext(ctx context.Context, _ []driver.NamedValue) (driver.Result, error) {
	return driver.RowsAffected(1), s.note(ctx)
}

func (s seenStmt) QueryContext(ctx context.Context, _ []driver.NamedValue) (driver.Rows, error) {
	return empty{}, s.note(ctx)
}

func (s seenStmt) note(ctx context.Context) error {
	s.contexts = append(s.contexts, ctx)
	if s.before != nil {
		return s.before()
	}
	return nil
}

func seenStore(t *testing.T, s *seen) (*sql.DB, *sqlstore.Store) {
	t.Helper()
	db := sql.OpenDB(s)
	t.Cleanup(func() { db.Close() })
	store, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.SQLite})
	if err != nil {
		t.Fatal(err)
	}
	return db, store
}

// A driver or database/sql that can wait for the end of a context starts a goroutine to do so.
func TestNobodyWaitsToInterruptAStatementForOneRow(t *testing.T) {
	s := new(seen)
	_, store := seenStore(t, s)
	calls := writes(store)
	calls["load"] = func(ctx context.Context) error {
		if _, err := store.Load(ctx, "a"); !errors.Is(err, session.ErrNotFound) {
			return err
		}
		return nil
	}
	calls["retire"] = func(ctx context.Context) error {
		return store.Save(ctx, &session.Record{ID: "a", Version: 1, Kind: session.KindTombstone})
	}
	for name, call := range calls {
		s.contexts = nil
		ctx, cancel := context.WithCancel(t.Context())
		if err := call(ctx); err != nil {
			t.Fatalf("%s = %v", name, err)
		}
		if len(s.contexts) != 1 || s.contexts[0].Done() != nil || s.contexts[0].Err() != nil {
			t.Errorf("%s: the driver got %v, want one context that nobody can wait for", name, s.contexts)
		}
		cancel()
		if !errors.Is(s.contexts[0].Err(), context.Canceled) {
			t.Errorf("%s: the context does not say that it is over", name)
		}
	}
}

func TestAListMayBeInterrupted(t *testing.T) {
	s := new(seen)
	_, store := seenStore(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if _, err := store.ByUser(ctx, "ada"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Page(ctx, "", 10); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Sweep(ctx, time.UnixMicro(1), 1); err != nil {
		t.Fatal(err)
	}
	for i, ctx := range s.contexts {
		if ctx.Done() == nil {
			t.Errorf("statement %d cannot be interrupted", i)
		}
	}
}

func TestNobodyWaitsForAConnectionBeyondTheirContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store := seenStore(t, new(seen))
		db.SetMaxOpenConns(1)
		if err := store.Save(t.Context(), &session.Record{ID: "a"}); err != nil { // prepares the statement
			t.Fatal(err)
		}
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := store.Save(ctx, &session.Record{ID: "b"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Save = %v, want the end of the context", err)
		}
	})
}

// Whoever comes in between takes the only connection, and keeps it.
func TestNobodyWaitsForAConnectionBeyondTheirContextWhenTheyTryAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(seen)
		db, store := seenStore(t, s)
		db.SetMaxOpenConns(1)
		taken := make(chan *sql.Conn)
		s.before = func() error {
			go func() {
				conn, err := db.Conn(t.Context())
				if err != nil {
					t.Error(err)
				}
				taken <- conn
			}()
			synctest.Wait()
			return errors.New("database is locked")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := store.Save(ctx, &session.Record{ID: "a"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Save = %v, want the end of the context", err)
		}
		if len(s.contexts) != 1 {
			t.Errorf("the database was asked %d times, want once", len(s.contexts))
		}
		(<-taken).Close()
	})
}
