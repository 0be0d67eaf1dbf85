package redisstore

import (
	"context"
	"slices"
	"strconv"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/leftout"
)

// tidyAfter is how old an entry of a list must be before it is removed because its record is not there: a younger one
// may be of a record that is just being saved.
const tidyAfter = "600" // seconds

// ByUser implements [session.Lister] with two trips: one for the list, one for all its records at once. Entries that
// lead to no live record of the user cost one more trip, and are removed once they are old. A record that cannot be
// read is left out, because it opens no session.
func (s *Store) ByUser(ctx context.Context, user string) ([]*session.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, explain("list user", err)
	}
	if user == "" {
		return nil, nil // nobody is signed in as ""
	}
	ctx = sharePatience(ctx)
	l, err := s.listing(ctx, userList(user))
	if err != nil {
		return nil, explain("list user", err)
	}
	l.tidy(ctx)
	return slices.DeleteFunc(l.recs, func(r *session.Record) bool { return r.User != user }), nil
}

// listing is a walk through the list of a user. The ids on it are sorted by what became of their records.
type listing struct {
	store   *Store
	list    string
	entries map[string]string // all that were seen
	done    map[string]bool   // ids whose records are there
	recs    []*session.Record // the live ones that belong on the list
	left    []string          // of records that are not live, or belong elsewhere, any more
	damaged []string          // of records that cannot be read
	absent  []string          // of records that are not there, or not yet
}

