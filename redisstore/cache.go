package redisstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
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
func (s *Store) cached(ctx context.Context, id string, turn uint64) rueidis.RedisResult {
	reply := s.askCache(ctx, id, turn)
	if judge(reply.Error()) != stands && ctx.Err() == nil {
		return s.read(ctx, s.get(id))
	}
	return reply
}

func (s *Store) askCache(ctx context.Context, id string, turn uint64) rueidis.RedisResult {
	patient := bounded.Within(ctx, cachedPatience)
	defer patient.End()
	get := rueidis.Cacheable(s.getIn(turn, id).build(s.client.B(), nil))
	// It is not to be used again for another command: the client may have tried it on a connection that broke, and the
	// goroutine that was to write it there may still be reading it.
	return s.client.DoCache(patient, get.Pin().ToStaticTTL(), s.cache.ttl)
}

// getIn reads the same as get does. The cache keeps what it got for each command, so that one that it has never seen
// reaches the server.
func (s *Store) getIn(turn uint64, id string) command {
	c := s.get(id)
	if turn > 0 {
		c = query("GETRANGE", c.key, "0", strconv.FormatUint(beyond+turn, 10))
	}
	c.keyless = s.alone()
	return c
}

// beyond is further than any value of Redis reaches.
const beyond = 1 << 40

// readAhead has the record that a script makes read into the cache behind it. Both go to the server on one connection,
// the read at the script's heels. Nobody waits for it, and it ends soon, with [cachedPatience] or with the client; who
// reads the record meanwhile joins it. Where it overtakes the script all the same, as it may in a cluster, the change
// takes out of the cache what came too early.
func (s *Store) readAhead(ctx context.Context, id string, c *command) (turn uint64) {
	turn = s.cache.next()
	c.keyless = s.alone()
	c.ahead = func() { go s.askCache(context.WithoutCancel(ctx), id, turn) }
	return turn
}

// alone reports whether there is one server, and no cluster that goes by keys.
func (s *Store) alone() bool { return s.client.Mode() != rueidis.ClientModeCluster }

// cache remembers what this store has written, for as long as the client may still have what was there before: that the
// server tells the client of a change takes a moment, in which whoever wrote must not read the old state.
type cache struct {
	ttl time.Duration

	mu         sync.Mutex
	since      time.Time
	turns      uint64
	young, old map[string]written // old is forgotten when young is as old as the ttl
}

// written says how a record is read that this store has written.
type written struct {
	version uint64 // an older one may come of a read that overtook the change
	turn    uint64 // what was read in an earlier one is out of date; see getIn
}

func newCache(ttl time.Duration) *cache {
	// Another store on this client counts turns of its own, and must not meet these.
	return &cache{ttl: ttl, since: now(), turns: rand.Uint64N(1 << 50), young: make(map[string]written)}
}

// next begins a turn.
func (c *cache) next() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turns++
	return c.turns
}

// last returns what is known of a record.
func (c *cache) last(id string) written {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rotate()
	return c.find(id)
}

// changed notes that a record may have changed just now. The reads that begin from here on see how.
func (c *cache) changed(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rotate()
	c.turns++
	c.young[id] = written{turn: c.turns}
}

// saved notes what is known after a record was to be replaced, which was read ahead in a turn.
func (c *cache) saved(rec *session.Record, turn uint64, err error) {
	var with *session.ConflictError
	version := rec.Version + 1
	if errors.As(err, &with) {
		version = with.Newest.Version
	} else if err != nil {
		c.changed(rec.ID)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rotate()
	last := c.find(rec.ID)
	c.young[rec.ID] = written{max(version, last.version), max(turn, last.turn)}
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

func (c *cache) find(id string) written {
	if w, ok := c.young[id]; ok {
		return w
	}
	return c.old[id]
}

// doubts reports whether the answer of the client's cache may be older than what this store wrote.
func (w written) doubts(rec *session.Record, err error) bool {
	if err != nil && !errors.Is(err, session.ErrNotFound) && !errors.Is(err, session.ErrCorrupt) {
		return false // the server did not answer, and would not now
	}
	if rec == nil {
		return w.turn > 0 // GETRANGE says of an empty value what it says of none
	}
	return rec.Version < w.version
}
