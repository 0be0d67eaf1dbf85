package pgstore

import (
	"context"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/sqltable"
)

// ByUser implements [session.Lister] with one SELECT, through an index. Nobody is signed in as "", so that list is
// empty. A row that cannot be read is left out, because it opens no session.
func (s *Store) ByUser(ctx context.Context, user string) ([]*session.Record, error) {
	l, err := s.list(ctx, sqltable.ByUser, user)
	return l.Recs, err
}

// Page implements [session.Lister] with one SELECT, in the order of the ids' bytes, and one more each time it meets
// rows that cannot be read.
func (s *Store) Page(ctx context.Context, after string, limit int) ([]*session.Record, error) {
	return sqltable.Fill(ctx, after, limit, func(after string, limit int) (sqltable.Listing, error) {
		return s.list(ctx, sqltable.Page, after, limit)
	})
}
