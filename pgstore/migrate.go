package pgstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/coatcheck/session/internal/sqltable"
)

// Migrate makes the table, or brings one that an older release made up to date. If the table is up to date, it only
// reads; it leaves a table that a newer release made as it is. Any number of processes may call it at once.
func (s *Store) Migrate(ctx context.Context) error {
	return s.change(ctx, "migrate", func(conn *pgxpool.Conn) error {
		steps := s.steps("up")
		at, err := s.version(ctx, conn)
		if err != nil || at >= len(steps) {
			return err
		}
		if err := fit(ctx, conn); err != nil {
			return err
		}
		return alone(ctx, conn, func(tx pgx.Tx) error {
			// Another process may have been quicker.
			at, err := s.version(ctx, tx)
			for _, step := range steps[min(at, len(steps)):] {
				if err == nil {
					_, err = tx.Exec(ctx, step)
				}
			}
			return err
		})
	})
}

// SchemaVersion returns the last step of the schema that the table has, which is 0 if there is no table, and the last
// step that this release knows.
func (s *Store) SchemaVersion(ctx context.Context) (at, known int, err error) {
	err = s.change(ctx, "read the schema's version", func(conn *pgxpool.Conn) (err error) {
		at, err = s.version(ctx, conn)
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	return at, len(s.steps("up")), nil
}

// Rollback takes back the last step of the schema, and says whether there was one. If it was the first, the table is
// gone, and every session with it. Any number of processes may call it at once: each takes back one step at most, and
// none takes back a step twice.
func (s *Store) Rollback(ctx context.Context) (done bool, err error) {
	err = s.change(ctx, "roll back", func(conn *pgxpool.Conn) (err error) {
		done, err = s.rollback(ctx, conn)
		return err
	})
	return done && err == nil, err
}

func (s *Store) rollback(ctx context.Context, conn *pgxpool.Conn) (done bool, err error) {
	steps := s.steps("down")
	before, err := s.version(ctx, conn)
	switch {
	case err != nil || before == 0:
		return false, err
	case before > len(steps):
		return false, fmt.Errorf("a newer release made the table, with step %d of its schema; roll back with that "+
			"release", before)
	}
	err = alone(ctx, conn, func(tx pgx.Tx) error {
		at, err := s.version(ctx, tx)
		if err != nil || at != before {
			return err
		}
		done = true
		_, err = tx.Exec(ctx, steps[at-1])
		return err
	})
	return done, err
}

func (s *Store) steps(direction string) []string {
	return sqltable.Steps("postgresql", s.table, direction)
}

// change runs something on a connection, and says what it was when it fails.
func (s *Store) change(ctx context.Context, what string, do func(*pgxpool.Conn) error) error {
	if err := s.on(ctx, pgconn.SafeToRetry, do); err != nil {
		return fmt.Errorf("pgstore: %s: %w", what, sqltable.Advise(sqltable.PostgreSQLAdvice, err))
	}
	return nil
}

// alone runs fn in a transaction that lets one process in at a time.
func alone(ctx context.Context, conn *pgxpool.Conn, fn func(pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{BeginQuery: sqltable.SchemaBegin}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqltable.SchemaLock); err != nil {
			return err
		}
		return fn(tx)
	})
}

// fit says why the database cannot hold sessions.
func fit(ctx context.Context, conn *pgxpool.Conn) error {
	var reason string
	err := conn.QueryRow(ctx, sqltable.Unfit).Scan(&reason)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err == nil:
		return fmt.Errorf("the database cannot hold sessions: %s", reason)
	}
	return err
}

type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// version is 0 when there is no table. The table is looked for first: it is committed together with its version, so a
// table without one was there before us, and is somebody else's, unless a rollback has just removed both.
func (s *Store) version(ctx context.Context, q querier) (int, error) {
	there, err := s.hasTable(ctx, q)
	if err != nil || !there {
		return 0, err
	}
	var n int
	err = q.QueryRow(ctx, s.texts[sqltable.Version]).Scan(&n)
	if err == nil || !errors.Is(err, pgx.ErrNoRows) && !sqltable.Missing(err) {
		return n, err
	}
	if there, err = s.hasTable(ctx, q); err == nil && there {
		err = sqltable.Unrecorded("postgresql", s.table, `"`+s.table+`"`, func(query string) error {
			_, err := findsNothing(ctx, q, query)
			return err
		}, sqltable.NoColumn)
	}
	return 0, err
}

func (s *Store) hasTable(ctx context.Context, q querier) (bool, error) {
	return findsNothing(ctx, q, s.texts[sqltable.Exists])
}

func findsNothing(ctx context.Context, q querier, query string) (bool, error) {
	var n int
	err := q.QueryRow(ctx, query).Scan(&n)
	if errors.Is(err, pgx.ErrNoRows) {
		return true, nil
	}
	return false, err
}
