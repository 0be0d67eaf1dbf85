package integration_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/coatcheck/session/internal/integration/servers"
)

// reluctantServers are servers that say they did not run a command, each for a reason of its own.
var reluctantServers = map[string]func(*testing.T) reluctant{
	"BUSY":        busyRedis,
	"LOADING":     loadingRedis,
	"MASTERDOWN":  orphanedRedis,
	"CLUSTERDOWN": uncoveredRedis,
	"TRYAGAIN":    movingRedis,
}

// told runs a command on a server that must accept it.
func told(t *testing.T, r *servers.Redis, command ...string) string {
	t.Helper()
	out, err := r.CLI(t.Context(), command...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

// untilRefused waits until the server answers a command with that code.
func untilRefused(t *testing.T, r *servers.Redis, code string, command ...string) {
	t.Helper()
	for {
		_, err := r.CLI(t.Context(), command...)
		if err != nil && strings.Contains(err.Error(), code) {
			return
		}
		if t.Context().Err() != nil {
			t.Fatalf("the last answer was %v, want %s", err, code)
		}
	}
}

func ownRedis(t *testing.T, args ...string) *servers.Redis {
	t.Helper()
	r, err := servers.NewRedis(args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Stop)
	return r
}

// busyRedis runs a script that does not end.
func busyRedis(t *testing.T) reluctant {
	r := ownRedis(t, "--busy-reply-threshold", "1")
	ended := make(chan struct{})
	return reluctant{addr: r.Addr, refuse: func() {
		ended = make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = r.CLI(context.Background(), "EVAL", "while true do end", "0") // it is killed
		}()
		untilRefused(t, r, "BUSY", "GET", "x")
	}, allow: func() {
		told(t, r, "SCRIPT", "KILL")
		<-ended
	}}
}

// loadingRedis takes its time to read what it had on the disk.
func loadingRedis(t *testing.T) reluctant {
	r := ownRedis(t, "--rdbcompression", "no", "--loading-process-events-interval-bytes", "1024",
		"--key-load-delay", "20000")
	told(t, r, "EVAL", "for i = 1, 3000 do redis.call('SET', 'other'..i, string.rep('x', 2000)) end", "0")
	return reluctant{addr: r.Addr, refuse: func() {
		told(t, r, "SAVE")
		r.Kill()
		err := r.Start(func(ctx context.Context) error {
			_, err := r.CLI(ctx, "GET", "x")
			if err != nil && strings.Contains(err.Error(), "LOADING") {
				return nil
			}
			return fmt.Errorf("want LOADING: %w", err)
		})
		if err != nil {
			t.Fatal(err)
		}
	}, allow: func() { told(t, r, "CONFIG", "SET", "key-load-delay", "0") }}
}

// orphanedRedis follows a primary that is not there, and shows nothing that may be old. A new record it refuses as
// every replica does, for good.
func orphanedRedis(t *testing.T) reluctant {
	r := ownRedis(t, "--replica-serve-stale-data", "no")
	return reluctant{addr: r.Addr, keeps: []string{"Save"}, refuse: func() {
		told(t, r, "REPLICAOF", "127.0.0.1", "1")
		untilRefused(t, r, "MASTERDOWN", "GET", "x")
	}, allow: func() { told(t, r, "REPLICAOF", "NO", "ONE") }}
}

// movingSlot is the slot of the record "moving" in a new cluster, the node that has it, and another one.
func movingSlot(t *testing.T) (slot string, owner, other *servers.Redis) {
	t.Helper()
	nodes, err := servers.NewRedisCluster(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range nodes {
		t.Cleanup(node.Stop)
	}
	key := redisKeyOf("moving")
	slot = told(t, nodes[0], "CLUSTER", "KEYSLOT", key)
	for i, node := range nodes {
		if _, err := node.CLI(t.Context(), "GET", key); err == nil {
			return slot, node, nodes[(i+1)%3]
		}
	}
	t.Fatal("no node has the slot")
	return "", nil, nil
}

// redisKeyOf is the key of a record under the default prefix.
func redisKeyOf(id string) string {
	sum := sha256.Sum256([]byte(id))
	return fmt.Sprintf("session:s{%x}%s", sum[:1], id)
}

// uncoveredRedis is in a cluster of which it knows that a slot is nowhere.
func uncoveredRedis(t *testing.T) reluctant {
	slot, owner, _ := movingSlot(t)
	n, _ := strconv.Atoi(slot)
	spare := strconv.Itoa(n + 1) // of the same node: the slot is none of its last
	return reluctant{addr: owner.Addr, refuse: func() {
		told(t, owner, "CLUSTER", "DELSLOTS", spare)
		untilRefused(t, owner, "CLUSTERDOWN", "GET", redisKeyOf("moving"))
	}, allow: func() { told(t, owner, "CLUSTER", "ADDSLOTS", spare) }}
}

// movingRedis gives a slot away, and has given the ids in it, but no record yet. It refuses scripts that touch both.
func movingRedis(t *testing.T) reluctant {
	slot, owner, other := movingSlot(t)
	return reluctant{addr: owner.Addr, keeps: []string{"Save", "Load", "Touch"}, refuse: func() {
		beginMove(t, slot, owner, other)
		moveKey(t, strings.TrimSuffix(strings.Replace(redisKeyOf("moving"), "s{", "i{", 1), "moving"), owner, other)
	}, allow: func() {
		told(t, owner, "CLUSTER", "SETSLOT", slot, "STABLE")
		told(t, other, "CLUSTER", "SETSLOT", slot, "STABLE")
	}}
}
