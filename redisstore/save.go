package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
)

const (
	// slack is how long the server keeps a record after its end. The manager ends sessions on time, and the server must
	// not do it before.
	slack = 15 * time.Minute

	// longest is for how long the server keeps a record at most: a century that nobody comes. More does not fit a sum.
	longest = 100 * 365 * 24 * time.Hour

	// long is the size of data from which on a script takes longer to put a record together than to change it once
	// more.
	long = 1 << 10

	// undoTimeout bounds the clearing up after a save that was done by half. Somebody waits for it.
	undoTimeout = time.Second
)

// Save implements [session.Store] in one trip, in which a new record of a user is put on the user's list, too. A record
// that changes its user costs two trips more. A conflict is a [session.ConflictError] with the newest record, where
// there is still one. A server that has no memory left still accepts an alias or a tombstone in place of a record, so
// sessions can end there, too.
func (s *Store) Save(ctx context.Context, rec *session.Record) error {
	if rec.ID == "" {
		return errEmptyID
	}
	if err := ctx.Err(); err != nil {
		return explain("save", err)
	}
	var err error
	if rec.Version == 0 {
		begun, call := begin(ctx)
		defer call.End()
		err = s.create(begun, rec)
	} else {
		err = s.replace(ctx, rec)
	}
	if err != nil {
		return explain("save", err)
	}
	return nil
}

// entry is where a record is listed.
type entry struct{ list, token string }

// create stores the record and puts it on its user's list at once; when only one was done, it is undone. The list comes
// first: where both are on one server, a replica that hears only the beginning then has an entry that leads nowhere,
// and not a session that is on no list.
func (s *Store) create(ctx context.Context, rec *session.Record) error {
	e := entry{listOf(rec), newToken()}
	if e.list == noList {
		return s.add(ctx, rec, e)
	}
	return s.add(ctx, rec, e, s.enlistNew(e, rec.ID))
}

// add creates the record, and puts it on its list in the same trip if it gets the command for that. Who has an id that
// is taken may be on the same list, where an entry that is there already therefore stays.
func (s *Store) add(ctx context.Context, rec *session.Record, e entry, enlist ...command) error {
	if s.cache != nil {
		defer s.cache.changed(rec.ID)
	}
	results := s.runs(ctx, s.insert(enlist, rec, e)...)
	err := results[len(enlist)].Error()
	if rueidis.IsRedisNil(err) {
		return s.taken(ctx, rec.ID, e)
	}
	stored := err == nil
	for _, r := range results {
		err = cmp.Or(err, r.Error())
	}
	if err == nil && len(enlist) > 0 {
		err = s.displace(ctx, rec.ID, e, results[0])
	}
	if err != nil && (stored || e.list != noList) {
		s.undo(ctx, e, rec.ID)
	}
	return err
}

// displace puts the record on its list where that has another entry of the id, of a create that was quicker there, and
// failed.
func (s *Store) displace(ctx context.Context, id string, e entry, enlisted rueidis.RedisResult) error {
	if n, err := enlisted.AsInt64(); err != nil || n == 1 {
		return err
	}
	return s.run(ctx, s.enlist(e.list, id, e.token)).Error()
}

// insert creates a record, unless there is one, and puts it into the indexes of its shard, behind what comes first.
// These are commands, for a script takes the server longer, and they come in this order, for whoever meets an id
// without a record takes it out of the indexes. When only the record is done, and undo fails, there is one that nobody
// has the ticket of, until it ends.
func (s *Store) insert(first []command, rec *session.Record, e entry) []command {
	shard := shardOf(rec.ID)
	value := appendHead(make([]byte, 0, headSize+bodySize(rec)), rec)
	value = append(append(value, e.list...), e.token...)
	set := []string{rueidis.BinaryString(appendBody(value, rec)), "NX", "PX", remains(rec.SeenAt, rec.ExpiresAt)}
	if rec.ExpiresAt.IsZero() {
		set = set[:2]
	}
	commands := append(append(make([]command, 0, 4), first...), query("SET", s.recordIn(shard, rec.ID), set...),
		query("ZADD", s.idsKey(shard), "0", rec.ID))
	if !rec.ExpiresAt.IsZero() {
		commands = append(commands, query("ZADD", s.dueKey(shard), score(rec.ExpiresAt), e.list+e.token+rec.ID))
	}
	return commands
}

// taken is the answer to a create whose id is taken. What it put on a list goes, and then what names that. Where the
// server cannot be reached, a sweep does it after the end that the record would have had.
func (s *Store) taken(ctx context.Context, id string, e entry) error {
	newest, err := parse(id, s.read(ctx, s.get(id)))
	s.refused(ctx, id, e)
	switch {
	case err == nil:
		return &session.ConflictError{Newest: newest}
	case errors.Is(err, session.ErrCorrupt):
		return damaged(err)
	}
	return session.ErrConflict
}

