package integration_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/redisstore"
)

// What package guard promises of two nodes holds on every store that they may share.
func TestTheGuardsHoldOnTwoNodes(t *testing.T) {
	eachBackend(t, guards)
	t.Run("Redis with a cache", func(t *testing.T) {
		opts := redisstore.Options{Prefix: newPrefix(), CacheTTL: time.Minute}
		var stores [2]session.Store
		for i := range stores {
			stores[i] = redisStore(t, redisClient(t, rueidis.ClientOption{InitAddress: singleRedis(t)}), opts)
		}
		guards(t, stores)
	})
}

func guards(t *testing.T, stores [2]session.Store) {
	var nodes [2]*session.Manager
	for i := range nodes {
		nodes[i] = node(t, unhurried(stores[i]))
	}
	t.Run("the rate of a session is exact", func(t *testing.T) {
		floods(t, nodes, [2]guard.Limit{{Requests: 7, Per: time.Hour}, {Requests: 7, Per: time.Hour}}, 1)
	})
	t.Run("the rate of a user is exact over all sessions", func(t *testing.T) {
		limit := func(i int) guard.Limit { return guard.Limit{Requests: 7, Per: time.Hour, Users: stores[i]} }
		floods(t, nodes, [2]guard.Limit{limit(0), limit(1)}, 3)
	})
	t.Run("a confirmation lets one request through", func(t *testing.T) { confirmations(t, nodes) })
	t.Run("the rate of strangers is exact", func(t *testing.T) { strangersFlood(t, nodes, stores) })
	t.Run("guesses of a password are counted exactly", func(t *testing.T) { guesses(t, nodes, stores) })
	t.Run("a role that was taken away is gone at once", func(t *testing.T) { rolesChange(t, nodes) })
}

// floods lets the devices of a user send 40 requests at once to both nodes, of which 7 may pass.
func floods(t *testing.T, nodes [2]*session.Manager, limits [2]guard.Limit, devices int) {
	user := fmt.Sprint("user of ", devices)
	browsers := make([]*browser, devices)
	for i := range browsers {
		browsers[i] = signedIn(t, nodes[0], user)
	}
	var handlers [2]http.Handler
	for i, m := range nodes {
		handlers[i] = guardOf(t, m).Rate(limits[i])(inside)
	}
	var passed, refused atomic.Int32
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			switch browsers[i%devices].get(handlers[i%2]) {
			case http.StatusOK:
				passed.Add(1)
			case http.StatusTooManyRequests:
				refused.Add(1)
			}
		})
	}
	all.Wait()
	if passed.Load() != 7 || refused.Load() != 33 {
		t.Errorf("%d of 40 requests passed and %d were refused, want 7 and 33", passed.Load(), refused.Load())
	}
}

// confirmations has forty requests at both nodes want what was confirmed once.
func confirmations(t *testing.T, nodes [2]*session.Manager) {
	ada := signedIn(t, nodes[0], "ada of one deed")
	var handlers [2]http.Handler
	for i, m := range nodes {
		handlers[i] = guardOf(t, m).Once("transfer", func(*http.Request) string { return "all of it" })(inside)
	}
	if got := ada.get(handlers[0]); got != http.StatusUnauthorized {
		t.Fatalf("what nobody confirmed gets %d", got)
	}
	g := guardOf(t, nodes[1])
	resp := ada.with(nodes[1], func(s *session.Session) {
		for _, op := range g.Asked(s) {
			if err := g.Confirm(s, op.ID, "otp"); err != nil {
				t.Error(err)
			}
		}
	})
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the confirmation is answered %d", resp.StatusCode)
	}
	var passed, refused atomic.Int32
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			switch ada.get(handlers[i%2]) {
			case http.StatusOK:
				passed.Add(1)
			case http.StatusUnauthorized:
				refused.Add(1)
			}
		})
	}
	all.Wait()
	if passed.Load() != 1 || refused.Load() != 39 {
		t.Errorf("%d of 40 requests passed and %d were refused, want 1 and 39", passed.Load(), refused.Load())
	}
}

func rolesChange(t *testing.T, nodes [2]*session.Manager) {
	phone, desk := signedIn(t, nodes[0], "ada"), signedIn(t, nodes[1], "ada")
	setRoles := func(roles ...string) {
		t.Helper()
		n, err := nodes[0].UpdateUser(t.Context(), "ada", func(s *session.Session) error {
			guard.Roles.Set(s, roles)
			return nil
		})
		if n != 2 || err != nil {
			t.Fatalf("%d sessions have new roles, %v, want 2", n, err)
		}
	}
	admins := guardOf(t, nodes[0]).Role("admin")(inside)
	setRoles("admin")
	for _, b := range []*browser{phone, desk} {
		if got := b.get(admins); got != http.StatusOK {
			t.Errorf("an admin gets %d", got)
		}
	}
	setRoles()
	for _, b := range []*browser{phone, desk} {
		if got := b.get(admins); got != http.StatusForbidden {
			t.Errorf("who is no admin any more gets %d, want 403", got)
		}
	}
}

var inside = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })

func guardOf(t *testing.T, m *session.Manager) *guard.Guard {
	t.Helper()
	g, err := guard.New(m, guard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func signedIn(t *testing.T, m *session.Manager, user string) *browser {
	t.Helper()
	b := newBrowser(t)
	if resp := b.with(m, func(s *session.Session) { s.Login(user) }); resp.StatusCode != http.StatusOK {
		t.Fatalf("signing in answers %d", resp.StatusCode)
	}
	return b
}

// get sends a request and says how it was answered. Cookies of the answer are not kept.
func (b *browser) get(h http.Handler) int {
	r := httptest.NewRequest("GET", "https://app.example.com/", nil)
	for _, c := range b.jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}
