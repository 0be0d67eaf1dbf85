package integration_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/filestore"
	"github.com/coatcheck/session/internal/explore"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/redisstore"
)

// eachBackend calls fn with two stores on one backend of each kind, as two nodes have them.
func eachBackend(t *testing.T, fn func(t *testing.T, stores [2]session.Store)) {
	t.Run("memory", func(t *testing.T) {
		store := memstore.New(memstore.Options{})
		fn(t, [2]session.Store{store, store})
	})
	t.Run("files", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "sessions")
		var stores [2]session.Store
		for i := range stores {
			s, err := filestore.New(dir, filestore.Options{NoSync: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			stores[i] = s
		}
		fn(t, stores)
	})
	t.Run("SQLite", func(t *testing.T) {
		path := sqliteFile(t)
		fn(t, [2]session.Store{migrated(t, openSQLite(t, path), ""), migrated(t, openSQLite(t, path), "")})
	})
	eachServer(t, func(t *testing.T, s server) {
		table := s.table()
		fn(t, [2]session.Store{s.store(t, s.open(t), table), s.store(t, s.open(t), table)})
	})
	t.Run("PostgreSQL by sqlstore and pgstore", func(t *testing.T) {
		a, b, table := sqlServers[0], sqlServers[2], sqlServers[0].table()
		fn(t, [2]session.Store{a.store(t, a.open(t), table), b.store(t, b.open(t), table)})
	})
	for name, addrs := range map[string]func(testing.TB) []string{"Redis": singleRedis, "Redis Cluster": clusterRedis} {
		t.Run(name, func(t *testing.T) {
			prefix := newPrefix()
			var stores [2]session.Store
			for i := range stores {
				client := redisClient(t, rueidis.ClientOption{InitAddress: addrs(t)})
				stores[i] = redisStore(t, client, redisstore.Options{Prefix: prefix})
			}
			fn(t, stores)
		})
	}
}

// unhurried is a store to which the manager gives as much time as it takes. It gives up after five seconds otherwise,
// which a hundred requests at once may need on a machine that has other things to do.
func unhurried(store session.Store) session.Store {
	if local, ok := store.(session.LocalStore); ok && local.Local() {
		return store
	}
	return unhurriedStore{store.(explore.Store)}
}

type unhurriedStore struct{ explore.Store }

func (unhurriedStore) Local() bool { return true }

// Promise 2 under load: 64 writers on one session, through two nodes.
func TestSixtyFourWritersLoseNothing(t *testing.T) {
	eachBackend(t, func(t *testing.T, stores [2]session.Store) {
		var conflicts atomic.Int64
		var nodes [2]*session.Manager
		for i := range nodes {
			nodes[i] = node(t, stores[i], func(o *session.Options) {
				o.OnEvent = func(_ context.Context, ev session.Event) {
					if ev.Kind == session.EventConflict {
						conflicts.Add(1)
					}
				}
			})
		}
		b := newBrowser(t)
		b.with(nodes[0], func(s *session.Session) { s.Login("ada") })
		const writers, rounds = 64, 3
		var answered atomic.Int64
		var all sync.WaitGroup
		for i := range writers {
			all.Go(func() {
				for round := range rounds {
					resp := b.with(nodes[i%2], func(s *session.Session) {
						session.Key[int]("n").Update(s, func(n int) int { return n + 1 })
						s.Set(fmt.Sprintf("writers.w%d.r%d", i, round), true)
						s.Append("list", i)
					})
					switch resp.StatusCode {
					case http.StatusOK:
						answered.Add(1)
					case http.StatusServiceUnavailable: // not in time
					default:
						t.Errorf("status %d", resp.StatusCode)
					}
				}
			})
		}
		all.Wait()
		b.with(nodes[1], func(s *session.Session) {
			n, list := session.Key[int]("n").Or(s, 0), session.Key[[]int]("list").Or(s, nil)
			marks := 0
			writers, _ := s.Get("writers").(map[string]any)
			for _, rounds := range writers {
				marks += len(rounds.(map[string]any))
			}
			// A write that was given up on its way may be there, but then all of it.
			if want := int(answered.Load()); n < want || len(list) != n || marks != n {
				t.Errorf("the counter is %d, the list has %d, and there are %d marks, want %d", n, len(list), marks,
					want)
			}
		})
		if answered.Load() == 0 {
			t.Error("no write was answered")
		}
		t.Logf("%d of %d writes were answered, %d conflicts", answered.Load(), writers*rounds, conflicts.Load())
	})
}

