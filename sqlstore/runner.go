package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
)

// runner is a statement that can be run. A *sql.Stmt is one.
type runner interface {
	ExecContext(ctx context.Context, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, args ...any) (*sql.Rows, error)
}

// connection is a *sql.DB or *sql.Conn.
type connection interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// text is a statement that nobody here prepares.
type text struct {
	on    connection
	query string
	bytes bool // a text goes as bytes, of no character set
}

func (t text) ExecContext(ctx context.Context, args ...any) (sql.Result, error) {
	return t.on.ExecContext(ctx, t.query, t.parameters(args)...)
}

func (t text) QueryContext(ctx context.Context, args ...any) (*sql.Rows, error) {
	return t.on.QueryContext(ctx, t.query, t.parameters(args)...)
}

func (t text) parameters(args []any) []any {
	if !t.bytes {
		return args
	}
	args = slices.Clone(args)
	for i, arg := range args {
		if s, ok := arg.(string); ok {
			args[i] = []byte(s)
		}
	}
	return args
}

// runner returns the statement, prepared unless the driver sees to that or puts the parameters into the text.
func (s *Store) runner(ctx context.Context, st *statement) (runner, error) {
	asText, err := s.asText(ctx, st)
	if err != nil {
		return nil, err
	}
	if asText {
		return s.text(s.db, st), nil
	}
	return st.prepare(ctx, s.db)
}

// asText reports whether the statement goes to the driver as text.
func (s *Store) asText(ctx context.Context, st *statement) (bool, error) {
	if st.closed.Load() {
		return false, errClosed
	}
	if s.dialect.probe == "" {
		return s.dialect.driverPrepares, nil
	}
	known, err := s.settings(ctx)
	return err == nil && known.interpolate, err
}

func (s *Store) text(on connection, st *statement) text {
	return text{on, st.text, s.dialect.probe != ""}
}

// settings are what a server and its driver say of all connections.
type settings struct {
	interpolate bool // parameters are put into the text of a statement, and the server reads them as they are
	packet      int  // how many bytes the server takes at once
}

// settings asks once.
func (s *Store) settings(ctx context.Context) (*settings, error) {
	if known := s.asked.Load(); known != nil {
		return known, nil
	}
	conn, err := s.conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	said, err := s.dialect.suits(ctx, conn)
	if err == nil && said.interpolate {
		said.interpolate, err = putsIntoText(ctx, conn, s.dialect.probe)
	}
	if err != nil {
		return nil, err
	}
	s.asked.Store(&said)
	return &said, nil
}

// putsIntoText asks the driver. One that does not says so before it asks the server.
func putsIntoText(ctx context.Context, conn *sql.Conn, probe string) (bool, error) {
	err := conn.Raw(func(c any) error {
		e, ok := c.(driver.ExecerContext)
		if !ok {
			return driver.ErrSkip
		}
		_, err := e.ExecContext(ctx, probe, []driver.NamedValue{{Ordinal: 1, Value: int64(0)}})
		return err
	})
	if errors.Is(err, driver.ErrSkip) {
		return false, nil
	}
	return err == nil, err
}

// on returns the statement on a connection, and what closes it there.
func (s *Store) on(ctx context.Context, conn *sql.Conn, st *statement, asText bool) (runner, func(), error) {
	if asText {
		return s.text(conn, st), func() {}, nil
	}
	stmt, err := conn.PrepareContext(ctx, st.text)
	if err != nil {
		return nil, nil, err
	}
	return stmt, func() { _ = stmt.Close() }, nil
}