// refused takes back what a create put beside a record that it found there.
func (s *Store) refused(ctx context.Context, id string, e entry) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	if e.list == noList {
		s.run(ctx, query("ZREM", s.dueKey(shardOf(id)), e.list+e.token+id))
		return
	}
	_, _ = s.settle(ctx, []due{{id, e.list + e.token}})
}

func damaged(err error) error {
	return fmt.Errorf("%w with a record that is damaged: %w", session.ErrConflict, err)
}

// undo takes back what was done for a record that was not saved, or of which nobody knows whether it was: then nobody
// has its ticket. When that fails too, a sweep removes the record when it ends, and its entry.
func (s *Store) undo(ctx context.Context, e entry, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	if err := s.remove(ctx, id, e.token).Error(); err == nil && e.list != noList {
		s.run(ctx, s.unlist(e, id))
	}
}

// replace stores the record over the version that it names. Where records are cached, the same trip brings it into the
// cache.
func (s *Store) replace(ctx context.Context, rec *session.Record) error {
	first := s.replaces(rec, "")
	if s.cache == nil {
		return s.swap(ctx, rec, first)
	}
	if rec.Kind != session.KindLive {
		defer s.cache.changed(rec.ID)
		return s.swap(ctx, rec, first)
	}
	turn := s.readAhead(ctx, rec.ID, &first)
	err := s.swap(ctx, rec, first)
	s.cache.saved(rec, turn, err)
	return err
}

// swap replaces the record, first by a call of the script that replaces. One that comes to another user is put on the
// list before that, and once more afterwards, in case that somebody who read the list meanwhile took the entry for an
// old one.
func (s *Store) swap(ctx context.Context, rec *session.Record, first command) error {
	was, err := swapped(rec.ID, s.run(ctx, first))
	if !errors.Is(err, errEnlist) {
		if err == nil && was.list != "" {
			s.run(ctx, s.unlist(was, rec.ID))
		}
		return err
	}
	list, token := listOf(rec), newToken()
	if err := s.run(ctx, s.enlist(list, rec.ID, token)).Error(); err != nil {
		return err
	}
	if was, err = swapped(rec.ID, s.run(ctx, s.replaces(rec, token))); err != nil {
		return err
	}
	calls := []command{s.enlist(list, rec.ID, token)}
	if was.list != "" {
		calls = append(calls, s.unlist(was, rec.ID))
	}
	return s.runs(ctx, calls...)[0].Error()
}

// replaces is the script that replaces a record. With a token the record is on its list. What most saves do not need is
// left out, for the server makes a string of each argument.
func (s *Store) replaces(rec *session.Record, token string) command {
	const expected, head = len(format) + digits, listAt + len(noList)
	b := appendDecimal(append(make([]byte, 0, expected+headSize+bodySize(rec)), format...), rec.Version)
	b = appendList(appendHead(b, rec), rec)
	at := expected + head
	if len(rec.Data) >= long { // in one piece, in which the script writes the token
		b, at = append(b, noList[:tokenSize]...), expected
	}
	text := rueidis.BinaryString(appendBody(b, rec))
	args := append(make([]string, 0, 6), text[:expected], text[expected:at], text[at:],
		remains(rec.SeenAt, rec.ExpiresAt))
	if rec.Kind != session.KindLive {
		args = append(args, token, s.channel())
	} else if token != "" {
		args = append(args, token)
	}
	shard := shardOf(rec.ID)
	return replaceScript.call([]string{s.recordIn(shard, rec.ID), s.dueKey(shard)}, args...)
}

// enlistNew leaves an entry of the id alone that is there already.
func (s *Store) enlistNew(e entry, id string) command {
	return enlistScript.call([]string{s.listKey(e.list)}, id, e.token, "new")
}

func (s *Store) enlist(list, id, token string) command {
	return enlistScript.call([]string{s.listKey(list)}, id, token)
}

// unlist removes an entry. It is not an error if that fails: whoever reads the list sees that the record is not the
// user's.
func (s *Store) unlist(e entry, id string) command {
	return unlistScript.call([]string{s.listKey(e.list)}, id, e.token)
}

// remains is for how many milliseconds the server keeps a record; "": for good. It is counted from when the session was
// seen, so that it does not matter what the server's clock says.
func remains(seen, expires time.Time) string {
	if expires.IsZero() {
		return ""
	}
	return strconv.FormatInt((min(max(expires.Sub(seen), 0), longest)+slack).Milliseconds()+1, 10)
}

// score is how sweeps find a record. In the year 2255 it begins to be rounded, by microseconds.
func score(expires time.Time) string { return strconv.FormatInt(expires.UnixMicro(), 10) }
