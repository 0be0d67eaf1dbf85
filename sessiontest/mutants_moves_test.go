package sessiontest_test

import (
	"context"

	"github.com/coatcheck/session"
)

var moveMutants = []mutant{
	{"a user is never without the session that moves from id to id", "reads the ids first and the records then", func(s *store) {
		s.byUser = func(ctx context.Context, user string) ([]*session.Record, error) {
			recs, err := s.shelf.ByUser(ctx, user)
			if err != nil {
				return nil, err
			}
			yield()
			var still []*session.Record
			for _, rec := range recs {
				if now := s.get(rec.ID); now != nil && live(now, user) {
					still = append(still, rec)
				}
			}
			return still, nil
		}
	}},
	{"a conflict hands over another version than the save named", "reads first and saves then", onReplace(
		func(ctx context.Context, b *shelf, rec *session.Record) error {
			before := b.get(rec.ID)
			yield()
			if err := b.Save(ctx, rec); err == nil || before == nil {
				return err
			}
			return &session.ConflictError{Newest: before.Clone()}
		})},
}
