package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

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
)

// Page begins at the id "", so a record with that id could not be passed by.
var errEmptyID = errors.New("sqlstore: a record needs an id")

// Store is a session store in a table. It is safe for concurrent use. Make one with [New].
type Store struct {
	db         *sql.DB
	dialect    *dialect
	table      string
	statements [operations]statement
	writing    gate
	listen     Listener // nil: nobody is told

	asked atomic.Pointer[settings] // nil: the server has not been asked
}

// New returns a store of the sessions in a table of db. It does no I/O: the first call that needs the database reports
// if it cannot be reached or has no such table. The caller owns db, and closes it after the store.
func New(db *sql.DB, opts Options) (*Store, error) {
	if db == nil {
		return nil, errors.New("sqlstore: the database is nil")
	}
	d, table, err := opts.resolve()
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, dialect: d, table: table, listen: opts.Listen}
	for op := range operations {
		s.statements[op].text = d.query(op, table)
	}
	if d.oneWriter {
		s.writing = newGate()
	}
	return s, nil
}

// Close closes the prepared statements. It leaves the database open. Later calls fail.
func (s *Store) Close() error {
	var errs []error
	for op := range operations {
		errs = append(errs, s.statements[op].close())
	}
	return errors.Join(errs...)
}

// Load implements [session.Store] with one SELECT.
func (s *Store) Load(ctx context.Context, id string) (*session.Record, error) {
	return s.find(ctx, opLoad, id)
}

// find loads a record in order to do something.
func (s *Store) find(ctx context.Context, doing operation, id string) (*session.Record, error) {
	rec := new(session.Record)
	err := s.readRow(ctx, opLoad, id, append(targets(rec), &rec.Data))
	if errors.Is(err, sql.ErrNoRows) {
		err = session.ErrNotFound
	}
	if err != nil {
		return nil, s.explain(doing, err)
	}
	return rec, nil
}

// Save implements [session.Store] with one INSERT or UPDATE, and one more SELECT if a record cannot be replaced: the
// error is then a [session.ConflictError] that holds the newest record, or wraps [session.ErrNotFound]. On SQLite,
// giving a record another user or kind, or an earlier end, costs two more statements.
func (s *Store) Save(ctx context.Context, rec *session.Record) error {
	if err := s.fits(ctx, rec); err != nil {
		return err
	}
	if rec.Version == 0 {
		return s.create(ctx, rec)
	}
	replace := s.replacement(rec)
	for {
		changed, err := s.exec(ctx, replace, replacing(replace, rec)...)
		if err != nil || changed > 0 {
			return err
		}
		newest, err := s.find(ctx, opReplace, rec.ID)
		if err != nil {
			return err
		}
		// The version that was missing may have come between the two statements: then there is no conflict.
		if newest.Version != rec.Version {
			return s.explain(opReplace, &session.ConflictError{Newest: newest})
		}
		if replace == opUpdate {
			replace = opReplace
		}
	}
}

// replacement is the cheapest statement that may do to replace a record.
func (s *Store) replacement(rec *session.Record) operation {
	switch {
	case rec.Kind == session.KindLive && s.statements[opUpdate].text != "":
		return opUpdate
	case rec.Kind != session.KindLive && s.listen != nil:
		return opRetire
	}
	return opReplace
}

// fits refuses what the table cannot hold, or the server does not take.
func (s *Store) fits(ctx context.Context, rec *session.Record) error {
	if rec.ID == "" {
		return errEmptyID
	}
	if s.dialect.fits == nil {
		return nil
	}
	known, err := s.settings(ctx)
	if err != nil {
		return s.explain(opCreate, err)
	}
	return s.dialect.fits(rec, known)
}

var errTaken = fmt.Errorf("sqlstore: save: the id is taken: %w", session.ErrConflict)

func (s *Store) create(ctx context.Context, rec *session.Record) error {
	create, args := opCreate, sqltable.Values
	if sqltable.IsNew(rec) && s.statements[opBegin].text != "" {
		create, args = opBegin, sqltable.Begun
	}
	created, err := s.exec(ctx, create, args(rec)...)
	if err == nil && created == 0 || err != nil && s.dialect.taken(err) {
		return errTaken
	}
	return err
}

// Delete implements [session.Store] with one DELETE.
func (s *Store) Delete(ctx context.Context, id string) error {
	remove := opRemove
	if s.listen != nil {
		remove = opEnd
	}
	_, err := s.exec(ctx, remove, id)
	return err
}

// Touch implements [session.Toucher] with one UPDATE.
func (s *Store) Touch(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
	_, err := s.exec(ctx, opTouch, seen.UnixMicro(), sqltable.Optional(expires), id, int64(version))
	return err
}

// Sweep implements [session.Sweeper] with DELETEs that find their rows through an index, and UPDATEs of rows whose end
// has become later since they were put there. If a database lets only one connection write at a time, each statement
// changes only a few rows, because all other writers wait for it.
func (s *Store) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	if limit <= 0 {
		return 0, ctx.Err()
	}
	step, end := limit, before.UnixMicro()
	if s.dialect.oneWriter {
		step = oneWriterSweeps
	}
	some := func(op operation) func(int) (int64, error) {
		return func(rows int) (int64, error) { return s.exec(ctx, op, end, rows, end) }
	}
	total, err := sqltable.SweepInSteps(limit, step, some(opSweep), some(opMove))
	if err == nil || s.dialect.full == nil || !s.dialect.full(err) {
		return total, err
	}
	n, err := s.exec(ctx, opPurge, end, end, limit-total)
	return total + int(n), err
}

// oneWriterSweeps is how many rows a statement of a sweep changes where it keeps everybody else from writing.
const oneWriterSweeps = 25
