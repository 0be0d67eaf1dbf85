package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"testing"

	"github.com/coatcheck/session/sqlstore"
)

// late is a database whose context ends when BEGIN is done and not answered. It has no table.
type late struct {
	open, begun int // connections, and those of them in a transaction
	made        int // connections that there have been
	locked      int // how often BEGIN is refused, because somebody else writes
}

func (l *late) Driver() driver.Driver { return nil }

func (l *late) Connect(context.Context) (driver.Conn, error) {
	l.open++
	l.made++
	return &lateConn{late: l}, nil
}

type lateConn struct {
	*late
	inside bool
}

func (*lateConn) Begin() (driver.Tx, error)           { return nil, errUnreachable }
func (*lateConn) Prepare(string) (driver.Stmt, error) { return nil, errUnreachable }

func (c *lateConn) Close() error {
	c.open--
	c.end()
	return nil
}

func (c *lateConn) end() {
	if c.inside {
		c.inside = false
		c.begun--
	}
}

func (*lateConn) QueryContext(_ context.Context, text string, _ []driver.NamedValue) (driver.Rows, error) {
	if strings.Contains(text, "LIMIT 0") {
		return nil, errors.New("no such table: sessions")
	}
	return empty{}, nil
}

func (c *lateConn) ExecContext(_ context.Context, text string, _ []driver.NamedValue) (driver.Result, error) {
	switch {
	case strings.HasPrefix(text, "BEGIN") && c.locked > 0:
		c.locked--
		return nil, errors.New("database is locked (5) (SQLITE_BUSY)")
	case text == "ROLLBACK" && !c.inside:
		return nil, errors.New("cannot rollback - no transaction is active")
	case strings.HasPrefix(text, "BEGIN"):
		c.inside = true
		c.begun++
		return nil, context.Canceled
	case text == "ROLLBACK":
		c.end()
	}
	return driver.RowsAffected(0), nil
}

// A connection that stays in a transaction would keep everybody from writing while the program runs.
func TestMigrateLeavesNoConnectionInATransaction(t *testing.T) {
	l := new(late)
	db := sql.OpenDB(l)
	defer db.Close()
	store, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.SQLite})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("Migrate = %v, want the error of BEGIN", err)
	}
	if l.begun != 0 {
		t.Errorf("%d connections of %d are in a transaction", l.begun, l.open)
	}
}

// A connection may have settings of its own, and of a database in memory it is all that there is.
func TestMigrateKeepsTheConnectionWhoseTransactionCouldNotBegin(t *testing.T) {
	l := &late{locked: 3}
	db := sql.OpenDB(l)
	defer db.Close()
	store, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.SQLite})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(t.Context()); !errors.Is(err, context.Canceled) || l.locked > 0 {
		t.Errorf("Migrate = %v, and BEGIN is to be refused %d times more", err, l.locked)
	}
	if l.made != 1 {
		t.Errorf("%d connections were made, want one", l.made)
	}
}
