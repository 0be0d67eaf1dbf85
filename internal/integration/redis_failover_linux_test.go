package integration_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/redisstore"
)

// Whatever becomes of the servers: every answered write that the surviving primary had is there, nobody is signed out,
// and it goes on without a restart.
func TestAnsweredWritesSurviveAFailover(t *testing.T) {
	t.Run("Sentinel, the primary is killed", func(t *testing.T) {
		t.Parallel()
		own, err := servers.NewSentinel()
		if err != nil {
			t.Fatal(err)
		}
		c := newWriters(t, rueidis.ClientOption{
			InitAddress: []string{own.Addr},
			Sentinel:    rueidis.SentinelOption{MasterSet: servers.MasterSet, TopologyRefreshInterval: time.Second},
		})
		c.during(func() {
			c.kill(own.Primary, own.Replica, func() error { return own.FailOver(t.Context()) })
		})
	})
	t.Run("Cluster", func(t *testing.T) {
		t.Parallel()
		nodes, err := servers.NewRedisCluster(1)
		if err != nil {
			t.Fatal(err)
		}
		c := newWriters(t, rueidis.ClientOption{InitAddress: []string{nodes[0].Addr, nodes[1].Addr, nodes[2].Addr}})
		primaries, replicas := c.pairs(nodes)
		c.during(func() { c.moveSlots(primaries[0], primaries[1]) })
		c.during(func() { c.swap(replicas[0]) })
		alive := slices.DeleteFunc(nodes, func(r *servers.Redis) bool { return r == primaries[1] })
		c.during(func() {
			c.kill(primaries[1], replicas[1], func() error { return servers.FailOver(t.Context(), replicas[1], alive) })
		})
	})
}

// writers are 24 visitors who change their sessions all the time, through two nodes.
type writers struct {
	t        *testing.T
	nodes    [2]*session.Manager
	visitors []*writer
	pause    sync.RWMutex // held for writing, no request is under way
}

type writer struct {
	*browser
	user             string
	answered, failed int
}

func newWriters(t *testing.T, opts rueidis.ClientOption) *writers {
	c := &writers{t: t}
	for i := range c.nodes {
		store := redisStore(t, redisClient(t, opts), redisstore.Options{})
		c.nodes[i] = node(t, store, func(o *session.Options) { o.RenewEvery = 300 * time.Millisecond })
	}
	for i := range 24 {
		user := fmt.Sprint("user ", i)
		c.visitors = append(c.visitors, &writer{browser: signedIn(t, c.nodes[i%2], user), user: user})
	}
	return c
}

// during lets the visitors write while something happens, and afterwards until both nodes have answered each of them
// ten times.
func (c *writers) during(happens func()) {
	c.t.Helper()
	over := make(chan struct{})
	ctx, cancel := context.WithCancel(c.t.Context())
	defer cancel()
	var all sync.WaitGroup
	for _, v := range c.visitors {
		all.Go(func() {
			after := [2]int{}
			for n := 0; min(after[0], after[1]) < 10 && ctx.Err() == nil; n++ {
				answered := c.write(c.nodes[n%2], v)
				select {
				case <-over:
					after[n%2] += answered
				default:
				}
			}
		})
	}
	happens()
	close(over)
	defer time.AfterFunc(patience, cancel).Stop()
	all.Wait()
	if ctx.Err() != nil {
		c.t.Errorf("the nodes answer not all of their visitors within %v", patience)
	}
	c.check()
}

// write sends one request, and returns 1 when it is answered.
func (c *writers) write(m *session.Manager, v *writer) int {
	c.pause.RLock()
	defer c.pause.RUnlock()
	resp := v.with(m, func(s *session.Session) {
		if s.User() != v.user {
			c.t.Errorf("%s is signed in as %q", v.user, s.User())
		}
		session.Key[int]("n").Update(s, func(n int) int { return n + 1 })
	})
	switch resp.StatusCode {
	case http.StatusOK:
		v.answered++
		return 1
	case http.StatusServiceUnavailable:
		v.failed++
		time.Sleep(10 * time.Millisecond) // as a browser does not ask in a loop either
	default:
		c.t.Errorf("status %d", resp.StatusCode)
	}
	return 0
}

