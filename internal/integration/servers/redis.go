//go:build linux

package servers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Redis is a Redis server, or one that the environment named.
type Redis struct {
	*Server        // nil when the environment named it
	Addr    string // host and port
}

// SharedRedis returns the Redis server of this program, and starts it at the first call. COATCHECK_REDIS, host and port,
// names another one.
var SharedRedis = sync.OnceValues(func() (*Redis, error) {
	if addr := os.Getenv("COATCHECK_REDIS"); addr != "" {
		return &Redis{Addr: addr}, nil
	}
	return NewRedis()
})

// NewRedis starts another Redis server. args are added to its command line.
func NewRedis(args ...string) (*Redis, error) {
	program, err := find("redis-server")
	if err != nil {
		return nil, err
	}
	s, err := newServer("redis", "")
	if err != nil {
		return nil, err
	}
	r := &Redis{Server: s, Addr: fmt.Sprintf("127.0.0.1:%d", s.Port)}
	args = append([]string{"--port", fmt.Sprint(s.Port), "--bind", "127.0.0.1", "--dir", s.Dir, "--save", "", "--appendonly", "no"}, args...)
	return r, s.launch(r.Ready, program, args...)
}

// Ready reports whether the server answers.
func (r *Redis) Ready(ctx context.Context) error {
	_, err := r.CLI(ctx, "PING")
	return err
}

// CLI runs one command with redis-cli.
func (r *Redis) CLI(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "redis-cli", append([]string{"-e", "-h", "127.0.0.1", "-p", fmt.Sprint(r.Port)}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("redis-cli %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

const clusterTimeout = 30 * time.Second

// RedisCluster returns a cluster of three servers without replicas, and starts it at the first call.
var RedisCluster = sync.OnceValues(newRedisCluster)

func newRedisCluster() ([]*Redis, error) {
	var nodes []*Redis
	for range 3 {
		bus, err := freePort()
		if err != nil {
			return nil, err
		}
		node, err := NewRedis("--cluster-enabled", "yes", "--cluster-port", fmt.Sprint(bus), "--cluster-node-timeout", "5000")
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, node)
	}
	create := []string{"--cluster", "create"}
	for _, node := range nodes {
		create = append(create, node.Addr)
	}
	if err := nodes[0].run("redis-cli", append(create, "--cluster-yes")...); err != nil {
		return nil, err
	}
	for _, node := range nodes {
		if err := node.whole(); err != nil {
			return nil, err
		}
	}
	return nodes, nil
}

// whole waits until the node knows the whole cluster.
func (r *Redis) whole() error {
	ctx, cancel := context.WithTimeout(context.Background(), clusterTimeout)
	defer cancel()
	return r.await(ctx, func(ctx context.Context) error {
		info, err := r.CLI(ctx, "CLUSTER", "INFO")
		if err == nil && !strings.Contains(info, "cluster_state:ok") {
			err = fmt.Errorf("the cluster is not whole: %s", info)
		}
		return err
	})
}
