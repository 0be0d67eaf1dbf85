package redisstore

import (
	"context"
	"errors"
	"strconv"

	"github.com/coatcheck/session"
)

// onItsWay is how long an entry of a list counts although its record is not there: whoever made it may be about to save the
// record, or may have died.
const onItsWay = "15" // seconds

var errNotNew = errors.New("redisstore: SaveWithin creates records, and this one has a version: store it with Save")

// SaveWithin implements [session.Limiter]: the list of the user admits the id, in one script on its own slot, and then the
// record is saved. When the list is full of entries, another two trips find out which of them count, for sessions that
// expired or ended a moment ago may still have theirs. A record that has a version already is refused.
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
	answer, err := s.admit(ctx, rec, token, limit)
	switch {
	case err != nil:
		return explain("save", err)
	case answer == full:
		return explain("save", session.ErrTooMany)
	case answer == known: // so the record is there, or its entry leads nowhere
		return s.Save(ctx, rec)
	}
	_, err = s.saved(rec.ID, s.run(ctx, s.save(rec, list, token, false))[0])
	if s.cache != nil {
		s.cache.tried(rec, err)
	}
	if err != nil {
		s.undo(ctx, entry{list, token}, rec.ID)
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
	answer, err := s.tryAdmit(ctx, rec, token, limit, nil, nil)
	if err != nil || answer != full {
		return answer, err
	}
	l, err := s.listing(ctx, listOf(rec))
	if err != nil {
		return full, err
	}
	l.tidy(ctx)
	for _, r := range l.recs {
		if !limit.Counts(r) {
			l.left = append(l.left, r.ID)
		}
	}
	return s.tryAdmit(ctx, rec, token, limit, l.pairs(append(l.left, l.damaged...)), l.pairs(l.absent))
}

// tryAdmit counts all entries but those that have left, and those of records that are absent and not on their way.
func (s *Store) tryAdmit(ctx context.Context, rec *session.Record, token string, limit session.Limit, left, absent []string) (int64, error) {
	args := []string{rec.ID, token, strconv.Itoa(limit.Max), limit.Instead, onItsWay, strconv.Itoa(len(left) / 2)}
	reply := s.run(ctx, call{admitScript, []string{s.listKey(listOf(rec))}, append(append(args, left...), absent...)})[0]
	return reply.AsInt64()
}
