package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/coatcheck/session/internal/sqltable"
)

// Migrate makes the table, or brings one that an older release made up to date, or that an interrupted Migrate or
// Rollback left. If the table is up to date, it only reads; it leaves a table that a newer release made as it is. Any
// number of processes may call it at once.
func (s *Store) Migrate(ctx context.Context) error {
	err := s.retry(ctx, func() error { return s.migrate(ctx) })
	if err != nil {
		return fmt.Errorf("sqlstore: migrate: %w", s.advise(err))
	}
	return nil
}

// Schema returns the statements that make the table of opts, including the record of its version, and those that remove
// it: for projects that keep all their migrations in files. Once they were run, Migrate has nothing to do.
func Schema(opts Options) (up, down string, err error) {
	d, table, err := opts.resolve()
	if err != nil {
		return "", "", err
	}
	return strings.Join(d.steps(table, "up"), "\n"), d.steps(table, "down")[0], nil
}

func (s *Store) migrate(ctx context.Context) error {
	if err := s.suited(ctx); err != nil {
		return err
	}
	steps := s.dialect.steps(s.table, "up")
	at, err := s.reached(ctx, s.db)
	if err != nil || at >= len(steps) {
		return err
	}
	conn, err := s.conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if at == 0 {
		if err := s.setUp(ctx, conn); err != nil {
			return err
		}
	}
	return s.transact(ctx, conn, func() error { return s.takeSteps(ctx, conn, steps) })
}

// suited is the error of connections on which nothing works.
func (s *Store) suited(ctx context.Context) error {
	if s.dialect.suits == nil {
		return nil
	}
	_, err := s.settings(ctx)
	return err
}

// SchemaVersion returns the last step of the schema that the table has, which is 0 if there is no table, and the last
// step that this release knows. A step that an interrupted call has left unfinished does not count.
func (s *Store) SchemaVersion(ctx context.Context) (at, known int, err error) {
	at, err = s.version(ctx, s.reached)
	if err != nil {
		return 0, 0, err
	}
	return at, len(s.dialect.steps(s.table, "up")), nil
}