// check reads every session.
func (c *writers) check() {
	c.t.Helper()
	failed := 0
	for i, v := range c.visitors {
		failed += v.failed
		found := 0
		c.soon(v.user+" is answered", func() bool {
			return v.with(c.nodes[i%2], func(s *session.Session) {
				found = session.Key[int]("n").Or(s, 0)
			}).StatusCode == http.StatusOK
		})
		// A write whose answer was lost may be there.
		if found < v.answered || found > v.answered+v.failed {
			c.t.Errorf("%s has written %d times, %d times failed, and %d are there", v.user, v.answered, v.failed,
				found)
		}
		// What a renewal left that failed in the middle is removed within ten seconds.
		c.soon(v.user+" has one session", func() bool {
			infos, err := c.nodes[i%2].Sessions(c.t.Context(), v.user)
			return err == nil && len(infos) == 1
		})
	}
	c.t.Logf("%d writes failed", failed)
}

// soon waits until it is so. The client takes the map of a cluster from whichever node answers first, and one that is
// behind still names the primary that is gone.
func (c *writers) soon(what string, is func() bool) {
	c.t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			c.t.Errorf("not within %v: %s", patience, what)
			return
		}
	}
}

// kill ends a primary at a moment at which its replica has everything, and has that take over.
func (c *writers) kill(primary, replica *servers.Redis, failOver func() error) {
	c.pause.Lock()
	for c.offset(primary) != c.offset(replica) {
		time.Sleep(time.Millisecond)
	}
	primary.Kill()
	c.pause.Unlock()
	if err := failOver(); err != nil {
		c.t.Error(err)
	}
}

// swap has a replica take over from a primary that lives. The two give an attempt up after five seconds.
func (c *writers) swap(replica *servers.Redis) {
	const each = 100 // every ten seconds
	tries := 0
	c.soon("the replica takes over", func() bool {
		if tries++; tries%each == 1 {
			_, _ = replica.CLI(c.t.Context(), "CLUSTER", "FAILOVER") // it may have come to it already
		}
		return replica.IsPrimary(c.t.Context()) == nil
	})
}

func (c *writers) offset(r *servers.Redis) string {
	info, err := r.CLI(context.Background(), "INFO", "replication")
	if err != nil {
		c.t.Error(err)
	}
	for line := range strings.Lines(info) {
		if offset, ok := strings.CutPrefix(line, "master_repl_offset:"); ok {
			return offset
		}
	}
	return ""
}

// pairs parts the nodes of a cluster with one replica each.
func (c *writers) pairs(nodes []*servers.Redis) (primaries, replicas []*servers.Redis) {
	for _, node := range nodes {
		info, err := node.CLI(c.t.Context(), "INFO", "replication")
		if err != nil {
			c.t.Fatal(err)
		}
		for _, replica := range nodes {
			if strings.Contains(info, fmt.Sprint("port=", replica.Port)) {
				primaries, replicas = append(primaries, node), append(replicas, replica)
			}
		}
	}
	if len(replicas) != 3 {
		c.t.Fatalf("%d of 3 primaries have a replica", len(replicas))
	}
	return primaries, replicas
}

// moveSlots moves a third of the slots of one node to another, with all that is in them.
func (c *writers) moveSlots(from, to *servers.Redis) {
	id := func(r *servers.Redis) string {
		out, err := r.CLI(c.t.Context(), "CLUSTER", "MYID")
		if err != nil {
			c.t.Error(err)
		}
		return strings.TrimSpace(out)
	}
	if err := from.MoveSlots(id(from), id(to), 1800); err != nil {
		c.t.Error(err)
	}
}
