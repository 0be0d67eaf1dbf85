package integration_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/coatcheck/session/pgstore"
	"github.com/coatcheck/session/sqlstore"
)

// process is one that ends after so many moments. Each statement is one before the server hears of it, and, where
// database/sql runs it, another one when the server has answered.
type process struct{ moments atomic.Int64 }

var errProcessEnded = errors.New("the process has ended")

func (p *process) lives() error {
	if p.moments.Add(-1) < 0 {
		return errProcessEnded
	}
	return nil
}

// endingConnector connects a process.
type endingConnector struct {
	by  driver.Driver
	dsn string
	*process
}

func (c endingConnector) Driver() driver.Driver { return c.by }

func (c endingConnector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.by.Open(c.dsn)
	return endingConn{conn, c.process}, err
}

type endingConn struct {
	driver.Conn
	*process
}

func (c endingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.lives(); err != nil {
		return nil, err
	}
	result, err := c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
	return result, errors.Join(err, c.lives())
}

func (c endingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.lives(); err != nil {
		return nil, err
	}
	rows, err := c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
	return rows, err
}

// TraceQueryStart implements [pgx.QueryTracer]: the context of a process that has ended is over.
func (p *process) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	if p.lives() == nil {
		return ctx
	}
	over, cancel := context.WithCancelCause(ctx)
	cancel(errProcessEnded)
	return over
}

func (p *process) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// changing is a table whose schema is changed by processes that end.
type changing struct {
	table, dsn string
	store      tableStore // of a process that does not end
	db         *sql.DB
	dialect    sqlstore.Dialect
	native     bool // by pgstore
}

func eachChanging(t *testing.T, fn func(t *testing.T, at changing)) {
	eachServer(t, func(t *testing.T, s server) {
		t.Parallel() // a change of the schema is a wait for the disk
		db, table := s.open(t), s.table()
		fn(t, changing{table, dsnOf(t, s), s.store(t, db, table), db.DB, s.dialect, s.native})
	})
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		path := sqliteFile(t)
		db := openSQLite(t, path)
		fn(t, changing{"sessions", "file:" + path + sqliteOptions, migrated(t, db, ""), db, sqlstore.SQLite, false})
	})
}

// by calls fn with the store of a process that ends after so many moments.
func (c changing) by(t *testing.T, moments int, fn func(tableStore) error) error {
	t.Helper()
	p := new(process)
	p.moments.Store(int64(moments))
	if c.native {
		return c.byPool(t, p, fn)
	}
	db := sql.OpenDB(endingConnector{c.db.Driver(), c.dsn, p})
	defer db.Close()
	store, err := sqlstore.New(db, sqlstore.Options{Dialect: c.dialect, Table: c.table})
	if err != nil {
		t.Fatal(err)
	}
	return fn(store)
}

func (c changing) byPool(t *testing.T, p *process, fn func(tableStore) error) error {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(c.dsn)
	if err != nil {
		t.Fatal(err)
	}
	cfg.ConnConfig.Tracer = p
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	store, err := pgstore.New(pool, pgstore.Options{Table: c.table})
	if err != nil {
		t.Fatal(err)
	}
	return fn(store)
}

// shapes are queries for the columns and indexes of a table.
var shapes = map[sqlstore.Dialect]string{
	sqlstore.SQLite: `SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema WHERE tbl_name = '%[1]s'
		ORDER BY name)`,
	sqlstore.PostgreSQL: `SELECT (SELECT string_agg(column_name, ' ' ORDER BY column_name)
			FROM information_schema.columns WHERE table_name = '%[1]s') ||
		(SELECT string_agg(indexdef, ';' ORDER BY indexname) FROM pg_catalog.pg_indexes WHERE tablename = '%[1]s')`,
	sqlstore.MySQL: `SELECT concat((SELECT group_concat(column_name ORDER BY column_name)
			FROM information_schema.columns WHERE table_schema = database() AND table_name = '%[1]s'), ';',
		(SELECT group_concat(concat(index_name, ' on ', column_name) ORDER BY index_name)
			FROM information_schema.statistics WHERE table_schema = database() AND table_name = '%[1]s'))`,
}

// recorded is the step that the database has written down.
func (c changing) recorded(t *testing.T) string {
	t.Helper()
	return text(t, c.db, "SELECT version FROM coatcheck_schema WHERE name = '"+c.table+"'")
}

func (c changing) shape(t *testing.T) string {
	t.Helper()
	return text(t, c.db, fmt.Sprintf(shapes[c.dialect], c.table))
}

// change is Migrate or Rollback of a table that is at a step.
type change struct {
	down bool
	at   int
}

func (c change) do(ctx context.Context, store tableStore) error {
	if !c.down {
		return store.Migrate(ctx)
	}
	_, err := store.Rollback(ctx)
	return err
}

// keeps says that a change cannot cost a session.
func (c change) keeps() bool { return c.at > 1 || !c.down && c.at > 0 }

// changes are all that there are.
func changes() (list []change) {
	for at := range steps {
		list = append(list, change{false, at}, change{true, at + 1})
	}
	return list
}

// begin makes the table what it was at a step, with a session if there is a table.
func (c changing) begin(t *testing.T, step int) {
	t.Helper()
	if err := c.store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.store.Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	moved(t, c.store, "a", 10, 20)
	for n := steps; n > step; n-- {
		c.rollBack(t)
	}
}

func (c changing) rollBack(t *testing.T) {
	t.Helper()
	if done, err := c.store.Rollback(t.Context()); !done || err != nil {
		t.Fatalf("Rollback = %t, %v, want true", done, err)
	}
}

// eachEnd makes a change by processes that end, each a moment later than the one before, until one comes to its end.
func (c changing) eachEnd(t *testing.T, change change, look func(moments int)) {
	t.Helper()
	for moments, ended := 0, true; ended; moments++ {
		c.begin(t, change.at)
		ended = c.by(t, moments, func(s tableStore) error { return change.do(t.Context(), s) }) != nil
		look(moments)
	}
}

// Wherever a process ends that changes the schema, up or down, Migrate makes the table what it is without that, and the
// sessions stay.
func TestMigrateMendsWhatAnyEndedChangeLeft(t *testing.T) {
	eachChanging(t, func(t *testing.T, at changing) {
		want := at.shape(t)
		for _, change := range changes() {
			at.eachEnd(t, change, func(moments int) {
				if err := at.store.Migrate(t.Context()); err != nil {
					t.Fatalf("Migrate after %+v of %d moments = %v", change, moments, err)
				}
				atStep(t, at.store, steps)
				if got := at.shape(t); got != want {
					t.Errorf("after %+v of %d moments the table is %s, want %s", change, moments, got, want)
				}
				if change.keeps() {
					loaded(t, at.store, "a")
				}
			})
		}
	})
}

// A rollback goes on where another one ended, and takes no step more: the next one would remove every session.
func TestRollbackGoesOnWhereAnotherEnded(t *testing.T) {
	eachChanging(t, func(t *testing.T, at changing) {
		at.begin(t, steps-1)
		want := at.shape(t)
		at.eachEnd(t, change{true, steps}, func(moments int) {
			if at.recorded(t) == fmt.Sprint(steps) {
				at.rollBack(t)
			}
			atStep(t, at.store, steps-1)
			loaded(t, at.store, "a")
			if got := at.shape(t); got != want {
				t.Errorf("after a rollback of %d moments the table is %s, want %s", moments, got, want)
			}
		})
	})
}
