package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sqlstore"
)

// failing is an empty database, whose first statements fail.
type failing struct {
	err       error
	times     int // how often it fails
	connected int
	ran       int
}

func (f *failing) Driver() driver.Driver { return nil }

func (f *failing) Connect(context.Context) (driver.Conn, error) {
	f.connected++
	return failingConn{f}, nil
}

func (f *failing) run() error {
	f.ran++
	if f.ran <= f.times {
		return f.err
	}
	return nil
}

type failingConn struct{ *failing }

func (failingConn) Begin() (driver.Tx, error)           { return nil, errUnreachable }
func (failingConn) Prepare(string) (driver.Stmt, error) { return nil, errUnreachable }
func (failingConn) Close() error                        { return nil }

func (c failingConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return empty{}, c.run()
}

func (c failingConn) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return driver.RowsAffected(1), c.run()
}

type empty struct{}

func (empty) Columns() []string         { return nil }
func (empty) Close() error              { return nil }
func (empty) Next([]driver.Value) error { return io.EOF }

func storeOf(t *testing.T, f *failing) *sqlstore.Store {
	t.Helper()
	store, err := sqlstore.New(sql.OpenDB(f), sqlstore.Options{Dialect: sqlstore.PostgreSQL})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// state is an error as pgx makes it.
type state string

func (s state) Error() string    { return "the server says " + string(s) }
func (s state) SQLState() string { return string(s) }

var brokenConnections = []error{
	driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, &net.OpError{Op: "read", Err: syscall.ECONNRESET},
	state("57P01"), state("57P02"), state("57P03"), state("57P05"), state("08006"),
}

func TestAReadGetsOverAPoolOfBrokenConnections(t *testing.T) {
	for _, broken := range brokenConnections {
		store := storeOf(t, &failing{err: broken, times: 60})
		if _, err := store.Load(t.Context(), "a"); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("%v: Load = %v, want ErrNotFound of the connection that works", broken, err)
		}
	}
}

func TestAReadIsNotRepeatedForEver(t *testing.T) {
	for _, broken := range brokenConnections {
		f := &failing{err: broken, times: 1 << 30}
		if _, err := storeOf(t, f).ByUser(t.Context(), "ada"); !errors.Is(err, broken) || f.ran > 200 {
			t.Errorf("%v: ByUser = %v after %d statements, want the error after at most 200", broken, err, f.ran)
		}
	}
}

func TestNothingIsRepeatedThatFailedForAnotherReason(t *testing.T) {
	for _, err := range []error{
		state("42501"), errUnreachable, context.Canceled,
		&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, &net.OpError{Op: "read", Err: context.DeadlineExceeded},
	} {
		f := &failing{err: err, times: 1}
		if _, got := storeOf(t, f).Load(t.Context(), "a"); !errors.Is(got, err) || f.ran != 1 {
			t.Errorf("%v: Load = %v after %d statements, want the error of the first", err, got, f.ran)
		}
	}
}

// A write may have been done when its answer is lost.
func TestAWriteOnABrokenConnectionIsSentOnce(t *testing.T) {
	for _, broken := range brokenConnections[1:] { // the first one says that nothing was sent
		f := &failing{err: broken, times: 1}
		if err := storeOf(t, f).Delete(t.Context(), "a"); !errors.Is(err, broken) || f.ran != 1 {
			t.Errorf("%v: Delete = %v after %d statements, want the error of the first", broken, err, f.ran)
		}
	}
}

func TestErrorsOfPostgreSQLSayWhatToDo(t *testing.T) {
	for code, want := range map[state]string{
		"25006": "give the store the primary",
		"26000": "default_query_exec_mode=exec", "42P05": "default_query_exec_mode=exec",
		"42P01": "Store.Migrate",
	} {
		_, loaded := storeOf(t, &failing{err: code, times: 1}).Load(t.Context(), "a")
		deleted := storeOf(t, &failing{err: code, times: 1}).Delete(t.Context(), "a")
		for _, err := range []error{loaded, deleted} {
			if !errors.Is(err, code) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want an error that says %q", code, err, want)
			}
		}
	}
}
