//go:build linux

package servers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Sentinel is a primary with a replica, and the sentinel that watches them.
type Sentinel struct {
	*Redis           // the sentinel
	Primary, Replica *Redis
}

// MasterSet is the name by which the sentinel knows its servers.
const MasterSet = "coatcheck"

// SharedSentinel returns the one of this program, and starts it at the first call.
var SharedSentinel = sync.OnceValues(func() (*Sentinel, error) { return NewSentinel() })

// NewSentinel starts another one. args are added to the command lines of the primary and the replica.
func NewSentinel(args ...string) (*Sentinel, error) {
	primary, err := NewRedis(args...)
	if err != nil {
		return nil, err
	}
	replica, err := NewRedis(append([]string{"--replicaof", "127.0.0.1 " + fmt.Sprint(primary.Port),
		"--repl-diskless-sync-delay", "0"}, args...)...)
	if err != nil {
		return nil, err
	}
	if err := replica.await(replica.Follows); err != nil {
		return nil, err
	}
	program, err := find("redis-server")
	if err != nil {
		return nil, err
	}
	s, err := newServer("sentinel", "")
	if err != nil {
		return nil, err
	}
	conf := filepath.Join(s.Dir, "sentinel.conf") // which it writes itself, too
	text := fmt.Sprintf("port %d\nbind 127.0.0.1\nsentinel monitor %s 127.0.0.1 %d 1\nsentinel "+
		"down-after-milliseconds %s %s\nsentinel failover-timeout %s 5000\n",
		s.Port, MasterSet, primary.Port, MasterSet, patient, MasterSet)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return nil, err
	}
	own := &Sentinel{Redis: &Redis{Server: s, Addr: fmt.Sprintf("127.0.0.1:%d", s.Port)}, Primary: primary,
		Replica: replica}
	if err := s.launch(own.knowsReplica, program, conf, "--sentinel"); err != nil {
		return nil, err
	}
	// Whenever the machine has stood still, a sentinel does nothing for half a minute otherwise.
	_, err = own.CLI(context.Background(), "SENTINEL", "DEBUG", "TILT-TRIGGER", patient)
	return own, err
}

// knowsReplica reports whether the sentinel has found the replica, without which there is no failover.
func (s *Sentinel) knowsReplica(ctx context.Context) error {
	out, err := s.CLI(ctx, "SENTINEL", "REPLICAS", MasterSet)
	if err == nil && !strings.Contains(out, fmt.Sprint(s.Replica.Port)) {
		err = fmt.Errorf("the sentinel knows no replica: %s", out)
	}
	return err
}

// FailOver has the replica take over from a primary that was killed. The sentinel is told to, because it is too patient
// to notice by itself, and again while it does not.
func (s *Sentinel) FailOver(ctx context.Context) error {
	return s.Replica.await(func(context.Context) error {
		err := s.Replica.IsPrimary(ctx)
		if err != nil {
			_, failed := s.CLI(ctx, "SENTINEL", "FAILOVER", MasterSet) // an error while one is under way
			err = errors.Join(err, failed)
		}
		return err
	})
}

// Follows reports whether a replica has all that its primary has. A primary always has.
func (r *Redis) Follows(ctx context.Context) error {
	info, err := r.CLI(ctx, "INFO", "replication")
	if err == nil && strings.Contains(info, "role:slave") && !strings.Contains(info, "master_link_status:up") {
		err = fmt.Errorf("the replica does not follow: %s", info)
	}
	return err
}

// IsPrimary reports whether the server takes writes.
func (r *Redis) IsPrimary(ctx context.Context) error {
	info, err := r.CLI(ctx, "INFO", "replication")
	if err == nil && !strings.Contains(info, "role:master") {
		err = fmt.Errorf("the server is a replica still: %s", info)
	}
	return err
}

// AwaitPrimary waits until the server takes writes.
func (r *Redis) AwaitPrimary() error {
	return r.await(r.IsPrimary)
}
