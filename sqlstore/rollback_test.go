package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/coatcheck/session/sqlstore"
)

// dropping is a MySQL with a table of the first step. It has dropped that when somebody gets in the way of the next
// statement.
type dropping struct{ dropped, busy bool }

func (d *dropping) Driver() driver.Driver                        { return nil }
func (d *dropping) Connect(context.Context) (driver.Conn, error) { return d, nil }
func (*dropping) Begin() (driver.Tx, error)                      { return nil, errUnreachable }
func (*dropping) Prepare(string) (driver.Stmt, error)            { return nil, errUnreachable }
func (*dropping) Close() error                                   { return nil }

func (d *dropping) QueryContext(_ context.Context, text string, _ []driver.NamedValue) (driver.Rows, error) {
	switch {
	case strings.Contains(text, "@@autocommit"):
		return &oneRow{int64(1), "utf8mb4", "", int64(16 << 20)}, nil
	case strings.Contains(text, "LIMIT 0") && d.dropped:
		return nil, errors.New("Error 1146: there is no such table")
	case strings.Contains(text, "LIMIT 0"):
		return empty{}, nil
	}
	return &oneRow{int64(1)}, nil // the lock, or the version
}

func (d *dropping) ExecContext(_ context.Context, text string, _ []driver.NamedValue) (driver.Result, error) {
	switch {
	case strings.HasPrefix(text, "DROP TABLE"):
		d.dropped = true
	case strings.Contains(text, "DELETE") && !d.busy:
		d.busy = true
		return nil, errors.New("Error 1205: Lock wait timeout exceeded")
	case text == "DO ?":
		return nil, driver.ErrSkip
	}
	return driver.RowsAffected(0), nil
}

type oneRow []driver.Value

func (r *oneRow) Columns() []string { return make([]string, len(*r)) }
func (*oneRow) Close() error        { return nil }

func (r *oneRow) Next(to []driver.Value) error {
	if len(*r) == 0 {
		return io.EOF
	}
	copy(to, *r)
	*r = nil
	return nil
}

// MySQL drops a table at once, whatever becomes of the rest. Whoever hears that there was nothing to roll back would
// look for the table.
func TestARollbackThatWasInterruptedSaysWhatItDid(t *testing.T) {
	d := new(dropping)
	db := sql.OpenDB(d)
	defer db.Close()
	store, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.MySQL})
	if err != nil {
		t.Fatal(err)
	}
	if done, err := store.Rollback(t.Context()); !done || err != nil || !d.busy {
		t.Errorf("Rollback = %t, %v, want true", done, err)
	}
}
