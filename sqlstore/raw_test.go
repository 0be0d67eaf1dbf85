package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sqlstore"
)

// scripted is a database with one answer, that of a row. Its connections can do as much as ask says.
type scripted struct {
	ask    func(ctx context.Context) error // before the answer
	row    []driver.Value
	wrap   func(scriptedConn) driver.Conn
	routes int // how many goroutines there are while a row is read
}

func (s *scripted) Driver() driver.Driver { return nil }

func (s *scripted) Connect(context.Context) (driver.Conn, error) { return s.wrap(scriptedConn{s}), nil }

type scriptedConn struct{ *scripted }

func (scriptedConn) Begin() (driver.Tx, error)             { return nil, errUnreachable }
func (c scriptedConn) Prepare(string) (driver.Stmt, error) { return scriptedStmt(c), nil }
func (scriptedConn) Close() error                          { return nil }

func (c scriptedConn) answer(ctx context.Context) (driver.Rows, error) {
	if err := c.ask(ctx); err != nil {
		return nil, err
	}
	return &scriptedRows{c.scripted, false}, nil
}

type scriptedStmt struct{ *scripted }

func (scriptedStmt) Close() error                               { return nil }
func (scriptedStmt) NumInput() int                              { return 1 }
func (scriptedStmt) Exec([]driver.Value) (driver.Result, error) { return nil, errUnreachable }
func (s scriptedStmt) Query([]driver.Value) (driver.Rows, error) {
	return scriptedConn(s).answer(context.Background())
}

// direct runs text, and skips runs none although it could.
type (
	direct struct{ scriptedConn }
	skips  struct{ scriptedConn }
)

func (d direct) QueryContext(ctx context.Context, _ string, _ []driver.NamedValue) (driver.Rows, error) {
	return d.answer(ctx)
}

func (d direct) ExecContext(ctx context.Context, _ string, _ []driver.NamedValue) (driver.Result, error) {
	return driver.RowsAffected(1), d.ask(ctx)
}

func (skips) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return nil, driver.ErrSkip
}

type scriptedRows struct {
	*scripted
	read bool
}

func (r *scriptedRows) Columns() []string { return make([]string, len(r.row)) }
func (r *scriptedRows) Close() error      { return nil }

func (r *scriptedRows) Next(to []driver.Value) error {
	if r.read {
		return io.EOF
	}
	r.read, r.routes = true, runtime.NumGoroutine()
	copy(to, r.row)
	return nil
}

// rowOf is a row as drivers give one: PostgreSQL's with texts and numbers, and the same all in bytes.
func rowOf(data []byte) []driver.Value {
	return []driver.Value{"a", "ada", int64(0), "", int64(7), int64(1), int64(2), nil, int64(4), "192.0.2.1", "agent",
		int64(1), data}
}

func bytesOf(data []byte) []driver.Value {
	var row []driver.Value
	for _, text := range []string{"a", "ada", "0", "", "7", "1", "2", "", "4", "192.0.2.1", "agent", "1"} {
		row = append(row, []byte(text))
	}
	row[7] = nil
	return append(row, data)
}

func scriptedStore(t *testing.T, s *scripted) *sqlstore.Store {
	t.Helper()
	if s.ask == nil {
		s.ask = func(context.Context) error { return nil }
	}
	if s.wrap == nil {
		s.wrap = func(c scriptedConn) driver.Conn { return direct{c} }
	}
	db := sql.OpenDB(s)
	t.Cleanup(func() { db.Close() })
	store, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.PostgreSQL})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestALoadReadsTheRowThroughEachKindOfDriver(t *testing.T) {
	for name, wrap := range map[string]func(scriptedConn) driver.Conn{
		"that runs text":     func(c scriptedConn) driver.Conn { return direct{c} },
		"that skips text":    func(c scriptedConn) driver.Conn { return skips{c} },
		"that only prepares": func(c scriptedConn) driver.Conn { return c },
	} {
		for _, row := range []func([]byte) []driver.Value{rowOf, bytesOf} {
			data := []byte("data")
			rec, err := scriptedStore(t, &scripted{row: row(data), wrap: wrap}).Load(t.Context(), "a")
			if err != nil {
				t.Fatalf("a driver %s: %v", name, err)
			}
			copy(data, "gone") // it belongs to the driver
			if rec.ID != "a" || rec.User != "ada" || rec.Version != 7 || !rec.SeenAt.Equal(time.UnixMicro(2)) ||
				!rec.LoginAt.IsZero() || rec.UserAgent != "agent" || !rec.Persistent || string(rec.Data) != "data" {
				t.Errorf("a driver %s: %+v with %q", name, *rec, rec.Data)
			}
		}
	}
}

