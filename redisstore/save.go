package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
)

const (
	// slack is how long the server keeps a record after its end, and at least after a save whatever its clock says. The
	// manager ends sessions on time; a server whose clock is ahead must not do it earlier.
	slack = 15 * time.Minute

	// undoTimeout bounds the clearing up after a save that was done by half. Somebody waits for it.
	undoTimeout = time.Second
)

// Save implements [session.Store] with one script. A new record of a user is put on the user's list in the same trip;
// one that changes its user costs two trips more. A conflict is a [session.ConflictError] with the newest record. A
// server that has no memory left still takes an alias or a tombstone in place of a record, so that sessions end there,
// too.
func (s *Store) Save(ctx context.Context, rec *session.Record) error {
	if rec.ID == "" {
		return errEmptyID
	}
	if err := ctx.Err(); err != nil {
		return explain("save", err)
	}
	var err error
	if rec.Version == 0 {
		err = s.create(ctx, rec)
	} else {
		err = s.replace(ctx, rec)
	}
	if s.cache != nil {
		s.cache.tried(rec, err)
	}
	if err != nil {
		return explain("save", err)
	}
	return nil
}

// create stores the record and puts it on its user's list at once. Until Save has returned nobody knows the id, so that
// it does not matter which comes first; when only one was done, it is undone.
func (s *Store) create(ctx context.Context, rec *session.Record) error {
	list, token := listOf(rec), newToken()
	calls := []call{s.save(rec, list, token, false)}
	if list != noList {
		calls = append(calls, s.enlist(list, rec.ID, token))
	}
	results := s.run(ctx, calls...)
	_, err := s.saved(rec.ID, results[0])
	if list == noList || errors.Is(err, session.ErrConflict) {
		return err // who has the id may be on the same list
	}
	if err == nil {
		err = results[1].Error()
	}
	if err != nil {
		s.undo(ctx, entry{list, token}, rec.ID)
	}
	return err
}

// undo takes back what was done for a record that was not saved, or of which nobody knows whether it was: then nobody
// has its ticket. When that fails too, a sweep removes the record when it ends, and its entry.
func (s *Store) undo(ctx context.Context, e entry, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	if err := s.remove(ctx, id, e.token).Error(); err == nil {
		s.run(ctx, s.unlist(e, id))
	}
}

// replace stores the record over the version that it names. One that comes to another user is put on the list first,
// and once more afterwards, in case that somebody who read the list meanwhile took the entry for an old one.
func (s *Store) replace(ctx context.Context, rec *session.Record) error {
	list, token := listOf(rec), newToken()
	was, err := s.saved(rec.ID, s.run(ctx, s.save(rec, list, token, false))[0])
	if !errors.Is(err, errEnlist) {
		if err == nil && was.list != "" {
			s.run(ctx, s.unlist(was, rec.ID))
		}
		return err
	}
	if err := s.run(ctx, s.enlist(list, rec.ID, token))[0].Error(); err != nil {
		return err
	}
	if was, err = s.saved(rec.ID, s.run(ctx, s.save(rec, list, token, true))[0]); err != nil {
		return err
	}
	calls := []call{s.enlist(list, rec.ID, token)}
	if was.list != "" {
		calls = append(calls, s.unlist(was, rec.ID))
	}
	return s.run(ctx, calls...)[0].Error()
}

// entry is where a record is listed.
type entry struct{ list, token string }

func (s *Store) save(rec *session.Record, list, token string, enlisted bool) call {
	flag, ended := "", ""
	if enlisted {
		flag = "1"
	}
	if rec.Version > 0 && rec.Kind != session.KindLive {
		ended = s.channel()
	}
	ends := s.ends(rec.ExpiresAt)
	return call{saveScript, s.keys(rec.ID), []string{
		rec.ID, decimal(rec.Version), decimal(rec.Version+1) + micros(rec.SeenAt) + expiry(rec.ExpiresAt), list, token,
		flag,
		encodeBody(rec), ends.drop, ends.slack, ends.score, ended,
	}}
}

func (s *Store) enlist(list, id, token string) call {
	return call{enlistScript, []string{s.listKey(list)}, []string{id, token}}
}

// unlist removes an entry. That it fails is no error: whoever reads the list sees that the record is not the user's.
func (s *Store) unlist(e entry, id string) call {
	return call{unlistScript, []string{s.listKey(e.list)}, []string{id, e.token}}
}

type ends struct{ drop, slack, score string }

// ends says when the server may drop a record, and how sweeps find it. In the year 2255 a score begins to be rounded,
// by microseconds.
func (s *Store) ends(expires time.Time) ends {
	if expires.IsZero() {
		return ends{}
	}
	return ends{
		drop:  strconv.FormatInt(expires.Add(slack).UnixMilli()+1, 10),
		slack: strconv.FormatInt(slack.Milliseconds(), 10),
		score: strconv.FormatInt(expires.UnixMicro(), 10),
	}
}

var errEnlist = errors.New("put the record on its user's list first")

// saved reads the reply of the save script: where the record was listed and is no longer.
func (s *Store) saved(id string, reply rueidis.RedisResult) (entry, error) {
	list, err := reply.AsStrSlice()
	if err != nil {
		return entry{}, err
	}
	switch {
	case len(list) == 3 && list[0] == "ok":
		return entry{list[1], list[2]}, nil
	case len(list) == 1 && list[0] == "gone":
		return entry{}, session.ErrNotFound
	case len(list) == 1 && list[0] == "enlist":
		return entry{}, errEnlist
	case len(list) == 2 && list[0] == "conflict":
		newest, err := decode(id, list[1])
		if err != nil {
			return entry{}, fmt.Errorf("%w with a record that is damaged: %w", session.ErrConflict, err)
		}
		return entry{}, &session.ConflictError{Newest: newest}
	}
	return entry{}, errReply
}

var errReply = errors.New("a reply that no script of ours gives")

// parseEntry reads where a record was listed, if it was.
func parseEntry(text string) (entry, bool) {
	if len(text) != len(noList)+tokenSize || text[:len(noList)] == noList {
		return entry{}, false
	}
	return entry{text[:len(noList)], text[len(noList):]}, true
}
