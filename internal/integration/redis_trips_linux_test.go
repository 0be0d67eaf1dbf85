package integration_test

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/redisstore"
)

// redisTrips notes the commands that a client sends at once as one trip: "EVALSHA+EVALSHA".
func redisTrips(l *trips) func([]byte) {
	var buf []byte
	return func(b []byte) {
		buf = append(buf, b...)
		var batch []string
		for {
			words, size := redisCommand(buf)
			if size == 0 {
				break
			}
			batch, buf = append(batch, words[0]), slices.Clone(buf[size:])
		}
		if len(batch) > 0 {
			l.note(strings.Join(batch, "+"))
		}
	}
}

// redisCommand reads one command, an array of bulk strings, and returns how many bytes it has; 0 when it is not whole
// yet.
func redisCommand(buf []byte) (words []string, size int) {
	n, at := redisLine(buf, 0)
	for range n {
		length, from := redisLine(buf, at)
		if from == 0 || len(buf) < from+length+2 {
			return nil, 0
		}
		words, at = append(words, string(buf[from:from+length])), from+length+2
	}
	return words, at
}

func redisLine(buf []byte, from int) (n, next int) {
	end := bytes.Index(buf[from:], []byte("\r\n"))
	if end < 1 {
		return 0, 0
	}
	n, _ = strconv.Atoi(string(buf[from+1 : from+end]))
	return n, from + end + 2
}

// redisThrough returns a store whose connections go through a proxy that notes their trips.
func redisThrough(t *testing.T, opts redisstore.Options) (*redisstore.Store, *servers.Proxy, *trips) {
	t.Helper()
	proxy, seen := servers.NewProxy(t, singleRedis(t)[0]), &trips{}
	proxy.Watch(func() func([]byte) { return redisTrips(seen) })
	client := redisClient(t, rueidis.ClientOption{
		InitAddress: []string{proxy.Addr}, ForceSingleClient: true, PipelineMultiplex: -1,
	})
	return redisStore(t, client, opts), proxy, seen
}

// Promise 3: the cost of everything is known, trip by trip, at the connection.
func TestRedisCostsAsManyRoundTripsAsPromised(t *testing.T) {
	var mu sync.Mutex
	at := time.Now()
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return at }
	advance := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); at = at.Add(d) }
	prefix := newPrefix()
	store, _, seen := redisThrough(t, redisstore.Options{Prefix: prefix})
	change := func(o *session.Options) { o.Now, o.RenewEvery = clock, 12*time.Hour }
	m := node(t, store, change)
	other := node(t, redisStore(t, redisClient(t, rueidis.ClientOption{InitAddress: singleRedis(t)}),
		redisstore.Options{Prefix: prefix}), change)

	read := func(s *session.Session) { s.Get("x") }
	write := func(s *session.Session) { s.Set("x", clock().UnixNano()) }
	warm := newBrowser(t) // every script is known by then
	warm.with(m, write)
	warm.with(m, func(s *session.Session) { write(s); s.Login("ada") })
	advance(time.Hour)
	warm.with(m, read)
	warm.with(m, func(s *session.Session) { s.Logout() })
	b, late := newBrowser(t), newBrowser(t)
	seen.take()
	for _, step := range []struct {
		name string
		do   func()
		want string
	}{
		{"a request that does not touch its session", func() { b.with(m, func(*session.Session) {}) }, ""},
		{"a read without a session", func() { newBrowser(t).with(m, read) }, ""},
		{"the first save", func() { b.with(m, write) }, "SET+ZADD+ZADD"},
		{"the first save with a user", func() { newBrowser(t).with(m, func(s *session.Session) { s.Login("eve") }) },
			"EVALSHA+SET+ZADD+ZADD"},
		{"a read", func() { b.with(m, read) }, "GET"},
		{"a read and a write", func() { b.with(m, func(s *session.Session) { read(s); write(s) }) }, "GET EVALSHA"},
		{"a read that is due for a touch", func() { advance(time.Hour); b.with(m, read) }, "GET EVALSHA"},
		{"a write that is due for a touch", func() { advance(time.Hour); b.with(m, write) }, "GET EVALSHA"},
		{"a login", func() { b.with(m, func(s *session.Session) { s.Login("ada") }) },
			"GET EVALSHA+SET+ZADD+ZADD EVALSHA"},
		{"a conflict", func() { b.with(m, func(s *session.Session) { s.Set("mine", 1); b.with(other, write) }) },
			"GET EVALSHA EVALSHA"},
		{"a renewal of a user's session", func() {
			late.jar.SetCookies(mustURL(t), b.jar.Cookies(mustURL(t)))
			advance(13 * time.Hour)
			b.with(m, read)
		}, "GET EVALSHA+SET+ZADD+ZADD EVALSHA EVALSHA"},
		{"a read through the alias", func() { late.with(m, read) }, "GET GET"},
		{"a logout", func() { b.with(m, func(s *session.Session) { s.Logout() }) }, "GET EVALSHA EVALSHA"},
	} {
		step.do()
		if got := seen.take(); got != step.want {
			t.Errorf("%s: %q, want %q", step.name, got, step.want)
		}
	}
}

// That there is no record is an answer.
func TestRedisIsAskedOnceForWhatIsNotThere(t *testing.T) {
	for _, ttl := range []time.Duration{0, time.Minute} {
		store, _, seen := redisThrough(t, redisstore.Options{Prefix: newPrefix(), CacheTTL: ttl})
		if _, err := store.Load(t.Context(), "absent"); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("Load = %v, want ErrNotFound", err)
		}
		if sent := seen.take(); strings.Count(sent, "GET") != 1 {
			t.Errorf("%q was sent, want one GET", sent)
		}
	}
}

// With a cache, a read of what was read before costs nothing.
func TestRedisReadsFromTheCacheForNothing(t *testing.T) {
	store, _, seen := redisThrough(t, redisstore.Options{Prefix: newPrefix(), CacheTTL: time.Minute})
	m, b := node(t, store), newBrowser(t)
	b.with(m, func(s *session.Session) { s.Set("x", 1) })
	b.with(m, func(s *session.Session) { s.Get("x") })
	seen.take()
	b.with(m, func(s *session.Session) {
		if got, _ := s.Get("x").(int64); got != 1 {
			t.Errorf("Get = %v, want 1", s.Get("x"))
		}
	})
	if got := seen.take(); got != "" {
		t.Errorf("a read from the cache: %q, want no trip", got)
	}
}
