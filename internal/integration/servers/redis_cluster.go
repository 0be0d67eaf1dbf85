//go:build linux

package servers

import (
	"context"
	"errors"
	"fmt"
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
	for range 3 * (1 + replicas) {
		bus, err := freePort()
		if err != nil {
			return nil, err
		}
		node, err := NewRedis(append([]string{"--cluster-enabled", "yes", "--cluster-port", fmt.Sprint(bus),
			"--cluster-node-timeout", "2000", "--cluster-replica-validity-factor", "0"}, args...)...)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, node)
	}
	create := []string{"--cluster", "create", "--cluster-replicas", fmt.Sprint(replicas)}
	for _, node := range nodes {
		create = append(create, node.Addr)
	}
	if err := nodes[0].run("redis-cli", append(create, "--cluster-yes")...); err != nil {
		return nil, err
	}
	for _, node := range nodes {
		if err := node.whole(len(nodes)); err != nil {
			return nil, err
		}
	}
	return nodes, wait(context.Background(), patient, nodes)
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

// whole waits until the node knows the whole cluster of n, and follows its primary if it is a replica.
func (r *Redis) whole(n int) error {
	return r.await(func(ctx context.Context) error {
		info, err := r.CLI(ctx, "CLUSTER", "INFO")
		if err == nil && !(strings.Contains(info, "cluster_state:ok") &&
			strings.Contains(info, fmt.Sprint("cluster_known_nodes:", n))) {
			err = fmt.Errorf("the cluster is not whole: %s", info)
		}
		if err != nil {
			return err
		}
		return r.Follows(ctx)
	})
}

// MoveSlots moves slots from one node of the cluster to another, by their names in it, while it serves.
func (r *Redis) MoveSlots(from, to string, n int) error {
	return r.run("redis-cli", "--cluster", "reshard", r.Addr, "--cluster-from", from, "--cluster-to", to,
		"--cluster-slots", fmt.Sprint(n), "--cluster-yes")
}