// version is what look finds, which is schemaVersion or reached.
func (s *Store) version(ctx context.Context, look func(context.Context, querier) (int, error)) (at int, err error) {
	err = s.retry(ctx, func() (err error) {
		at, err = look(ctx, s.db)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("sqlstore: read the schema's version: %w", s.advise(err))
	}
	return at, nil
}

// Rollback takes back the last step of the schema, and says whether there was one. If it was the first, the table is
// gone, and every session with it. Any number of processes may call it at once: each takes back one step at most, and
// none takes back a step twice. On MySQL, which has no transactions for this, the next Rollback finishes one that was
// interrupted, and takes no step more; Migrate takes the step again.
func (s *Store) Rollback(ctx context.Context) (bool, error) {
	if err := s.suited(ctx); err != nil {
		return false, fmt.Errorf("sqlstore: roll back: %w", err)
	}
	before, err := s.version(ctx, s.schemaVersion)
	switch {
	case err != nil || before == 0:
		return false, err
	case before > len(s.dialect.steps(s.table, "down")):
		return false, fmt.Errorf("sqlstore: roll back: a newer release made the table, with step %d of its schema; "+
			"roll back with that release", before)
	}
	var done bool
	err = s.retry(ctx, func() error {
		took, err := s.rollback(ctx, before)
		done = done || took
		return err
	})
	if err != nil {
		return false, fmt.Errorf("sqlstore: roll back: %w", s.advise(err))
	}
	return done, nil
}

// rollback takes back the step that was the last before the first attempt, and not another one in a second attempt. It
// says whether anything is done, which it may be together with an error where no transaction holds a step together.
func (s *Store) rollback(ctx context.Context, before int) (bool, error) {
	steps := s.dialect.steps(s.table, "down")
	conn, err := s.conn(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	done := false
	err = s.transact(ctx, conn, func() error {
		at, err := s.schemaVersion(ctx, conn)
		if err != nil || at != before {
			return err
		}
		for _, text := range split(steps[at-1]) {
			if _, err := conn.ExecContext(ctx, text); err != nil {
				return err
			}
			done = true
		}
		return nil
	})
	return done && (err == nil || s.dialect.begin == ""), err
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// schemaVersion is 0 when there is no table. The table is looked for first: it is committed together with its version,
// so a table without one was there before us, and is somebody else's, unless a rollback has just removed both.
func (s *Store) schemaVersion(ctx context.Context, q querier) (int, error) {
	there, err := s.hasTable(ctx, q)
	if err != nil || !there {
		return 0, err
	}
	var n int
	err = q.QueryRowContext(ctx, s.statements[opVersion].text).Scan(&n)
	if err == nil || !errors.Is(err, sql.ErrNoRows) && !s.dialect.missing(err) {
		return n, err
	}
	if there, err = s.hasTable(ctx, q); err == nil && there {
		quoted := sqltable.Text(s.dialect.quoted, s.table, false)
		err = sqltable.Unrecorded(s.dialect.name, s.table, quoted,
			func(query string) error { return runEmpty(ctx, q, query) }, s.dialect.noColumn)
	}
	return 0, err
}

// reached is the last step that the table has whole. Where no transaction holds a step together, a rollback that ended
// early has left its step written down.
func (s *Store) reached(ctx context.Context, q querier) (int, error) {
	at, err := s.schemaVersion(ctx, q)
	if err != nil || s.dialect.newest == "" || at != len(s.dialect.steps(s.table, "up")) {
		return at, err
	}
	err = runEmpty(ctx, q, sqltable.Text(s.dialect.newest, s.table, false))
	if err != nil && s.dialect.noColumn(err) {
		return at - 1, nil
	}
	return at, err
}

// errRow says that a query found a row where none is expected.
var errRow = errors.New("there is a row")

func (s *Store) hasTable(ctx context.Context, q querier) (bool, error) {
	err := runEmpty(ctx, q, s.statements[opExists].text)
	if err != nil && (errors.Is(err, errRow) || s.dialect.missing(err)) {
		return false, nil
	}
	return err == nil, err
}

// runEmpty runs a query that finds no row.
func runEmpty(ctx context.Context, q querier, query string) error {
	var first any
	switch err := q.QueryRowContext(ctx, query).Scan(&first); {
	case err == nil:
		return errRow
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	return nil
}

func (s *Store) setUp(ctx context.Context, conn *sql.Conn) error {
	var reason string
	err := conn.QueryRowContext(ctx, s.dialect.unfit).Scan(&reason)
	if err == nil {
		return fmt.Errorf("the database cannot hold sessions: %s", reason)
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return run(ctx, conn, s.dialect.setup)
}

// transact runs fn in a transaction that lets one process in at a time. The connection is not given back in the middle
// of one, whatever happens.
func (s *Store) transact(ctx context.Context, conn *sql.Conn, fn func() error) error {
	err := runIf(ctx, conn, s.dialect.begin) // it may be done when its context has ended
	if err != nil && s.dialect.busy(err) {
		return err // somebody else was in the way, so it is not
	}
	if err == nil {
		err = s.lock(ctx, conn)
	}
	if err == nil {
		err = fn()
	}
	if err == nil {
		_, err = conn.ExecContext(ctx, s.dialect.commit)
	}
	if err == nil {
		return nil
	}
	leave(conn, s.dialect.rollback)
	return err
}

// lock waits until no other process is at it.
func (s *Store) lock(ctx context.Context, conn *sql.Conn) error {
	if s.dialect.lock == "" {
		return nil
	}
	var got int
	if err := conn.QueryRowContext(ctx, s.dialect.lock).Scan(&got); err != nil {
		return err
	}
	if got != 1 {
		return errors.New("another process has been changing the schema for a minute: try again")
	}
	return nil
}

// takeSteps asks for the version again: another process may have been quicker.
func (s *Store) takeSteps(ctx context.Context, conn *sql.Conn, steps []string) error {
	at, err := s.reached(ctx, conn)
	if err != nil {
		return err
	}
	for _, step := range steps[min(at, len(steps)):] {
		if err := run(ctx, conn, split(step)); err != nil {
			return err
		}
	}
	return nil
}

// split parts a file of schema/, for drivers that take one statement at a time.
func split(script string) []string {
	return strings.SplitAfter(strings.TrimSpace(script), ";\n")
}

func run(ctx context.Context, conn *sql.Conn, statements []string) error {
	for _, text := range statements {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}
