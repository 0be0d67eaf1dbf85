package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/coatcheck/session"
)

// ByUser implements [session.Lister] with one SELECT, through an index. Nobody is signed in as "", so that list is
// empty. A row that cannot be read is left out, because it opens no session.
func (s *Store) ByUser(ctx context.Context, user string) ([]*session.Record, error) {
	l, err := s.list(ctx, opByUser, user)
	return l.recs, err
}

// Page implements [session.Lister] with one SELECT, in the order of the ids' bytes, and one more each time it meets
// rows that cannot be read.
func (s *Store) Page(ctx context.Context, after string, limit int) ([]*session.Record, error) {
	var page []*session.Record
	for len(page) < limit {
		l, err := s.list(ctx, opPage, after, limit-len(page))
		page = append(page, l.recs...)
		if err != nil || l.skipped == 0 {
			return page, err
		}
		after = l.last
	}
	return page, ctx.Err()
}

// listing is what a SELECT gave.
type listing struct {
	recs    []*session.Record
	skipped int    // rows that cannot be read
	last    string // the id of the last row
}

func (s *Store) list(ctx context.Context, op operation, args ...any) (l listing, err error) {
	err = s.query(ctx, op, args, func(rows *sql.Rows) error {
		l, err = scanAll(rows)
		return err
	})
	return l, s.explain(op, err)
}

// scanAll returns all records or none: half a list would hide sessions from whoever means to end them all.
func scanAll(rows *sql.Rows) (listing, error) {
	var l listing
	for rows.Next() {
		rec := new(session.Record)
		switch err := rows.Scan(targets(rec)...); {
		case err == nil:
			l.recs = append(l.recs, rec)
		case errors.Is(err, session.ErrCorrupt):
			l.skipped++
		default:
			return listing{}, err
		}
		l.last = rec.ID
	}
	if err := rows.Err(); err != nil {
		return listing{}, err
	}
	return l, nil
}
