package sqlstore

import (
	"context"
	"database/sql"

	"github.com/coatcheck/session"
)

// ByUser implements [session.Lister] with one SELECT, by an index. Nobody is signed in as "", so that list is empty.
func (s *Store) ByUser(ctx context.Context, user string) ([]*session.Record, error) {
	return s.list(ctx, opByUser, user)
}

// Page implements [session.Lister] with one SELECT, in the order of the ids' bytes.
func (s *Store) Page(ctx context.Context, after string, limit int) ([]*session.Record, error) {
	if limit <= 0 {
		return nil, ctx.Err()
	}
	return s.list(ctx, opPage, after, limit)
}

func (s *Store) list(ctx context.Context, op operation, args ...any) ([]*session.Record, error) {
	var recs []*session.Record
	err := s.retry(ctx, func() (err error) {
		recs, err = s.query(ctx, op, args)
		return err
	})
	return recs, s.explain(op, err)
}

func (s *Store) query(ctx context.Context, op operation, args []any) ([]*session.Record, error) {
	stmt, err := s.statements[op].prepare(ctx, s.db)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return read(rows)
}

// read returns all records or none: half a list would hide sessions from whoever means to end them all.
func read(rows *sql.Rows) ([]*session.Record, error) {
	var recs []*session.Record
	for rows.Next() {
		rec := new(session.Record)
		if err := rows.Scan(targets(rec)...); err != nil {
			return nil, err
		}
		recs = append(recs, rec)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return recs, nil
}
