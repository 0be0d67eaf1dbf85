package integration_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/redisstore"
)

// holding keeps the answers of a server back, once it is told to, until that word was sent.
type holding struct {
	word string

	mu   sync.Mutex
	sent chan struct{} // nil: nothing is kept back
}

type holdingConn struct {
	net.Conn
	*holding
}

func (h *holding) dial(ctx context.Context, addr string, d *net.Dialer, _ *tls.Config) (net.Conn, error) {
	conn, err := d.DialContext(ctx, "tcp", addr)
	return holdingConn{conn, h}, err
}

func (h *holding) begin() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sent = make(chan struct{})
}

func (h *holding) until() chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sent
}

func (c holdingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if sent := c.until(); sent != nil {
		<-sent
	}
	return n, err
}

func (c holdingConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sent != nil && bytes.Contains(b, []byte("\r\n"+c.word+"\r\n")) {
		close(c.sent)
		c.sent = nil
	}
	return c.Conn.Write(b)
}

// A node that caches knows what it has written: a write that follows a write is one trip, in which the new record comes
// into the cache under the eyes of the server. That it is one is seen by who answers nothing until all of it was sent.
func TestAWriteOnANodeThatCachesIsOneTrip(t *testing.T) {
	hold := &holding{word: "GETRANGE"}
	prefix := newPrefix()
	store := redisStore(t, redisClient(t, rueidis.ClientOption{InitAddress: singleRedis(t), DialCtxFn: hold.dial,
		PipelineMultiplex: -1}), redisstore.Options{Prefix: prefix, CacheTTL: time.Minute})
	m, b := node(t, store), newBrowser(t)
	count := func(s *session.Session) { s.Set("n", s.GetOr("n", int64(0)).(int64)+1) }
	b.with(m, count)
	b.with(m, count)
	b.with(m, func(s *session.Session) { s.Get("n") }) // of what was read ahead nothing is on its way any more
	for n := int64(3); n < 20; n++ {
		hold.begin()
		if status := b.with(m, count).StatusCode; status != 200 {
			t.Fatalf("status %d: the server waited for a command that came after its answer", status)
		}
		b.with(m, func(s *session.Session) {
			if got := s.Get("n"); got != n {
				t.Errorf("after %d writes the count is %v", n, got)
			}
		})
	}
}

// hearing remembers over which of its connections a client sends a word.
type hearing struct {
	mu    sync.Mutex
	heard map[string]map[net.Conn]bool
}

type heardConn struct {
	net.Conn
	*hearing
}

func (h *hearing) dial(ctx context.Context, addr string, d *net.Dialer, _ *tls.Config) (net.Conn, error) {
	conn, err := d.DialContext(ctx, "tcp", addr)
	return heardConn{conn, h}, err
}

func (c heardConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for word, on := range c.heard {
		if bytes.Contains(b, []byte("\r\n"+word+"\r\n")) {
			on[c.Conn] = true
		}
	}
	return c.Conn.Write(b)
}