// The driver watches the context of a request by itself. What database/sql starts for it takes longer than the read.
func TestALoadWithADeadlineStartsNoGoroutine(t *testing.T) {
	s := &scripted{row: rowOf(nil)}
	store := scriptedStore(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if _, err := store.Load(ctx, "a"); err != nil { // the pool has its own by then
		t.Fatal(err)
	}
	alone(t, func() (before, during int) {
		before = runtime.NumGoroutine()
		if _, err := store.Load(ctx, "a"); err != nil {
			t.Fatal(err)
		}
		return before, s.routes
	})
}

// alone fails the test if there are more goroutines during each of a few calls than before. Those of others, such as
// what a collection of garbage runs, come and go.
func alone(t *testing.T, call func() (before, during int)) {
	t.Helper()
	var before, during int
	for range 20 {
		if before, during = call(); during <= before {
			return
		}
	}
	t.Errorf("%d goroutines during the call, %d before", during, before)
}

func TestALoadGivesUpAServerThatHangs(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	store := scriptedStore(t, &scripted{ask: func(ctx context.Context) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	}})
	if _, err := store.Load(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("Load = %v, want the error of the context", err)
	}
}

// writes are the calls that change a record.
func writes(store *sqlstore.Store) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"create":  func(ctx context.Context) error { return store.Save(ctx, &session.Record{ID: "a"}) },
		"replace": func(ctx context.Context) error { return store.Save(ctx, &session.Record{ID: "a", Version: 1}) },
		"touch":   func(ctx context.Context) error { return store.Touch(ctx, "a", 1, time.UnixMicro(1), time.Time{}) },
		"delete":  func(ctx context.Context) error { return store.Delete(ctx, "a") },
	}
}

func TestAWriteGivesUpAServerThatHangs(t *testing.T) {
	s := &scripted{}
	for name, write := range writes(scriptedStore(t, s)) {
		ctx, cancel := context.WithCancel(t.Context())
		s.ask = func(ctx context.Context) error {
			cancel()
			<-ctx.Done()
			return ctx.Err()
		}
		if err := write(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s = %v, want the error of the context", name, err)
		}
	}
}

func TestAWriteWithADeadlineStartsNoGoroutine(t *testing.T) {
	s := &scripted{}
	store := scriptedStore(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if err := store.Delete(ctx, "a"); err != nil { // the pool has its own by then
		t.Fatal(err)
	}
	for name, write := range writes(store) {
		alone(t, func() (before, during int) {
			before = runtime.NumGoroutine()
			s.ask = func(context.Context) error { during = runtime.NumGoroutine(); return nil }
			if err := write(ctx); err != nil {
				t.Fatalf("%s = %v", name, err)
			}
			return before, during
		})
	}
}

func TestALoadRefusesARowThatIsNoRecord(t *testing.T) {
	for want, change := range map[string]func(row []driver.Value) []driver.Value{
		"column":       func(row []driver.Value) []driver.Value { return row[:12] },
		"out of range": func(row []driver.Value) []driver.Value { row[4] = int64(-1); return row },
		"string":       func(row []driver.Value) []driver.Value { row[1] = nil; return row },
		"[]uint8":      func(row []driver.Value) []driver.Value { row[12] = int64(1); return row },
	} {
		store := scriptedStore(t, &scripted{row: change(rowOf(nil))})
		if rec, err := store.Load(t.Context(), "a"); rec != nil || err == nil || !strings.Contains(err.Error(), want) ||
			errors.Is(err, session.ErrNotFound) {
			t.Errorf("Load = %v, %v, want an error that says %q", rec, err, want)
		}
	}
}

// starting is a server that lets nobody in yet.
type starting struct{ unreachable }

func (s *starting) Connect(context.Context) (driver.Conn, error) {
	s.asked++
	return nil, state("57P03")
}

func TestAServerThatLetsNobodyInIsAskedOnce(t *testing.T) {
	s := &starting{}
	store, err := sqlstore.New(sql.OpenDB(s), sqlstore.Options{Dialect: sqlstore.PostgreSQL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Load(t.Context(), "a"); !errors.Is(err, state("57P03")) || s.asked != 1 {
		t.Errorf("Load = %v after %d attempts, want the error of the first", err, s.asked)
	}
}
