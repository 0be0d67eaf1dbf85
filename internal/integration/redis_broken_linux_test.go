package integration_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/redisstore"
)

// Whoever only reads does not hear of a connection that was closed, also while the next one is being closed.
func TestNoReadOfRedisFailsForABrokenConnection(t *testing.T) {
	r, err := servers.NewRedis()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Stop()
	for name, opts := range map[string]rueidis.ClientOption{
		"as it comes": {}, "always pipelining": {AlwaysPipelining: true}, "without retries": {DisableRetry: true},
	} {
		for _, ttl := range []time.Duration{0, time.Millisecond} {
			t.Run(name+", cached for "+ttl.String(), func(t *testing.T) {
				opts.InitAddress = []string{r.Addr}
				store := redisStore(t, redisClient(t, opts), redisstore.Options{Prefix: newPrefix(), CacheTTL: ttl})
				save(t, store, &session.Record{ID: "a", User: "ada"})
				readsWhileKilled(t, r, store)
			})
		}
	}
}

func readsWhileKilled(t *testing.T, r *servers.Redis, store *redisstore.Store) {
	for name, read := range map[string]func() error{
		"Load":      func() error { _, err := store.Load(t.Context(), "a"); return err },
		"ByUser":    func() error { _, err := store.ByUser(t.Context(), "ada"); return err },
		"Page":      func() error { _, err := store.Page(t.Context(), "", 10); return err },
		"Remaining": func() error { _, err := store.Remaining(t.Context(), "a"); return err },
	} {
		failed := 0
		for range 20 {
			if _, err := r.CLI(t.Context(), "CLIENT", "KILL", "TYPE", "normal"); err != nil {
				t.Fatal(err)
			}
			if err := read(); err != nil {
				failed++
				t.Logf("%s: %v", name, err)
			}
		}
		if failed > 0 {
			t.Errorf("%d of 20 calls of %s failed", failed, name)
		}
	}
}

// cutter ends connections on which something is asked, as often as left says.
type cutter struct {
	word string
	left atomic.Int32
}

func (c *cutter) cut(conn net.Conn) {
	if c.left.Add(-1) >= 0 {
		conn.Close()
	}
}

func (c *cutter) dial(ctx context.Context, addr string, d *net.Dialer, tls *tls.Config) (net.Conn, error) {
	return onWord(c.word, c.cut)(ctx, addr, d, tls)
}

type dial func(ctx context.Context, addr string, d *net.Dialer, _ *tls.Config) (net.Conn, error)

// onWord dials connections, and does something with one before a word is sent on it.
func onWord(word string, do func(net.Conn)) dial {
	return func(ctx context.Context, addr string, d *net.Dialer, _ *tls.Config) (net.Conn, error) {
		conn, err := d.DialContext(ctx, "tcp", addr)
		return wordConn{conn, word, do}, err
	}
}

type wordConn struct {
	net.Conn
	word string
	do   func(net.Conn)
}

func (c wordConn) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("\r\n"+c.word+"\r\n")) {
		c.do(c.Conn)
	}
	return c.Conn.Write(b)
}

// The connection that takes the place of a broken one may break as well.
func TestARedisReadMeetsThreeBrokenConnections(t *testing.T) {
	cut := cutter{word: "GET"}
	client := redisClient(t, rueidis.ClientOption{InitAddress: singleRedis(t), DialCtxFn: cut.dial})
	store := redisStore(t, client, redisstore.Options{Prefix: newPrefix()})
	save(t, store, &session.Record{ID: "a"})
	cut.left.Store(3)
	loaded(t, store, "a")
	if left := cut.left.Load(); left >= 0 {
		t.Errorf("%d connections were not broken", left+1)
	}
}
