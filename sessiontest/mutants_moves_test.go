package sessiontest_test

import (
	"context"
	"slices"

	"github.com/coatcheck/session"
)

var moveMutants = []mutant{
	{"a user is never without the session that moves from id to id", "reads the ids first and the records then",
		func(s *store) {
			s.byUser = func(ctx context.Context, user string) ([]*session.Record, error) {
				recs, err := s.shelf.ByUser(ctx, user)
				if err != nil {
					return nil, err
				}
				var still []*session.Record
				for range 500 { // or until all have moved, so that the rule cannot miss it by chance
					yield()
					still = slices.DeleteFunc(slices.Clone(recs),
						func(rec *session.Record) bool { return !live(s.get(rec.ID), user) })
					if len(still) == 0 {
						break
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