func (s *Store) listing(ctx context.Context, list string) (*listing, error) {
	l := &listing{store: s, list: list, entries: map[string]string{}, done: map[string]bool{}}
	for again := true; again; {
		var err error
		if again, err = l.look(ctx); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// look reads the list, and the records that were not there before. When one turned out to be gone, its session may have
// got a new id since the list was read. The new id is listed before the old one is retired, so that another look finds
// it, also where its record was still on its way at the first.
func (l *listing) look(ctx context.Context) (again bool, err error) {
	list, err := l.store.read(ctx, query("HGETALL", l.store.listKey(l.list))).AsStrMap()
	if err != nil {
		return false, err
	}
	var ids []string
	for id, value := range list {
		if !l.done[id] {
			ids = append(ids, id)
		}
		if _, seen := l.entries[id]; !seen {
			l.entries[id] = value
		}
	}
	heads, err := l.store.heads(ctx, ids)
	if err != nil {
		return false, err
	}
	was := l.absent
	l.absent = nil
	for i, h := range heads {
		if h.absent {
			l.absent = append(l.absent, ids[i])
			again = again || !slices.Contains(was, ids[i])
			continue
		}
		l.done[ids[i]] = true
		switch {
		case h.rec == nil:
			l.damaged = append(l.damaged, ids[i])
		case listOf(h.rec) == l.list:
			l.recs = append(l.recs, h.rec)
		default:
			l.left = append(l.left, ids[i])
			again = true
		}
	}
	return again, nil
}

// pairs are the ids with their entries, as scripts want them.
func (l *listing) pairs(ids []string) []string {
	var pairs []string
	for _, id := range ids {
		pairs = append(pairs, id, l.entries[id])
	}
	return pairs
}

// tidy removes entries that lead nowhere. It is not an error if that fails: the next one to read the list tries again.
func (l *listing) tidy(ctx context.Context) {
	var calls []command
	for _, id := range slices.Concat(l.left, l.absent) {
		calls = append(calls, tidyScript.call([]string{l.store.listKey(l.list)}, id, l.entries[id],
			tidyAfter))
	}
	if len(calls) > 0 {
		l.store.runs(ctx, calls...)
	}
}

// head is a record without its Data. All are unset when it cannot be read.
type head struct {
	rec    *session.Record
	entry  string // list and token
	absent bool
}

// heads reads records without their Data, in one trip.
func (s *Store) heads(ctx context.Context, ids []string) ([]head, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	replies := s.ranges(ctx, ids)
	heads := make([]head, len(ids))
	for i, reply := range replies {
		value, err := reply.ToString()
		if err == nil {
			heads[i], err = s.head(ctx, ids[i], value)
		}
		if isWrongType(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	return heads, nil
}

func (s *Store) ranges(ctx context.Context, ids []string) []rueidis.RedisResult {
	queries := make([]command, len(ids))
	for i, id := range ids {
		queries[i] = query("GETRANGE", s.recordKey(id), "0", strconv.Itoa(listed-1))
	}
	return s.reads(ctx, queries...)
}

// head reads the beginning of a record, and the whole of one whose other fields are longer than that.
func (s *Store) head(ctx context.Context, id, value string) (head, error) {
	if value == "" {
		return head{absent: true}, nil
	}
	rec, _, err := decodeHead(id, value)
	if err != nil && len(value) == listed {
		whole, err := s.read(ctx, s.get(id)).ToString()
		if rueidis.IsRedisNil(err) {
			return head{absent: true}, nil
		}
		if err != nil {
			return head{}, err
		}
		rec, _, _ = decodeHead(id, whole)
	}
	if rec == nil {
		return head{}, nil
	}
	return head{rec: rec, entry: value[listAt:headSize]}, nil
}

// Page implements [session.Lister], in the order of the shards and of the ids' bytes in each. It takes two trips for
// each group of shards that it needs; the groups grow, so a store with few records takes few trips. One more trip looks
// whether the sessions are on the lists of their users, and puts them back where a failover has lost them. If it
// cannot, the error comes with the records.
func (s *Store) Page(ctx context.Context, after string, limit int) ([]*session.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, explain("list", err)
	}
	ctx = sharePatience(ctx)
	var page []*session.Record
	var found []due
	shard := 0
	if after != "" {
		shard = shardOf(after)
	}
	for group := 1; shard < shards && len(page) < limit; {
		n := min(group, shards-shard)
		ids, cut, err := s.idsAfter(ctx, shard, n, after, limit-len(page))
		if err != nil {
			return nil, explain("list", err)
		}
		recs, entries, err := s.present(ctx, ids)
		if err != nil {
			return nil, explain("list", err)
		}
		page, found = append(page, recs...), append(found, entries...)
		if cut { // go on behind the last id: some were not there
			after = ids[len(ids)-1]
			shard, group = shardOf(after), 1
			continue
		}
		shard, group, after = shard+n, 2*group, ""
	}
	if _, err := s.relist(ctx, found); err != nil {
		return page, explain("put sessions back on the lists of their users", err)
	}
	return page, nil
}

// idsAfter returns at most limit ids of some shards, the first from an id on. cut says that there may be more of them.
func (s *Store) idsAfter(ctx context.Context, shard, n int, after string,
	limit int) (ids []string, cut bool, err error) {
	from := "-"
	if after != "" {
		from = "(" + after
	}
	queries := make([]command, n)
	for i := range queries {
		queries[i] = query("ZRANGEBYLEX", s.idsKey(shard+i), from, "+", "LIMIT", "0", strconv.Itoa(limit))
		from = "-"
	}
	for _, reply := range s.reads(ctx, queries...) {
		list, err := reply.AsStrSlice()
		if err != nil {
			return nil, false, err
		}
		ids = append(ids, list[:min(len(list), limit-len(ids))]...)
	}
	return ids, len(ids) == limit, nil
}

// present returns those of the records that are there and can be read, and where they should be listed. Ids whose
// records the server has dropped are removed from the shard.
func (s *Store) present(ctx context.Context, ids []string) (recs []*session.Record, found []due, err error) {
	heads, err := s.heads(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	var stale []command
	for i, h := range heads {
		switch {
		case h.rec != nil:
			recs = append(recs, h.rec)
			found = append(found, due{ids[i], h.entry})
		case h.absent:
			stale = append(stale, s.drop(due{id: ids[i]}, ""))
		default:
			leftout.Tell(ctx, ids[i], "")
		}
	}
	if len(stale) > 0 {
		s.runs(ctx, stale...) // an index that is not cleared now is met again
	}
	return recs, found, nil
}
