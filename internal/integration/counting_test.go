package integration_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"slices"
	"sync"
	"testing"

	"modernc.org/sqlite"
)

// counter writes down what a database is asked, at the border between database/sql and the driver.
type counter struct {
	mu       sync.Mutex
	conns    int
	prepared []string // the text of each statement prepared
	run      []string // the text of each statement run, prepared or not
	failed   chan error
}

// take returns what was run since the last take.
func (c *counter) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	run := c.run
	c.run = nil
	return run
}

func (c *counter) texts() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.prepared)
}

func (c *counter) note(list *[]string, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*list = append(*list, text)
}

// fail tells a test that waits on failed, if there is one, that the driver returned err.
func (c *counter) fail(err error) {
	if err == nil {
		return
	}
	select {
	case c.failed <- err:
	default:
	}
}

// openCounted opens an SQLite database whose every statement is counted.
func openCounted(tb testing.TB, dsn string) (*sql.DB, *counter) {
	tb.Helper()
	c := &counter{failed: make(chan error)}
	db := sql.OpenDB(countedConnector{dsn, c})
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	tb.Cleanup(func() { db.Close() })
	return db, c
}

type countedConnector struct {
	dsn string
	*counter
}

func (c countedConnector) Driver() driver.Driver { return &sqlite.Driver{} }

func (c countedConnector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.Driver().Open(c.dsn)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns++
	return countedConn{conn.(sqliteConn), c.counter}, nil
}

// sqliteConn is what the driver's connections can do and database/sql makes use of.
type sqliteConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

type countedConn struct {
	sqliteConn
	*counter
}

func (c countedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	stmt, err := c.sqliteConn.PrepareContext(ctx, query)
	if err != nil {
		c.fail(err)
		return nil, err
	}
	c.note(&c.prepared, query)
	return countedStmt{stmt.(sqliteStmt), query, c.counter}, nil
}

func (c countedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.note(&c.run, query)
	result, err := c.sqliteConn.ExecContext(ctx, query, args)
	c.fail(err)
	return result, err
}

func (c countedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.note(&c.run, query)
	rows, err := c.sqliteConn.QueryContext(ctx, query, args)
	c.fail(err)
	return rows, err
}

type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type countedStmt struct {
	sqliteStmt
	text string
	*counter
}

func (s countedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	s.note(&s.run, s.text)
	result, err := s.sqliteStmt.ExecContext(ctx, args)
	s.fail(err)
	return result, err
}

func (s countedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	s.note(&s.run, s.text)
	rows, err := s.sqliteStmt.QueryContext(ctx, args)
	s.fail(err)
	return rows, err
}
