package browser_test

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/redisstore"
)

// newWatchedBank is a bank on a Redis whose replica takes over when it is killed.
func newWatchedBank(t *testing.T) (*bank, *servers.Sentinel) {
	t.Helper()
	t.Cleanup(servers.StopAll)
	own, err := servers.NewSentinel()
	if err != nil {
		t.Fatal(err)
	}
	var stores [2]session.Store
	for i := range stores {
		client, err := rueidis.NewClient(rueidis.ClientOption{
			InitAddress: []string{own.Addr},
			Sentinel:    rueidis.SentinelOption{MasterSet: servers.MasterSet, TopologyRefreshInterval: time.Second},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(client.Close)
		if stores[i], err = redisstore.New(client, redisstore.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	return newBankOn(t, stores), own
}

// offset is how far a server is in what the primary has written.
func offset(t *testing.T, r *servers.Redis) string {
	t.Helper()
	info, err := r.CLI(t.Context(), "INFO", "replication")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(info) {
		if at, ok := strings.CutPrefix(line, "master_repl_offset:"); ok {
			return at
		}
	}
	return ""
}

// While nobody answers, Chromium keeps its key, and the session; and both are there when the replica has taken over.
func TestABindingSurvivesAFailoverOfRedis(t *testing.T) {
	b, own := newWatchedBank(t)
	c := b.signedIn()
	thief := b.customer()
	b.plant(thief, b.cookies(c))
	b.forget(c, boundCookie)
	b.wantFetch(c, "/?before", inside)
	b.sent("GET /?before: 200")
	for until := time.Now().Add(patience); offset(t, own.Primary) != offset(t, own.Replica); {
		if time.Now().After(until) {
			t.Fatal("the replica does not follow")
		}
	}
	own.Primary.Kill()
	b.forget(c, boundCookie)
	b.fetch(c, "/?during")
	b.wantAmong(b.sent("GET /?during: 503"), "POST "+refreshPath+": 503")
	if err := own.FailOver(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.comesBack(c)
	b.wantAmong(b.sent("POST "+refreshPath+": 200"), "POST "+refreshPath+": 200")
	b.node.Store(1)
	b.advance(12 * time.Minute)
	b.forget(c, boundCookie)
	b.comesBack(c)
	b.wantFetch(thief, "/", outside)
}

// comesBack waits until a customer is inside again: the nodes look for the new primary, too, each by itself.
func (b *bank) comesBack(c *browser) {
	b.t.Helper()
	for until := time.Now().Add(patience); b.fetch(c, "/") != inside; {
		if time.Now().After(until) {
			b.t.Fatal("the session does not come back")
		}
	}
}

// wantAmong wants a request among those that a browser sent, and none that made it forget its key.
func (b *bank) wantAmong(list []string, want string) {
	b.t.Helper()
	text := strings.Join(list, ", ")
	if !strings.Contains(text, want) || strings.Contains(text, refreshPath+": 401") {
		b.t.Errorf("the browser sent %s, want %s among it, and no 401", text, want)
	}
}
