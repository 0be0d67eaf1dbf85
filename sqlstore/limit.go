package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/sqltable"
)

// SaveWithin implements [session.Limiter]. In SQLite that is one INSERT, because one connection writes at a time. The
// other databases also take a lock for the user; the server keeps it, so all nodes share it. That is two more trips
// with PostgreSQL and four with MySQL, or three if its driver interpolates. A refusal costs one more SELECT.
func (s *Store) SaveWithin(ctx context.Context, rec *session.Record, limit session.Limit) error {
	if err := s.fits(ctx, rec); err != nil {
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
	if s.dialect.userLock == nil {
		n, err := s.exec(ctx, opAdmit, args...)
		return n > 0, err
	}
	var n int64
	err := sqltable.Retry(ctx, s.inTheWay(ctx), func() (err error) {
		n, err = s.insertLocked(ctx, sqltable.LockNumber(s.table, rec.User), args)
		return err
	})
	return n > 0, s.explain(opAdmit, err)
}

// inTheWay knows what a login waits for. Where it has no time of its own, it waits for the user's lock as well.
func (s *Store) inTheWay(ctx context.Context) func(error) bool {
	_, hasTime := ctx.Deadline()
	return func(err error) bool { return s.dialect.busy(err) || !hasTime && errors.Is(err, errLocked) }
}

// insertLocked runs the statement that admits on a connection that has the user's lock.
func (s *Store) insertLocked(ctx context.Context, number int64, args []any) (changed int64, err error) {
	err = s.apart(ctx, &s.statements[opAdmit], func(conn *sql.Conn, insert runner) error {
		return s.dialect.userLock.hold(ctx, conn, number, func() error {
			result, err := insert.ExecContext(ctx, args...)
			if err == nil {
				changed, err = result.RowsAffected()
			}
			return err
		})
	})
	return changed, err
}

// userLock is how a login has its user to itself on a connection, as statements in which {number} and {hex} are the
// lock's number. There is no sql.Tx: that of the driver for MySQL has no context when it commits or rolls back, and
// waits without end for a server that hangs.
type userLock struct {
	begin  string // "": no transaction is needed
	lock   string // a query that returns 1 when it has the lock; "": begin takes it
	stuck  string // what to do when it returns anything else for ever
	before string // what is to be inserted; "": nothing
	commit string // "": every statement commits by itself
	leave  string // after a statement that failed, and, where there is no commit, in any case
}

var errLocked = errors.New("another login of the user has not ended within three seconds")

// hold runs fn while the connection has the lock.
func (l *userLock) hold(ctx context.Context, conn *sql.Conn, number int64, fn func() error) error {
	texts := strings.NewReplacer("{number}", strconv.FormatInt(number, 10), "{hex}", strconv.FormatInt(number, 16))
	err := l.take(ctx, conn, texts)
	if err == nil {
		err = fn()
	}
	if err == nil {
		err = runIf(ctx, conn, l.commit)
	}
	if err != nil || l.commit == "" {
		leave(conn, texts.Replace(l.leave))
	}
	return err
}

func (l *userLock) take(ctx context.Context, conn *sql.Conn, texts *strings.Replacer) error {
	if err := runIf(ctx, conn, texts.Replace(l.begin)); err != nil {
		return err
	}
	if l.lock != "" {
		var got sql.NullInt64
		if err := conn.QueryRowContext(ctx, texts.Replace(l.lock)).Scan(&got); err != nil {
			return err
		}
		if got.Int64 != 1 {
			return fmt.Errorf("%w: %s", errLocked, texts.Replace(l.stuck))
		}
	}
	return runIf(ctx, conn, l.before)
}

func runIf(ctx context.Context, conn *sql.Conn, text string) error {
	if text == "" {
		return nil
	}
	_, err := conn.ExecContext(ctx, text)
	return err
}

// leave gives up a lock or a transaction. A connection that cannot do so must not be used again: they go with it.
func leave(conn *sql.Conn, text string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if _, err := conn.ExecContext(ctx, text); err != nil {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
}
