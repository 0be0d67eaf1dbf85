//go:build linux

package servers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// Redis is a Redis server, or one that the environment named.
type Redis struct {
	*Server        // nil when the environment named it
	Addr    string // host and port
}

// SharedRedis returns the Redis server of this program, and starts it at the first call. COATCHECK_REDIS, host and
// port, names another one.
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
	args = append([]string{"--port", fmt.Sprint(s.Port), "--bind", "127.0.0.1", "--dir", s.Dir, "--save", "",
		"--appendonly", "no"}, args...)
	return r, s.launch(r.Ready, program, args...)
}

// Ready reports whether the server answers.
func (r *Redis) Ready(ctx context.Context) error {
	_, err := r.CLI(ctx, "PING")
	return err
}

// CLI runs one command with redis-cli.
func (r *Redis) CLI(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "redis-cli", append([]string{"-e", "-h", "127.0.0.1", "-p", fmt.Sprint(r.Port)},
		args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("redis-cli %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}
