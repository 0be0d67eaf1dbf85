package sqlstore

import (
	"context"
	"database/sql"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/sqltable"
)

// ByUser implements [session.Lister] with one SELECT, through an index. Nobody is signed in as "", so that list is
// empty. A row that cannot be read is left out, because it opens no session.
func (s *Store) ByUser(ctx context.Context, user string) ([]*session.Record, error) {
	l, err := s.list(ctx, opByUser, user)
	return l.Recs, err
}

// Page implements [session.Lister] with one SELECT, in the order of the ids' bytes, and one more each time it meets
// rows that cannot be read.
func (s *Store) Page(ctx context.Context, after string, limit int) ([]*session.Record, error) {
	return sqltable.Fill(ctx, after, limit, func(after string, limit int) (sqltable.Listing, error) {
		return s.list(ctx, opPage, after, limit)
	})
}

func (s *Store) list(ctx context.Context, op operation, args ...any) (l sqltable.Listing, err error) {
	err = s.query(ctx, op, args, func(rows *sql.Rows) error {
		l, err = scanAll(rows)
		return err
	})
	return l, s.explain(op, err)
}

// scanAll returns all records or none.
func scanAll(rows *sql.Rows) (sqltable.Listing, error) {
	var l sqltable.Listing
	for rows.Next() {
		rec := new(session.Record)
		if err := l.Add(rec, rows.Scan(targets(rec)...)); err != nil {
			return sqltable.Listing{}, err
		}
	}
	if err := rows.Err(); err != nil {
		return sqltable.Listing{}, err
	}
	return l, nil
}
