//go:build linux

package servers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// RedisCluster returns a cluster of three servers without replicas, and starts it at the first call.
var RedisCluster = sync.OnceValues(func() ([]*Redis, error) { return NewRedisCluster(0) })

// A server that says nothing for so many milliseconds is gone. A machine that stops for a moment must not be taken for
// a failure, so that nobody is impatient before a test has killed a server.
const (
	patient   = "600000"
	impatient = "5000"
)

// NewRedisCluster starts another cluster: three primaries, and so many replicas of each. args are added to the command
// lines.
func NewRedisCluster(replicas int, args ...string) ([]*Redis, error) {
	var nodes []*Redis
	var buses []string
	for range 3 * (1 + replicas) {
		bus, err := freePort()
		if err != nil {
			return nil, err
		}
		node, err := NewRedis(append([]string{"--cluster-enabled", "yes", "--cluster-port", fmt.Sprint(bus),
			"--cluster-node-timeout", "2000", "--cluster-replica-validity-factor", "0",
			"--repl-diskless-sync-delay", "0"}, args...)...)
		if err != nil {
			return nil, err
		}
		nodes, buses = append(nodes, node), append(buses, fmt.Sprint(bus))
	}
	return nodes, join(context.Background(), nodes, buses)
}

// join makes a cluster of servers that know nothing of each other, as redis-cli does; but that waits for ever for a
// server that was introduced while the machine stood still.
func join(ctx context.Context, nodes []*Redis, buses []string) error {
	for i, slots := range [][]string{{"0", "5460"}, {"5461", "10922"}, {"10923", "16383"}} {
		if _, err := nodes[i].CLI(ctx, append([]string{"CLUSTER", "ADDSLOTSRANGE"}, slots...)...); err != nil {
			return err
		}
	}
	for i, node := range nodes {
		if _, err := node.CLI(ctx, "CLUSTER", "SET-CONFIG-EPOCH", fmt.Sprint(i+1)); err != nil {
			return err
		}
	}
	introduce := func() {
		for i, node := range nodes[1:] {
			_, _ = nodes[0].CLI(ctx, "CLUSTER", "MEET", "127.0.0.1", fmt.Sprint(node.Port), buses[i+1])
		}
	}
	introduce()
	for _, node := range nodes {
		if err := node.whole(len(nodes), introduce); err != nil {
			return err
		}
	}
	if err := replicate(ctx, nodes[:3], nodes[3:]); err != nil {
		return err
	}
	return wait(ctx, patient, nodes)
}

// replicate gives each primary as many replicas, and waits until all servers know them.
func replicate(ctx context.Context, primaries, replicas []*Redis) error {
	for i, replica := range replicas {
		if err := replica.follow(ctx, primaries[i%3]); err != nil {
			return err
		}
	}
	for _, node := range append(slices.Clone(primaries), replicas...) {
		err := node.await(func(ctx context.Context) error {
			known, err := node.CLI(ctx, "CLUSTER", "NODES")
			if n := strings.Count(known, "slave "); err == nil && n != len(replicas) {
				err = fmt.Errorf("%d replicas are known of %d", n, len(replicas))
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// follow makes a server of a cluster a replica of another one, and waits until it has all that that one has.
func (r *Redis) follow(ctx context.Context, primary *Redis) error {
	id, err := primary.CLI(ctx, "CLUSTER", "MYID")
	if err != nil {
		return err
	}
	if _, err := r.CLI(ctx, "CLUSTER", "REPLICATE", strings.TrimSpace(id)); err != nil {
		return err
	}
	return r.await(r.Follows)
}

// FailOver has the replica of a primary that was killed take over, as the servers that are alive notice it.
func FailOver(ctx context.Context, replica *Redis, alive []*Redis) error {
	if err := wait(ctx, impatient, alive); err != nil {
		return err
	}
	return errors.Join(replica.AwaitPrimary(), wait(ctx, patient, alive))
}

// wait says how long the servers of a cluster wait for each other.
func wait(ctx context.Context, milliseconds string, nodes []*Redis) error {
	for _, node := range nodes {
		if _, err := node.CLI(ctx, "CONFIG", "SET", "cluster-node-timeout", milliseconds); err != nil {
			return err
		}
	}
	return nil
}

// whole waits until the node knows a whole cluster of n. If that takes long, all are introduced again.
func (r *Redis) whole(n int, introduce func()) error {
	tries := 0
	return r.await(func(ctx context.Context) error {
		info, err := r.CLI(ctx, "CLUSTER", "INFO")
		if err == nil && !(strings.Contains(info, "cluster_state:ok") &&
			strings.Contains(info, fmt.Sprint("cluster_known_nodes:", n))) {
			if tries++; tries%100 == 0 {
				introduce()
			}
			err = fmt.Errorf("the cluster is not whole: %s", info)
		}
		return err
	})
}

// MoveSlots moves slots from one node of the cluster to another, by their names in it, while it serves.
func (r *Redis) MoveSlots(from, to string, n int) error {
	return r.run("redis-cli", "--cluster", "reshard", r.Addr, "--cluster-from", from, "--cluster-to", to,
		"--cluster-slots", fmt.Sprint(n), "--cluster-yes")
}
