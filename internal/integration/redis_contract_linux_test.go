package integration_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/redisstore"
	"github.com/coatcheck/session/sessiontest"
)

var prefixes atomic.Int64

// newPrefix parts the stores of tests that share a server.
func newPrefix() string { return fmt.Sprintf("test%d:", prefixes.Add(1)) }

// singleRedis returns the address of the shared server, whose absence is a failure.
func singleRedis(t testing.TB) []string {
	t.Helper()
	r, err := servers.SharedRedis()
	if err != nil {
		t.Fatal(err)
	}
	return []string{r.Addr}
}

func clusterRedis(t testing.TB) []string {
	t.Helper()
	nodes, err := servers.RedisCluster()
	if err != nil {
		t.Fatal(err)
	}
	var addrs []string
	for _, node := range nodes {
		addrs = append(addrs, node.Addr)
	}
	return addrs
}

func sentinelRedis(t testing.TB) rueidis.ClientOption {
	t.Helper()
	own, err := servers.SharedSentinel()
	if err != nil {
		t.Fatal(err)
	}
	return rueidis.ClientOption{InitAddress: []string{own.Addr},
		Sentinel: rueidis.SentinelOption{MasterSet: servers.MasterSet}}
}

func redisClient(t testing.TB, opts rueidis.ClientOption) rueidis.Client {
	t.Helper()
	client, err := rueidis.NewClient(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// gate is a way to a server that can be shut.
type gate struct {
	mu    sync.Mutex
	shut  bool
	conns []net.Conn
}

var errShut = errors.New("the way to the server is shut")

func (g *gate) dial(ctx context.Context, addr string, d *net.Dialer, _ *tls.Config) (net.Conn, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return nil, errShut
	}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err == nil {
		g.conns = append(g.conns, conn)
	}
	return conn, err
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
	for _, conn := range g.conns {
		conn.Close()
	}
}

func redisStore(t testing.TB, client rueidis.Client, opts redisstore.Options) *redisstore.Store {
	t.Helper()
	store, err := redisstore.New(client, opts)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// spoilRedis damages the record of that id. It finds the key by its end, so that the test need not know how keys begin.
func spoilRedis(t testing.TB, client rueidis.Client, prefix, id string) {
	t.Helper()
	ctx, spoilt := context.Background(), 0
	for _, node := range client.Nodes() {
		keys, err := node.Do(ctx, node.B().Keys().Pattern(prefix+"s{*}"+id).Build()).AsStrSlice()
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			spoilt++
			if err := client.Do(ctx, client.B().Setrange().Key(key).Offset(30).Value("x").Build()).Error(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if spoilt != 1 {
		t.Fatalf("%d records were damaged, want 1", spoilt)
	}
}

// redisPlace is where a store of a test lies.
type redisPlace struct {
	gate *gate
	opts redisstore.Options
}

func TestRedisKeepsTheContract(t *testing.T) {
	for name, client := range map[string]func(testing.TB) rueidis.ClientOption{
		"single": func(t testing.TB) rueidis.ClientOption {
			return rueidis.ClientOption{InitAddress: singleRedis(t)}
		},
		"cluster": func(t testing.TB) rueidis.ClientOption {
			return rueidis.ClientOption{InitAddress: clusterRedis(t)}
		},
		"sentinel": sentinelRedis,
	} {
		for mode, ttl := range map[string]time.Duration{"": 0, ", cached": time.Minute} {
			t.Run(name+mode, func(t *testing.T) {
				t.Parallel()
				runRedisContract(t, client(t), ttl)
			})
		}
	}
}

func runRedisContract(t *testing.T, client rueidis.ClientOption, ttl time.Duration) {
	other := redisClient(t, client)
	var places sync.Map
	at := func(s session.Store) redisPlace { p, _ := places.Load(s); return p.(redisPlace) }
	open := func(t *testing.T, opts redisstore.Options) session.Store {
		g, own := &gate{}, client
		own.DialCtxFn = g.dial
		store := redisStore(t, redisClient(t, own), opts)
		places.Store(store, redisPlace{g, opts})
		return store
	}
	opts := sessiontest.Options{
		Break: func(_ *testing.T, s session.Store) { at(s).gate.close() },
		Corrupt: func(t *testing.T, s session.Store, id string) {
			spoilRedis(t, other, at(s).opts.Prefix, id)
		},
	}
	if ttl == 0 { // another process sees changes when it is told of them, and not at once
		opts.Peer = func(t *testing.T, s session.Store) session.Store {
			return open(t, at(s).opts)
		}
	}
	sessiontest.Run(t, func(t *testing.T) session.Store {
		return open(t, redisstore.Options{Prefix: newPrefix(), CacheTTL: ttl})
	}, opts)
}
