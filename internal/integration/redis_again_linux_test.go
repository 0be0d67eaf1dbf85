package integration_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/redisstore"
)

// What the server says it has not run is tried again until it is run: by changes, too, for none can be done twice.
func TestRedisIsAskedAgainWhileItRefuses(t *testing.T) {
	for name, reluctant := range reluctantServers {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // each has servers of its own
			c := newCaller(t, reluctant(t), 0)
			c.each(func(call string, do func(context.Context) error) {
				c.refuse()
				if err := c.during(t.Context(), do, c.allow); err != nil {
					t.Errorf("%s: %v", call, err)
				}
			})
		})
	}
}

// A load that the client caches is a transaction of its own, which the server refuses with another answer.
func TestRedisIsAskedAgainForWhatIsToBeCached(t *testing.T) {
	for name, reluctant := range reluctantServers {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // each has servers of its own
			c := newCaller(t, reluctant(t), time.Minute)
			c.each(func(call string, do func(context.Context) error) {
				if call == "Load" {
					c.refuse()
					do = func(ctx context.Context) error { return c.during(ctx, c.load, c.allow) }
				}
				if err := do(t.Context()); err != nil {
					t.Errorf("%s: %v", call, err)
				}
			})
		})
	}
}

// Nobody waits for longer than he wants to, and then he is told of an outage.
func TestARedisThatRefusesForTooLongIsAnOutage(t *testing.T) {
	for name, reluctant := range reluctantServers {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // each has servers of its own
			c := newCaller(t, reluctant(t), 0)
			c.each(func(call string, do func(context.Context) error) {
				c.refuse()
				ctx, cancel := context.WithCancel(t.Context())
				err := c.during(ctx, do, cancel)
				c.allow()
				if err == nil || errors.Is(err, session.ErrNotFound) || errors.Is(err, session.ErrConflict) {
					t.Errorf("%s: %v, want an outage", call, err)
				}
				if err := do(t.Context()); err != nil {
					t.Errorf("%s, when it is over: %v", call, err)
				}
			})
		})
	}
}

// caller makes calls to a server that refuses commands when it is told to.
type caller struct {
	reluctant
	t     *testing.T
	store *redisstore.Store
	sent  asked
}

// reluctant is such a server.
type reluctant struct {
	addr          string
	keeps         []string // calls that it answers all the same
	refuse, allow func()
}

func newCaller(t *testing.T, r reluctant, ttl time.Duration) *caller {
	c := &caller{reluctant: r, t: t, sent: make(asked, 1000)}
	client := redisClient(t, rueidis.ClientOption{
		InitAddress: []string{r.addr}, DialCtxFn: c.sent.dial, PipelineMultiplex: -1,
	})
	c.store = redisStore(t, client, redisstore.Options{CacheTTL: ttl})
	refuse := c.refuse
	c.refuse = func() {
		refuse()
		for client.Do(t.Context(), client.B().Ping().Build()).NonRedisError() != nil { // the connection is a new one
		}
	}
	c.each(func(call string, do func(context.Context) error) { // every script is known by then
		if err := do(t.Context()); err != nil {
			t.Fatalf("%s: %v", call, err)
		}
	})
	return c
}

// each calls fn with calls that make a record, use it and delete it.
func (c *caller) each(fn func(name string, do func(context.Context) error)) {
	for _, call := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"Save", func(ctx context.Context) error {
			return c.store.Save(ctx, &session.Record{ID: "moving", User: "ada"})
		}},
		{"Load", c.load},
		{"Touch", func(ctx context.Context) error {
			return c.store.Touch(ctx, "moving", 1, time.Now(), time.Now().Add(time.Hour))
		}},
		{"Delete", func(ctx context.Context) error { return c.store.Delete(ctx, "moving") }},
	} {
		if !slices.Contains(c.keeps, call.name) {
			fn(call.name, call.do)
		} else if err := call.do(c.t.Context()); err != nil {
			c.t.Errorf("%s: %v", call.name, err)
		}
	}
}

func (c *caller) load(ctx context.Context) error {
	_, err := c.store.Load(ctx, "moving")
	return err
}

// during makes a call, and does what happens once its command was sent more often than the client does by itself.
func (c *caller) during(ctx context.Context, do func(context.Context) error, happens func()) error {
	for len(c.sent) > 0 {
		<-c.sent
	}
	done := make(chan error, 1)
	go func() { done <- do(ctx) }()
	for range 6 {
		select {
		case <-c.sent:
		case err := <-done:
			happens()
			return fmt.Errorf("answered too early: %w", err)
		}
	}
	happens()
	return <-done
}

// asked hears of each time that a client sends a load, a new record or a script.
type asked chan struct{}

type askedConn struct {
	net.Conn
	asked
}

func (a asked) dial(ctx context.Context, addr string, d *net.Dialer, _ *tls.Config) (net.Conn, error) {
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return askedConn{conn, a}, nil
}

func (c askedConn) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("ET\r")) || bytes.Contains(b, []byte("\nEVAL")) {
		select {
		case c.asked <- struct{}{}:
		default:
		}
	}
	return c.Conn.Write(b)
}
