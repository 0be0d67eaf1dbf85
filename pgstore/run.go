package pgstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/sqltable"
)

// mostConnections is how many broken connections a call gets over: when a server ends them all, each that waits in the
// pool is met once.
const mostConnections = 100

// on runs something on a connection, and again until nobody else is in the way. If it fails so that beginning again
// does no harm, as again says, it does so on another connection. That holds for a transaction of which something was
// sent and the COMMIT was not.
func (s *Store) on(ctx context.Context, again func(error) bool, do func(*pgxpool.Conn) error) error {
	return sqltable.Retry(ctx, sqltable.Busy, func() error {
		for broken := 0; ; broken++ {
			conn, err := s.acquire(ctx)
			if err != nil {
				return err // an outage
			}
			err = do(conn)
			conn.Release()
			if err == nil || ctx.Err() != nil || broken == mostConnections || !again(err) {
				return err
			}
		}
	})
}

// acquire takes a connection from the pool, and says so if all of them were in use for as long as there was time.
func (s *Store) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	conn, err := s.pool.Acquire(ctx)
	if err == nil || ctx.Err() == nil {
		return conn, err
	}
	if stat := s.pool.Stat(); stat.AcquiredConns() >= stat.MaxConns() {
		return nil, fmt.Errorf("none of the pool's %d connections became free: raise pool_max_conns, and let handlers "+
			"give theirs back before the session is loaded or saved: %w", stat.MaxConns(), err)
	}
	return conn, err
}

// read runs something that changes nothing.
func (s *Store) read(ctx context.Context, do func(*pgxpool.Conn) error) error {
	return s.on(ctx, unharmed, do)
}

func unharmed(err error) bool { return sqltable.Broken(err) || pgconn.SafeToRetry(err) }

// write runs a statement that writes, and returns how many rows it changed.
func (s *Store) write(ctx context.Context, op sqltable.Operation, args ...any) (changed int64, err error) {
	changed, err = s.run(ctx, op, args)
	if untold := op.Untold(); untold != op && sqltable.TellsNobody(err) {
		changed, err = s.run(ctx, untold, args)
	}
	return changed, s.explain(op, err)
}

func (s *Store) run(ctx context.Context, op sqltable.Operation, args []any) (changed int64, err error) {
	err = s.on(ctx, pgconn.SafeToRetry, func(conn *pgxpool.Conn) error {
		tag, err := conn.Exec(ctx, s.texts[op], args...)
		changed = tag.RowsAffected()
		return err
	})
	return changed, err
}

func (s *Store) loadOn(ctx context.Context, conn *pgxpool.Conn, id string) (*session.Record, error) {
	rows, err := conn.Query(ctx, s.texts[sqltable.Load], id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return nil, err
		}
		return nil, session.ErrNotFound
	}
	rec := new(session.Record)
	if err := scan(rows, rec, &rec.Data); err != nil {
		return nil, err
	}
	rows.Close()
	return rec, rows.Err()
}

// list runs a statement that lists records, and returns all of them or none.
func (s *Store) list(ctx context.Context, op sqltable.Operation, args ...any) (l sqltable.Listing, err error) {
	err = s.read(ctx, func(conn *pgxpool.Conn) error {
		rows, err := conn.Query(ctx, s.texts[op], args...)
		if err != nil {
			return err
		}
		l, err = scanAll(rows)
		return err
	})
	return l, s.explain(op, err)
}

func scanAll(rows pgx.Rows) (sqltable.Listing, error) {
	defer rows.Close()
	var l sqltable.Listing
	for rows.Next() {
		rec := new(session.Record)
		if err := l.Add(rec, scan(rows, rec)); err != nil {
			return sqltable.Listing{}, err
		}
	}
	if err := rows.Err(); err != nil {
		return sqltable.Listing{}, err
	}
	return l, nil
}

// explain says what was being done, and what to do about it where we know.
func (s *Store) explain(op sqltable.Operation, err error) error {
	if err == nil {
		return nil
	}
	if sqltable.Missing(err) {
		return fmt.Errorf("pgstore: %s: there is no table %q: call Store.Migrate, or run coatcheck db migrate: %w", op,
			s.table, err)
	}
	return fmt.Errorf("pgstore: %s: %w", op, sqltable.Advise(sqltable.PostgreSQLAdvice, err))
}
