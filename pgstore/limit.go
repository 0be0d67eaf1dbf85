package pgstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/sqltable"
)

// SaveWithin implements [session.Limiter] with a lock for the user and an INSERT, in a transaction that takes one trip.
// The server keeps the lock, so all nodes share it. A refusal costs one more SELECT.
func (s *Store) SaveWithin(ctx context.Context, rec *session.Record, limit session.Limit) error {
	if rec.ID == "" {
		return errEmptyID
	}
	if rec.Version != 0 {
		return fmt.Errorf("pgstore: save: SaveWithin creates records, with version 0, and this one has version %d: "+
			"use Save", rec.Version)
	}
	admitted, err := s.admit(ctx, rec, limit)
	if err != nil || admitted {
		return err
	}
	switch _, err := s.find(ctx, sqltable.Admit, rec.ID); {
	case err == nil || errors.Is(err, session.ErrCorrupt):
		return errTaken
	case !errors.Is(err, session.ErrNotFound):
		return err
	}
	return s.explain(sqltable.Admit, session.ErrTooMany)
}

// lockUser has a parameter, because a batch prepares its statements.
var lockUser = strings.Replace(sqltable.UserLock, "{number}", "$1", 1)

func (s *Store) admit(ctx context.Context, rec *session.Record, limit session.Limit) (admitted bool, err error) {
	args := append(append(sqltable.Values(rec), sqltable.CountedArgs(rec.User, limit)...), limit.Max)
	lock := sqltable.LockNumber(s.table, rec.User)
	err = s.on(ctx, pgconn.SafeToRetry, func(conn *pgxpool.Conn) error {
		steps := new(pgx.Batch)
		// Read committed, so that the INSERT sees what was committed while it waited for the lock.
		steps.Queue("begin isolation level read committed")
		steps.Queue(lockUser, lock)
		steps.Queue(s.texts[sqltable.Admit], args...)
		steps.Queue("commit")
		admitted, err = inserts(conn.SendBatch(ctx, steps))
		return err
	})
	return admitted && err == nil, s.explain(sqltable.Admit, err)
}

// inserts reports whether the third statement of a batch inserted a row. A connection whose transaction failed is
// closed by the pool.
func inserts(answers pgx.BatchResults) (inserted bool, err error) {
	for step := range 4 {
		tag, err := answers.Exec()
		if err != nil {
			_ = answers.Close() // the same error
			return false, err
		}
		if step == 2 {
			inserted = tag.RowsAffected() > 0
		}
	}
	return inserted, answers.Close()
}
