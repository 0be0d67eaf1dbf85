package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/sqltable"
)

// SaveWithin implements [session.Limiter]. In SQLite that is one INSERT, because one connection writes at a time. The
// other databases also take a lock for the user in a transaction; the server keeps it, so all nodes share it. That is
// three more trips with PostgreSQL and five with MySQL. A refusal costs one more SELECT.
func (s *Store) SaveWithin(ctx context.Context, rec *session.Record, limit session.Limit) error {
	if err := s.fits(rec); err != nil {
		return err
	}
	if rec.Version != 0 {
		return fmt.Errorf("sqlstore: save: SaveWithin creates records, with version 0, and this one has version %d: "+
			"use Save", rec.Version)
	}
	admitted, err := s.admit(ctx, rec, limit)
	if err != nil && s.dialect.taken(err) {
		return errTaken
	}
	if err != nil || admitted {
		return err
	}
	switch _, err := s.find(ctx, opAdmit, rec.ID); {
	case err == nil || errors.Is(err, session.ErrCorrupt):
		return errTaken
	case !errors.Is(err, session.ErrNotFound):
		return err
	}
	return s.explain(opAdmit, session.ErrTooMany)
}

func (s *Store) admit(ctx context.Context, rec *session.Record, limit session.Limit) (bool, error) {
	args := append(append(sqltable.Values(rec), sqltable.CountedArgs(rec.User, limit)...), limit.Max)
	if s.dialect.lockUser == "" {
		n, err := s.exec(ctx, opAdmit, args...)
		return n > 0, err
	}
	var n int64
	err := s.retry(ctx, func() (err error) {
		n, err = s.insertLocked(ctx, sqltable.LockNumber(s.table, rec.User), args)
		return err
	})
	return n > 0, s.explain(opAdmit, err)
}

var errLocked = errors.New("another login of the user takes too long")

// insertLocked runs the statement that admits while this connection has the lock.
func (s *Store) insertLocked(ctx context.Context, number int64, args []any) (changed int64, err error) {
	lock, err := s.runner(ctx, &s.userLock)
	if err != nil {
		return 0, err
	}
	insert, err := s.runner(ctx, &s.statements[opAdmit])
	if err != nil {
		return 0, err
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{Isolation: s.dialect.isolation})
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }()
	if s.dialect.unlockUser != "" {
		defer s.unlock(conn, tx, fmt.Sprintf(s.dialect.unlockUser, number))
	}
	if err := take(ctx, inside(ctx, tx, lock), number); err != nil {
		return 0, err
	}
	result, err := inside(ctx, tx, insert).ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	if changed, err = result.RowsAffected(); err != nil {
		return 0, err
	}
	return changed, tx.Commit()
}

// take waits for the lock with the number.
func take(ctx context.Context, lock runner, number int64) error {
	var got sql.NullInt64
	err := read(ctx, lock, []any{number}, func(rows *sql.Rows) error { return scanRow(rows, []any{&got}) })
	if err == nil && got.Int64 != 1 {
		err = errLocked
	}
	return err
}

// unlock gives a lock back that does not end with the transaction, when that is over. A connection that cannot do so
// must not be used again: the lock goes with it.
func (s *Store) unlock(conn *sql.Conn, tx *sql.Tx, text string) {
	_ = tx.Rollback()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if _, err := conn.ExecContext(ctx, text); err != nil {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
}
