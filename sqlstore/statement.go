package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/coatcheck/session/internal/sqltable"
)

var errClosed = errors.New("the store is closed")

// statement is prepared when it is first needed, because New does no I/O. From then on database/sql prepares it once on
// each connection that runs it.
type statement struct {
	text   string
	stmt   atomic.Pointer[sql.Stmt]
	closed atomic.Bool
}

// prepare holds no lock while it waits for a connection, so that nobody waits beyond their own context. When two come
// first, one of them has prepared in vain.
func (s *statement) prepare(ctx context.Context, db *sql.DB) (*sql.Stmt, error) {
	if s.closed.Load() {
		return nil, errClosed
	}
	if stmt := s.stmt.Load(); stmt != nil {
		return stmt, nil
	}
	stmt, err := db.PrepareContext(ctx, s.text)
	if err != nil {
		return nil, noneFree(err)
	}
	if !s.stmt.CompareAndSwap(nil, stmt) {
		_ = stmt.Close()
		return s.prepare(ctx, db)
	}
	if s.closed.Load() { // by a Close that may have come too early to see stmt
		return nil, errors.Join(errClosed, s.close())
	}
	return stmt, nil
}

func (s *statement) close() error {
	s.closed.Store(true)
	if stmt := s.stmt.Swap(nil); stmt != nil {
		return stmt.Close()
	}
	return nil
}

// exec runs a statement that writes, and returns how many rows it changed. To end a session needs no room: one that
// finds none makes some and tries again. What may need more room does not, because it would take that away.
func (s *Store) exec(ctx context.Context, op operation, args ...any) (changed int64, err error) {
	if err := s.writing.enter(ctx); err != nil {
		return 0, s.explain(op, err)
	}
	defer s.writing.leave()
	changed, err = s.write(ctx, op, args)
	if untold := op.Untold(); untold != op && sqltable.TellsNobody(err) {
		changed, err = s.write(ctx, untold, args)
	}
	if err != nil && op.Frees() && s.dialect.full != nil && s.dialect.full(err) {
		if _, failed := s.db.ExecContext(ctx, s.dialect.makeRoom); failed == nil {
			changed, err = s.write(ctx, op, args)
		}
	}
	return changed, s.explain(op, err)
}

func (s *Store) write(ctx context.Context, op operation, args []any) (changed int64, err error) {
	err = s.retry(ctx, func() error {
		run, err := s.runner(ctx, &s.statements[op])
		if err != nil {
			return err
		}
		ctx, args := s.once(ctx, op, args)
		result, err := run.ExecContext(ctx, args...)
		if err != nil {
			return noneFree(err)
		}
		changed, err = result.RowsAffected()
		return err
	})
	return changed, err
}

// query runs a statement that reads, and has scan read the rows. Where the connection broke, it begins again on another
// one: when a server ends them all, each that waits in the pool is met once.
func (s *Store) query(ctx context.Context, op operation, args []any, scan func(*sql.Rows) error) error {
	st := &s.statements[op]
	err := s.retry(ctx, func() error {
		run, err := s.runner(ctx, st)
		if err != nil {
			return err
		}
		ctx, args := s.once(ctx, op, args)
		return read(ctx, run, args, scan)
	})
	return s.pastBroken(ctx, err, func() error {
		return s.apart(ctx, st, func(_ *sql.Conn, run runner) error { return read(ctx, run, args, scan) })
	})
}

// apart gives fn a connection of its own, and the statement on it. It asks the pool itself, where database/sql gives up
// after three connections that are broken.
func (s *Store) apart(ctx context.Context, st *statement, fn func(*sql.Conn, runner) error) error {
	asText, err := s.asText(ctx, st)
	if err != nil {
		return err
	}
	conn, err := s.conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	run, done, err := s.on(ctx, conn, st, asText)
	if err != nil {
		return err
	}
	defer done()
	return fn(conn, run)
}

// pastBroken tries again while the connection was a broken one.
func (s *Store) pastBroken(ctx context.Context, err error, again func() error) error {
	var none noConnection
	for range mostConnections {
		if err == nil || ctx.Err() != nil || errors.As(err, &none) || !s.dialect.broken(err) {
			break
		}
		err = again()
	}
	return err
}

// mostConnections is how many broken connections a read gets over. A pool of the driver's own does not say how many it
// has.
const mostConnections = 100

func read(ctx context.Context, run runner, args []any, scan func(*sql.Rows) error) error {
	rows, err := run.QueryContext(ctx, args...)
	if err != nil {
		return noneFree(err)
	}
	defer rows.Close()
	return scan(rows)
}

// scanRow reads the only row into the targets. Its error is sql.ErrNoRows when there is none.
func scanRow(rows *sql.Rows, targets []any) error {
	if !rows.Next() {
		return cmp.Or(rows.Err(), sql.ErrNoRows)
	}
	if err := rows.Scan(targets...); err != nil {
		return err
	}
	return rows.Close()
}

// retry tries until somebody else is no longer in the way, or the context ends.
func (s *Store) retry(ctx context.Context, try func() error) error {
	return sqltable.Retry(ctx, s.dialect.busy, try)
}

// explain says what was being done, and what to do about it where we know.
func (s *Store) explain(op operation, err error) error {
	if err == nil {
		return nil
	}
	if s.dialect.missing(err) {
		return fmt.Errorf("sqlstore: %s: there is no table %q: call Store.Migrate, or run coatcheck db migrate: %w", op,
			s.table, err)
	}
	return fmt.Errorf("sqlstore: %s: %w", op, s.advise(err))
}

// advise puts before an error what to do about it. Whoever waited for a connection in vain is told so, as far as that
// can be seen afterwards: a server that hangs keeps connections in use as well.
func (s *Store) advise(err error) error {
	pool := s.db.Stats()
	var none noConnection
	if errors.As(err, &none) && inVain(none.err) &&
		0 < pool.MaxOpenConnections && pool.MaxOpenConnections <= pool.InUse {
		return fmt.Errorf("all %d connections are in use: unless the server hangs, raise SetMaxOpenConns, and let "+
			"handlers give theirs back before the session is loaded or saved: %w", pool.InUse, err)
	}
	return sqltable.Advise(s.dialect.advice, err)
}

// gate lets one at a time through, in the order of arrival. A nil gate is open.
type gate chan struct{}

func newGate() gate { return make(gate, 1) }

func (g gate) enter(ctx context.Context) error {
	if g == nil {
		return nil
	}
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the writes before this one have not ended: "+adviceCommit+": %w", ctx.Err())
	}
}

func (g gate) leave() {
	if g != nil {
		<-g
	}
}