// A read can only follow the change at its heels where both take the same way.
func TestTheReadBehindAWriteGoesOverTheSameConnection(t *testing.T) {
	h := &hearing{heard: map[string]map[net.Conn]bool{"EVALSHA": {}, "GETRANGE": {}}}
	store := redisStore(t, redisClient(t, rueidis.ClientOption{InitAddress: singleRedis(t), DialCtxFn: h.dial,
		PipelineMultiplex: 2}), redisstore.Options{Prefix: newPrefix(), CacheTTL: time.Minute})
	now := time.Now().UTC().Truncate(time.Microsecond)
	for n := range 50 {
		rec := &session.Record{ID: fmt.Sprint(n), SeenAt: now}
		save(t, store, rec)
		for v := range 3 {
			rec.Version = uint64(v + 1)
			save(t, store, rec)
			if got := loaded(t, store, rec.ID).Version; got != rec.Version+1 {
				t.Fatalf("after the save of version %d a load has version %d", rec.Version+1, got)
			}
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	all := map[net.Conn]bool{}
	for word, on := range h.heard {
		if len(on) == 0 {
			t.Errorf("no %s was sent", word)
		}
		maps.Copy(all, on)
	}
	if len(all) != 1 {
		t.Errorf("changes and the reads behind them went over %d connections, want one", len(all))
	}
}

// The cache is good again after a touch, a conflict and a delete, and never shows what was before.
func TestWhatWasChangedIsCachedAgain(t *testing.T) {
	ctx := t.Context()
	opts := redisstore.Options{Prefix: newPrefix(), CacheTTL: time.Minute}
	store, _, seen := redisThrough(t, opts)
	other := redisStore(t, redisClient(t, rueidis.ClientOption{InitAddress: singleRedis(t)}), opts)
	now := time.Now().UTC().Truncate(time.Microsecond)
	save(t, store, &session.Record{ID: "a", SeenAt: now, ExpiresAt: now.Add(time.Hour)})
	for name, change := range map[string]func() error{
		"touch": func() error { now = now.Add(time.Minute); return store.Touch(ctx, "a", 1, now, now.Add(time.Hour)) },
		"delete and create": func() error {
			return errors.Join(store.Delete(ctx, "a"), store.Save(ctx, &session.Record{ID: "a", SeenAt: now}))
		},
		"conflict": func() error {
			if err := store.Save(ctx, &session.Record{ID: "a", Version: 9}); !errors.Is(err, session.ErrConflict) {
				return fmt.Errorf("a save of a version that is not there: %w", err)
			}
			return nil
		},
		"delete and create elsewhere": func() error {
			return errors.Join(store.Delete(ctx, "a"), other.Save(ctx, &session.Record{ID: "a", SeenAt: now}))
		},
	} {
		if err := change(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if rec := loaded(t, store, "a"); !rec.SeenAt.Equal(now) {
			t.Errorf("after a %s the session was seen at %v, want %v", name, rec.SeenAt, now)
		}
		loaded(t, store, "a")
		seen.take()
		loaded(t, store, "a")
		if sent := seen.take(); sent != "" {
			t.Errorf("after a %s the third read sent %q", name, sent)
		}
	}
}

// Saves and touches that move an end leave the index as it is. A sweep that meets such a session keeps it, and is kept
// from nothing by a thousand of them.
func TestASweepKeepsWhatWasUsedMeanwhile(t *testing.T) {
	y := newYear(t, singleRedis(t))
	const sessions = 1000
	ctx, first, second := t.Context(), y.after(1), y.after(2)
	for i := range sessions {
		id, rec := fmt.Sprint("id", i), &session.Record{ExpiresAt: first}
		rec.ID = id
		save(t, y.store, rec)
		rec.Version, rec.ExpiresAt = 1, second
		switch i % 4 {
		case 0:
			save(t, y.store, rec)
		case 1:
			if err := y.store.Touch(ctx, id, 1, second, second); err != nil {
				t.Fatal(err)
			}
		case 2: // for good, and then not
			rec.ExpiresAt = time.Time{}
			save(t, y.store, rec)
			rec.Version, rec.ExpiresAt = 2, second
			save(t, y.store, rec)
		case 3: // until later, and then not
			rec.ExpiresAt = y.after(3)
			save(t, y.store, rec)
			rec.Version, rec.ExpiresAt = 2, second
			save(t, y.store, rec)
		}
	}
	save(t, y.store, &session.Record{ID: "stays", ExpiresAt: first})
	save(t, y.store, &session.Record{ID: "stays", Version: 1})
	for _, tt := range []struct {
		before time.Time
		want   int
	}{{first.Add(time.Microsecond), 0}, {second, 0}, {second.Add(time.Microsecond), sessions}} {
		n := 0
		for range 50 {
			swept, err := y.store.Sweep(ctx, tt.before, 100)
			if err != nil {
				t.Fatal(err)
			}
			n += swept
		}
		if n != tt.want {
			t.Errorf("Sweep before %v = %d, want %d", tt.before, n, tt.want)
		}
	}
	loaded(t, y.store, "stays")
	if due := y.keys("d{*"); len(due) > 0 {
		t.Errorf("%q are left, want nothing due", due)
	}
}

// A new record whose id is taken leaves nothing behind that a sweep could take for it.
func TestAnIDThatIsTakenLeavesNothingDue(t *testing.T) {
	y := newYear(t, singleRedis(t))
	end := y.after(1)
	save(t, y.store, &session.Record{ID: "a", User: "ada", ExpiresAt: end})
	var with *session.ConflictError
	for _, err := range []error{
		y.store.Save(t.Context(), &session.Record{ID: "a", User: "ada", ExpiresAt: end}),
		y.store.Save(t.Context(), &session.Record{ID: "a", ExpiresAt: end}),
	} {
		if !errors.As(err, &with) || with.Newest.Version != 1 {
			t.Errorf("Save of an id that is taken = %v, want a conflict with the record", err)
		}
	}
	if n, err := y.do("ZCARD", y.keys("d{*")[0]).AsInt64(); n != 1 || err != nil {
		t.Errorf("%d are due, %v, want the record", n, err)
	}
	if _, err := y.store.Sweep(t.Context(), end, 10); err != nil {
		t.Fatal(err)
	}
	if recs, err := y.store.ByUser(t.Context(), "ada"); len(recs) != 1 || err != nil {
		t.Errorf("ByUser = %v, %v, want the record", recs, err)
	}
}

// What creates a record is several commands. When one of them fails, nothing is left of the others.
func TestANewRecordThatIsInNoIndexIsUndone(t *testing.T) {
	for _, index := range []string{"i{", "d{"} {
		y := newYear(t, singleRedis(t))
		rec := &session.Record{ID: "a", User: "ada", ExpiresAt: y.after(1)}
		save(t, y.store, rec)
		broken := y.keys(index + "*")[0]
		if err := y.store.Delete(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		y.do("SET", broken, "something else")
		for _, user := range []string{"ada", ""} {
			rec.User = user
			if err := y.store.Save(t.Context(), rec); err == nil || errors.Is(err, session.ErrConflict) {
				t.Errorf("Save with a broken index = %v, want an error", err)
			}
			if _, err := y.store.Load(t.Context(), "a"); !errors.Is(err, session.ErrNotFound) {
				t.Errorf("Load = %v, want ErrNotFound", err)
			}
		}
		if recs, err := y.store.ByUser(t.Context(), "ada"); len(recs) != 0 || err != nil {
			t.Errorf("ByUser = %v, %v, want none", recs, err)
		}
	}
}
