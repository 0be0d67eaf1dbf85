//go:build linux

package servers

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

const clusterTimeout = 30 * time.Second

// RedisCluster returns a cluster of three servers without replicas, and starts it at the first call.
var RedisCluster = sync.OnceValues(func() ([]*Redis, error) { return NewRedisCluster(0) })

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
			"--cluster-node-timeout", "2000"}, args...)...)
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
	return nodes, nil
}

// whole waits until the node knows the whole cluster of n, and follows its primary if it is a replica.
func (r *Redis) whole(n int) error {
	ctx, cancel := context.WithTimeout(context.Background(), clusterTimeout)
	defer cancel()
	return r.await(ctx, func(ctx context.Context) error {
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
