package redisstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/newest"
)

var (
	_ session.Store   = (*Store)(nil)
	_ session.Toucher = (*Store)(nil)
	_ session.Sweeper = (*Store)(nil)
	_ session.Lister  = (*Store)(nil)
	_ session.Limiter = (*Store)(nil)
	_ session.Watcher = (*Store)(nil)
)

// Page begins at the id "", so a record with that id could not be passed by.
var errEmptyID = errors.New("redisstore: a record needs an id")

// Store is a session store in Redis or Valkey. It is safe for concurrent use. Make one with [New].
type Store struct {
	client rueidis.Client
	prefix string
	cache  *cache // nil: none
	loss   atomic.Int32
}

// New returns a store of the sessions under a prefix. It does no I/O: the first call that needs the server reports if
// it cannot be reached. The caller owns the client, and closes it after the store.
func New(client rueidis.Client, opts Options) (*Store, error) {
	if client == nil {
		return nil, errors.New("redisstore: the client is nil")
	}
	prefix, err := opts.resolve()
	if err != nil {
		return nil, err
	}
	s := &Store{client: client, prefix: prefix}
	if opts.CacheTTL > 0 {
		s.cache = newCache(opts.CacheTTL)
	}
	return s, nil
}

// Load implements [session.Store] with one GET, or with none if the record is cached.
func (s *Store) Load(ctx context.Context, id string) (*session.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, explain("load", err)
	}
	rec, err := s.load(ctx, id)
	if err != nil {
		return nil, explain("load", err)
	}
	return rec, nil
}

func (s *Store) load(ctx context.Context, id string) (*session.Record, error) {
	if s.cache == nil || newest.Wanted(ctx) {
		return parse(id, s.read(ctx, s.get(id)))
	}
	wrote := s.cache.last(id)
	rec, err := parse(id, s.cached(ctx, id, wrote.turn))
	if wrote.doubts(rec, err) {
		return parse(id, s.read(ctx, s.get(id)))
	}
	if rec != nil {
		rec.Data = bytes.Clone(rec.Data) // the client has what it has answered for others, too
	}
	return rec, err
}

// parse makes a record of the reply to a GET, of which its Data are a part.
func parse(id string, reply rueidis.RedisResult) (*session.Record, error) {
	value, err := reply.AsBytes()
	if rueidis.IsRedisNil(err) {
		return nil, session.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return decode(id, value)
}

func (s *Store) get(id string) command { return query("GET", s.recordKey(id)) }

// Delete implements [session.Store] with one script, and one more if the record was on a user's list.
func (s *Store) Delete(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return explain("delete", err)
	}
	if s.cache != nil {
		defer s.cache.changed(id)
	}
	was, err := s.remove(ctx, id, "").ToString()
	if err != nil {
		return explain("delete", err)
	}
	if e, ok := parseEntry(was); ok {
		s.run(ctx, s.unlist(e, id))
	}
	return nil
}

// remove deletes a record: any, or only the one with that token.
func (s *Store) remove(ctx context.Context, id, token string) rueidis.RedisResult {
	return s.run(ctx, removeScript.call(s.keys(id), id, token, s.channel()))
}

// Touch implements [session.Toucher] with one script.
func (s *Store) Touch(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
	if err := ctx.Err(); err != nil {
		return explain("touch", err)
	}
	if s.cache != nil {
		defer s.cache.changed(id)
	}
	reply := s.run(ctx, touchScript.call([]string{s.recordKey(id)},
		format+decimal(version), micros(seen), expiry(expires), remains(seen, expires)))
	if err := reply.Error(); err != nil {
		return explain("touch", err)
	}
	return nil
}

// explain says what was being done. A key of another type is nothing that this store wrote.
func explain(doing string, err error) error {
	if isWrongType(err) {
		err = fmt.Errorf("%w: %w", session.ErrCorrupt, err)
	}
	return fmt.Errorf("redisstore: %s: %w", doing, err)
}

func isWrongType(err error) bool {
	e, ok := rueidis.IsRedisErr(err)
	return ok && strings.HasPrefix(e.Error(), "WRONGTYPE")
}
