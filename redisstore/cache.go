package redisstore

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/bounded"
)

// cachedPatience bounds how long the client tries a cached read again, which it would do until the context ends. A
// visitor should not wait that long to be told that the server cannot be reached.
const cachedPatience = 500 * time.Millisecond

// cached asks the client's cache, which asks the server for what it does not have. A server that is slow, away or busy
// is asked without it.
func (s *Store) cached(ctx context.Context, id string) rueidis.RedisResult {
	patient := bounded.Within(ctx, cachedPatience)
	defer patient.End()
	get := s.get(id)
	reply := s.client.DoCache(patient, rueidis.Cacheable(get.build(s.client.B(), nil)), s.cache.ttl)
	if judge(reply.Error()) != stands && ctx.Err() == nil {
		return s.read(ctx, get)
	}
	return reply
}

// cache remembers what this store has written, for as long as the client may still have what was there before: that the
// server tells the client of a change takes a moment, in which whoever wrote must not read the old state.
type cache struct {
	ttl time.Duration

	mu         sync.Mutex
	since      time.Time
	young, old map[string]written // old is forgotten when young is as old as the ttl
}

// written says what a cached record must be to be newer than what was written.
type written struct {
	version uint64
	never   bool // no cached record is
}

func newCache(ttl time.Duration) *cache {
	return &cache{ttl: ttl, since: now(), young: make(map[string]written)}
}

// tried notes what is known after a save, also after one of which it is not known whether it was done.
func (c *cache) tried(rec *session.Record, err error) {
	var with *session.ConflictError
	switch {
	case errors.As(err, &with):
		c.note(rec.ID, written{version: with.Newest.Version})
	case !errors.Is(err, session.ErrConflict):
		c.note(rec.ID, written{version: rec.Version + 1})
	}
}

func (c *cache) deleted(id string) { c.note(id, written{never: true}) }
func (c *cache) touched(id string) { c.note(id, written{never: true}) }

func (c *cache) note(id string, w written) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rotate()
	if last, ok := c.find(id); ok {
		w.version = max(w.version, last.version)
		w.never = w.never || last.never && w.version == 1 // of an id that was used before, any version may be cached
	}
	c.young[id] = w
}

// now measures how long ago this process did something, and judges no record.
func now() time.Time { return time.Now() }

func (c *cache) rotate() {
	switch age := now().Sub(c.since); {
	case age >= 2*c.ttl:
		c.young, c.old, c.since = make(map[string]written), nil, now()
	case age >= c.ttl:
		c.young, c.old, c.since = make(map[string]written), c.young, now()
	}
}

func (c *cache) find(id string) (written, bool) {
	w, ok := c.young[id]
	if !ok {
		w, ok = c.old[id]
	}
	return w, ok
}

// stale reports whether the answer of the client's cache may be older than what this store wrote.
func (c *cache) stale(id string, rec *session.Record, err error) bool {
	if err != nil && !errors.Is(err, session.ErrNotFound) && !errors.Is(err, session.ErrCorrupt) {
		return false // the server did not answer, and would not now
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rotate()
	w, ok := c.find(id)
	return ok && (w.never || rec == nil || rec.Version < w.version)
}
