package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// errIndirect says that a statement has to go through database/sql: it is to be prepared, or the driver does not run
// text.
var errIndirect = errors.New("the driver does not run text")

// readRow reads the only row of a statement with one text as its parameter. It asks the driver itself where it can, for
// database/sql starts a goroutine for each query whose context may end, and drivers watch it by themselves. The error
// is sql.ErrNoRows when there is none.
//
// Statements that have to be prepared go through database/sql, which alone hears of it when it closes a connection, and
// closes the statements there. Some connections of SQLite stay open until their last statement is closed.
func (s *Store) readRow(ctx context.Context, op operation, arg string, targets []any) error {
	try := func() error { return s.tryRow(ctx, op, arg, targets) }
	err := s.pastBroken(ctx, s.retry(ctx, try), try)
	if errors.Is(err, errIndirect) {
		return s.query(ctx, op, []any{arg}, func(rows *sql.Rows) error { return scanRow(rows, targets) })
	}
	return err
}

// noConnection is an outage, not a connection that broke.
type noConnection struct{ err error }

func (n noConnection) Error() string { return n.err.Error() }
func (n noConnection) Unwrap() error { return n.err }

func (s *Store) conn(ctx context.Context) (*sql.Conn, error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, noConnection{err}
	}
	return conn, nil
}

// noneFree marks the end of a wait for a connection.
func noneFree(err error) error {
	if inVain(err) {
		return noConnection{err}
	}
	return err
}

// inVain reports whether database/sql gave up waiting for a connection: it returns the error of the context as it is.
// So do some drivers when the server does not answer, but not pgx.
func inVain(err error) bool {
	return err == context.DeadlineExceeded //nolint:errorlint // one that is wrapped has another cause
}

func (s *Store) tryRow(ctx context.Context, op operation, arg string, targets []any) error {
	st := &s.statements[op]
	asText, err := s.asText(ctx, st)
	if err != nil {
		return err
	}
	if !asText {
		return errIndirect
	}
	conn, err := s.conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return conn.Raw(func(c any) error {
		q, ok := c.(driver.QueryerContext)
		if !ok {
			return errIndirect
		}
		rows, err := q.QueryContext(ctx, st.text, s.named(arg))
		if errors.Is(err, driver.ErrSkip) {
			return errIndirect
		}
		if err != nil {
			return err
		}
		return errors.Join(rawRow(rows, targets), rows.Close())
	})
}

// named is the parameter as the driver wants it.
func (s *Store) named(arg string) []driver.NamedValue {
	if s.dialect.probe != "" {
		return []driver.NamedValue{{Ordinal: 1, Value: []byte(arg)}}
	}
	return []driver.NamedValue{{Ordinal: 1, Value: arg}}
}

// rawRow reads a row into the targets.
func rawRow(rows driver.Rows, targets []any) error {
	values := make([]driver.Value, len(rows.Columns()))
	switch err := rows.Next(values); {
	case errors.Is(err, io.EOF):
		return sql.ErrNoRows
	case err != nil:
		return err
	case len(values) != len(targets):
		return fmt.Errorf("%d columns where there must be %d", len(values), len(targets))
	}
	for i, value := range values {
		if err := assign(targets[i], value); err != nil {
			return fmt.Errorf("column %s: %w", rows.Columns()[i], err)
		}
	}
	return nil
}

// assign sets a target of a row. What the driver gave belongs to it.
func assign(target any, value driver.Value) error {
	switch to := target.(type) {
	case sql.Scanner:
		return to.Scan(value)
	case *string:
		switch from := value.(type) {
		case string:
			*to = from
			return nil
		case []byte:
			*to = string(from)
			return nil
		}
	case *[]byte:
		switch from := value.(type) {
		case string:
			*to = []byte(from)
			return nil
		case []byte:
			*to = bytes.Clone(from)
			return nil
		}
	}
	return fmt.Errorf("%T where there must be %T", value, target)
}
