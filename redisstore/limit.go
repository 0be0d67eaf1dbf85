package redisstore

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/coatcheck/session"
)

// onItsWay is how long an entry of a list counts although its record is not there: whoever made it may be about to save
// the record, or may have died.
const onItsWay = "15" // seconds

var errNotNew = errors.New("redisstore: SaveWithin creates records, and this one has a version: store it with Save")

// SaveWithin implements [session.Limiter]: the list of the user admits the id, in one script on its own slot, and then
// the record is saved. If the list is full, two more trips find out which entries count, because sessions that expired
// or ended a moment ago may still have theirs. A record that already has a version is refused.
func (s *Store) SaveWithin(ctx context.Context, rec *session.Record, limit session.Limit) error {
	if rec.Version > 0 {
		return errNotNew
	}
	list, token := listOf(rec), newToken()
	if list == noList || rec.ID == "" {
		return s.Save(ctx, rec)
	}
	if err := ctx.Err(); err != nil {
		return explain("save", err)
	}
	ctx, call := begin(ctx)
	defer call.End()
	answer, err := s.admit(ctx, rec, token, limit)
	switch {
	case err != nil:
		return explain("save", err)
	case answer == full:
		return explain("save", session.ErrTooMany)
	case answer == known: // so the record is there, or its entry leads nowhere
		return s.Save(ctx, rec)
	}
	if err := s.add(ctx, rec, entry{list, token}); err != nil {
		return explain("save", err)
	}
	return nil
}

// What the script that admits answers.
const (
	full  = 0
	known = 2 // the id was on the list before
)

// admit puts the id on the list of the user if there is room.
func (s *Store) admit(ctx context.Context, rec *session.Record, token string, limit session.Limit) (int64, error) {
	answer, err := s.tryAdmit(ctx, rec, token, limit, &listing{})
	if err != nil || answer != full {
		return answer, err
	}
	l, err := s.listing(ctx, listOf(rec))
	if err != nil {
		return full, err
	}
	l.tidy(ctx)
	l.left = append(l.left, l.damaged...)
	l.recs = slices.DeleteFunc(l.recs, func(r *session.Record) bool {
		counts := limit.Counts(r)
		if !counts {
			l.left = append(l.left, r.ID)
		}
		return !counts
	})
	return s.tryAdmit(ctx, rec, token, limit, l)
}

// tryAdmit counts all entries of a list but those of records that have left, that are absent and not on their way, or
// that are one session with another one.
func (s *Store) tryAdmit(ctx context.Context, rec *session.Record, token string, limit session.Limit,
	l *listing) (int64, error) {
	gone := slices.Concat(l.left, l.absent)
	args := []string{
		rec.ID, token, strconv.Itoa(limit.Max), limit.Instead, onItsWay, strconv.Itoa(len(l.left)),
		strconv.Itoa(len(gone)),
	}
	args = append(args, l.pairs(gone)...)
	for id, other := range session.Moves(l.recs) {
		args = append(args, l.pairs([]string{id, other})...)
	}
	return s.run(ctx, admitScript.call([]string{s.listKey(listOf(rec))}, args...)).AsInt64()
}