// The same with functions of Atomic: none of them gives up, for those of one node have their turn one after the other.
func TestSixtyFourAtomicsAllHaveTheirTurn(t *testing.T) {
	eachBackend(t, func(t *testing.T, stores [2]session.Store) {
		nodes := [2]*session.Manager{node(t, unhurried(stores[0])), node(t, unhurried(stores[1]))}
		b := newBrowser(t)
		b.with(nodes[0], func(s *session.Session) { s.Login("ada") })
		const writers, rounds = 64, 2
		var runs atomic.Int64
		var all sync.WaitGroup
		for i := range writers {
			all.Go(func() {
				for range rounds {
					resp := b.with(nodes[i%2], func(s *session.Session) {
						err := s.Atomic(t.Context(), func(s *session.Session) error {
							runs.Add(1)
							runtime.Gosched()
							session.Key[int]("n").Set(s, session.Key[int]("n").Or(s, 0)+1)
							return nil
						})
						if err != nil {
							t.Errorf("Atomic = %v", err)
						}
					})
					if resp.StatusCode != http.StatusOK {
						t.Errorf("status %d, want 200", resp.StatusCode)
					}
				}
			})
		}
		all.Wait()
		b.with(nodes[1], func(s *session.Session) {
			if n := session.Key[int]("n").Or(s, 0); n != writers*rounds {
				t.Errorf("the counter is %d, want %d", n, writers*rounds)
			}
		})
		t.Logf("%d functions ran %d times", writers*rounds, runs.Load())
	})
}

// Thousands of sessions at once: each has what was written to it, and each user his one session.
func TestThousandsOfSessionsAtOnce(t *testing.T) {
	sessions := 2_000
	if os.Getenv("COATCHECK_EXPLORE") != "" {
		sessions = 10_000
	}
	eachBackend(t, func(t *testing.T, stores [2]session.Store) {
		t.Parallel() // nobody is in a hurry, and each waits for its own server or disk
		nodes := [2]*session.Manager{node(t, unhurried(stores[0])), node(t, unhurried(stores[1]))}
		const workers = 64
		visitors := make(chan int)
		var all sync.WaitGroup
		for range workers {
			all.Go(func() {
				for i := range visitors {
					visit(t, nodes, i)
				}
			})
		}
		for i := range sessions {
			visitors <- i
		}
		close(visitors)
		all.Wait()
		found := 0
		for _, err := range nodes[0].All(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			found++
		}
		if found != sessions {
			t.Errorf("%d sessions are alive, want %d", found, sessions)
		}
	})
}

// visit signs a user in at one node, and looks at his session at the other.
func visit(t *testing.T, nodes [2]*session.Manager, i int) {
	b, user := newBrowser(t), fmt.Sprint("user ", i)
	b.with(nodes[i%2], func(s *session.Session) { s.Set("cart", i); s.Login(user) })
	resp := b.with(nodes[(i+1)%2], func(s *session.Session) {
		if s.User() != user || s.Get("cart") != int64(i) {
			t.Errorf("%s finds the session of %q", user, s.User())
		}
	})
	if resp.StatusCode != http.StatusOK {
		t.Errorf("%s: status %d", user, resp.StatusCode)
	}
	infos, err := nodes[i%2].Sessions(t.Context(), user)
	if err != nil || len(infos) != 1 {
		t.Errorf("%s has %d sessions, %v, want 1", user, len(infos), err)
	}
}
