package pgstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/sqltable"
)

var (
	_ session.Store   = (*Store)(nil)
	_ session.Toucher = (*Store)(nil)
	_ session.Sweeper = (*Store)(nil)
	_ session.Lister  = (*Store)(nil)
	_ session.Limiter = (*Store)(nil)
	_ session.Watcher = (*Store)(nil)

	_ Pool = (*pgxpool.Pool)(nil)
)

// Pool is what the store needs of a [pgxpool.Pool].
type Pool interface {
	Acquire(ctx context.Context) (*pgxpool.Conn, error)
	Stat() *pgxpool.Stat
}

// Options say which table. The zero value is good.
type Options struct {
	// Table is the name of the table of sessions: a letter or underscore, then at most 62 letters, digits and
	// underscores. If the database has several schemas, the connection decides where to look for it. "": "sessions".
	Table string

	// NoNotify keeps the end of a session from being announced by NOTIFY, and the manager asks at an interval instead.
	// Set it on every node or on none. It is for databases with thousands of logins and logouts a second, because
	// PostgreSQL commits transactions that notify one after the other.
	NoNotify bool
}

// Store is a session store in a table. It is safe for concurrent use. Make one with [New]. There is nothing to close.
type Store struct {
	pool   Pool
	table  string
	texts  [sqltable.Operations]string
	silent bool
}

// New returns a store of the sessions in a table. It does no I/O: the first call that needs the database reports if it
// cannot be reached or has no such table. The caller owns the pool, and closes it when the manager is closed.
func New(pool Pool, opts Options) (*Store, error) {
	if p, is := pool.(*pgxpool.Pool); pool == nil || is && p == nil {
		return nil, errors.New("pgstore: the pool is nil")
	}
	table, err := sqltable.Table(opts.Table, sqltable.Reserved)
	if err != nil {
		return nil, fmt.Errorf("pgstore: %w", err)
	}
	s := &Store{pool: pool, table: table, silent: opts.NoNotify}
	for op, text := range sqltable.PostgreSQL {
		s.texts[op] = sqltable.Text(text, table, true)
	}
	return s, nil
}

// Load implements [session.Store] with one SELECT.
func (s *Store) Load(ctx context.Context, id string) (*session.Record, error) {
	return s.find(ctx, sqltable.Load, id)
}

// find loads a record in order to do something.
func (s *Store) find(ctx context.Context, doing sqltable.Operation, id string) (*session.Record, error) {
	var rec *session.Record
	err := s.read(ctx, func(conn *pgxpool.Conn) (err error) {
		rec, err = s.loadOn(ctx, conn, id)
		return err
	})
	if err != nil {
		return nil, s.explain(doing, err)
	}
	return rec, nil
}

// Save implements [session.Store] with one INSERT or UPDATE, and one more SELECT if a record cannot be replaced: the
// error is then a [session.ConflictError] that holds the newest record, or wraps [session.ErrNotFound].
func (s *Store) Save(ctx context.Context, rec *session.Record) error {
	if rec.ID == "" {
		return errEmptyID
	}
	if rec.Version == 0 {
		return s.create(ctx, rec)
	}
	replace := sqltable.Replace
	if rec.Kind != session.KindLive && !s.silent {
		replace = sqltable.Retire
	}
	for {
		changed, err := s.write(ctx, replace, append(sqltable.Values(rec), int64(rec.Version))...)
		if err != nil || changed > 0 {
			return err
		}
		newest, err := s.find(ctx, sqltable.Replace, rec.ID)
		if err != nil {
			return err
		}
		// The version that was missing may have come between the two statements: then there is no conflict.
		if newest.Version != rec.Version {
			return s.explain(sqltable.Replace, &session.ConflictError{Newest: newest})
		}
	}
}

// Page begins at the id "", so a record with that id could not be passed by.
var errEmptyID = errors.New("pgstore: a record needs an id")

var errTaken = fmt.Errorf("pgstore: save: the id is taken: %w", session.ErrConflict)

func (s *Store) create(ctx context.Context, rec *session.Record) error {
	create, args := sqltable.Create, sqltable.Values
	if sqltable.IsNew(rec) {
		create, args = sqltable.Begin, sqltable.Begun
	}
	created, err := s.write(ctx, create, args(rec)...)
	if err == nil && created == 0 || err != nil && sqltable.Taken(err) {
		return errTaken
	}
	return err
}

// Delete implements [session.Store] with one DELETE.
func (s *Store) Delete(ctx context.Context, id string) error {
	remove := sqltable.End
	if s.silent {
		remove = sqltable.Remove
	}
	_, err := s.write(ctx, remove, id)
	return err
}

// Touch implements [session.Toucher] with one UPDATE.
func (s *Store) Touch(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
	_, err := s.write(ctx, sqltable.Touch, seen.UnixMicro(), sqltable.Optional(expires), id, int64(version))
	return err
}

// Sweep implements [session.Sweeper] with DELETEs that find their rows through an index, and UPDATEs of rows whose end
// has become later since they were put there. They pass over rows that somebody else is changing.
func (s *Store) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	if limit <= 0 {
		return 0, ctx.Err()
	}
	end := before.UnixMicro()
	some := func(op sqltable.Operation) func(int) (int64, error) {
		return func(rows int) (int64, error) { return s.write(ctx, op, end, rows, end) }
	}
	return sqltable.SweepInSteps(limit, limit, some(sqltable.Sweep), some(sqltable.Move))
}
