package integration_test

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/sqlstore"
)

var secret = session.NewSecret()

// node is a manager as one process would have it.
func node(t *testing.T, store session.Store, change ...func(*session.Options)) *session.Manager {
	t.Helper()
	opts := session.Options{Secrets: []session.Secret{secret}, SweepEvery: -1}
	for _, c := range change {
		c(&opts)
	}
	m, err := session.New(store, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// browser sends requests straight into a manager, and keeps the cookies.
type browser struct {
	t   *testing.T
	jar http.CookieJar
}

func newBrowser(t *testing.T) *browser {
	jar, _ := cookiejar.New(nil)
	return &browser{t, jar}
}

func (b *browser) with(m *session.Manager, fn func(*session.Session)) *http.Response {
	r := httptest.NewRequest("GET", "https://app.example.com/", nil)
	for _, c := range b.jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	m.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		fn(s)
		w.Header().Set("Content-Length", "5")
		_, _ = w.Write([]byte("hello"))
	}).ServeHTTP(w, r)
	resp := w.Result()
	b.jar.SetCookies(r.URL, resp.Cookies())
	return resp
}

// through returns a store whose connections go through a proxy, which prepare sets before the first one.
func (s server) through(t *testing.T, table string, prepare ...func(*servers.Proxy)) (tableStore, *servers.Proxy,
	opened) {
	t.Helper()
	at, err := s.start()
	if err != nil {
		t.Fatal(err)
	}
	if at.Addr == "" {
		t.Skip("the address of a server that the environment names is not known")
	}
	p := servers.NewProxy(t, at.Addr)
	for _, set := range prepare {
		set(p)
	}
	db := s.connect(t, strings.Replace(at.DSN, at.Addr, p.Addr, 1), 8)
	return s.store(t, db, table), p, db
}

// Promise 6: whatever happens between us and the server, a request gets one clean 503 in bounded time, nobody loses his
// cookie or what was stored, and when it is over everything goes on without a restart, and nothing is left behind.
func TestServerFaultsLogNobodyOut(t *testing.T) {
	for _, s := range sqlServers {
		if _, err := s.start(); err != nil {
			t.Fatal(err)
		}
	}
	leavesNothing(t)
	eachServer(t, func(t *testing.T, s server) {
		t.Parallel() // where the server hangs, all is waiting
		eachFault(t, func(t *testing.T) (session.Store, *servers.Proxy) {
			store, proxy, db := s.through(t, s.table())
			t.Cleanup(func() { db.released(t) })
			return store, proxy
		})
	})
}

func eachFault(t *testing.T, through func(*testing.T) (session.Store, *servers.Proxy)) {
	for name, fault := range map[string]servers.Fault{"refused": servers.Refuse, "hanging": servers.Hang,
		"cut in half": servers.Cut} {
		t.Run(name, func(t *testing.T) {
			store, proxy := through(t)
			endures(t, node(t, store), proxy, fault, checkClean503)
		})
	}
	t.Run("late", func(t *testing.T) {
		store, proxy := through(t)
		endures(t, node(t, store), proxy, servers.Delay, func(t *testing.T, resp *http.Response) {
			if resp.StatusCode != http.StatusOK {
				t.Errorf("status %d, want 200", resp.StatusCode)
			}
		})
	})
}

// leavesNothing wants that no goroutine stays when the test is over, and all that it has opened is closed. Servers are
// not of the test.
func leavesNothing(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		err := goleak.Find(before) // it waits for a moment itself
		for end := time.Now().Add(patience); err != nil && time.Now().Before(end); {
			err = goleak.Find(before)
		}
		if err != nil {
			t.Error(err)
		}
	})
}

// endures sends eight requests of one visitor during a fault, and wants that he is signed in as before when it is over.
func endures(t *testing.T, m *session.Manager, proxy *servers.Proxy, fault servers.Fault,
	check func(*testing.T, *http.Response)) {
	b := newBrowser(t)
	b.with(m, func(s *session.Session) { s.Login("ada"); s.Set("kept", "yes") })
	before := b.jar.Cookies(mustURL(t))
	proxy.Set(fault)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			check(t, b.with(m, func(s *session.Session) {
				if i%2 == 0 {
					s.Set("written", i)
				}
			}))
		})
	}
	all.Wait()
	if after := b.jar.Cookies(mustURL(t)); len(after) != 1 || after[0].Value != before[0].Value {
		t.Error("the fault changed the cookie")
	}
	proxy.Set(servers.None)
	recovered(t, func() bool {
		resp := b.with(m, func(s *session.Session) {
			if s.User() != "ada" || s.Get("kept") != "yes" {
				t.Error("the session is not what it was")
			}
			s.Set("after", true)
		})
		return resp.StatusCode == http.StatusOK
	})
}

func checkClean503(t *testing.T, resp *http.Response) {
	t.Helper()
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("status %d, Retry-After %q, want 503 with one", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	if resp.Header["Set-Cookie"] != nil || resp.Header.Get("Content-Length") == "5" {
		t.Error("the response has headers of the handler or a cookie")
	}
}

// patience is how long what comes soon may take on a machine that has other things to do.
const patience = 5 * time.Minute

// recovered tries until it works; a pool may have dead connections to find out about first.
func recovered(t *testing.T, try func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for !try() {
		select {
		case <-ctx.Done():
			t.Fatal("it did not recover")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// The server dies under load and comes back: what was answered is there, and nobody was signed out.
func TestServerKilledUnderLoadLosesNoAnsweredWrite(t *testing.T) {
	eachKilled(t, func(t *testing.T, s server, kill func()) {
		store := s.store(t, s.open(t), s.table())
		survivesKill(t, [2]session.Store{store, store}, kill)
	})
}

// eachKilled calls fn with a server of its own of each kind, and a function that kills it and starts it again.
func eachKilled(t *testing.T, fn func(t *testing.T, s server, kill func())) {
	t.Helper()
	starts := map[sqlstore.Dialect]func() (*servers.Database, error){sqlstore.PostgreSQL: servers.NewPostgreSQL,
		sqlstore.MySQL: servers.NewMySQL}
	for _, s := range sqlServers {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			at, err := starts[s.dialect]()
			if err != nil {
				t.Fatal(err)
			}
			if at.Server == nil {
				t.Skip("a server that the environment names is not killed")
			}
			s.start = func() (*servers.Database, error) { return at, nil }
			fn(t, s, func() {
				at.Kill()
				if err := at.Restart(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// survivesKill writes to one session while a server is killed and comes back. Every answered write is there, and the
// user is signed in.
func survivesKill(t *testing.T, stores [2]session.Store, kill func()) {
	nodes := []*session.Manager{node(t, stores[0]), node(t, stores[1])}
	b := newBrowser(t)
	b.with(nodes[0], func(s *session.Session) { s.Login("ada") })
	answered := writeUntil(t, b, nodes, kill)
	recovered(t, func() bool {
		var got int
		resp := b.with(nodes[1], func(s *session.Session) { got = session.Key[int]("n").Or(s, 0) })
		if resp.StatusCode != http.StatusOK {
			return false
		}
		// A write whose answer was lost may have happened.
		if got < answered {
			t.Errorf("the counter is %d, want the %d that were answered at least", got, answered)
		}
		return true
	})
	recovered(t, func() bool {
		infos, err := nodes[0].Sessions(t.Context(), "ada")
		if err == nil && len(infos) != 1 {
			t.Errorf("there are %d sessions, want the one", len(infos))
		}
		return err == nil
	})
}

// writeUntil increments from several goroutines before, while and after fn runs, and returns how often it was answered.
func writeUntil(t *testing.T, b *browser, nodes []*session.Manager, fn func()) (answered int) {
	var mu sync.Mutex
	var all sync.WaitGroup
	started, stop := make(chan struct{}, 1000), make(chan struct{})
	for i := range 4 {
		all.Go(func() {
			for running := true; running; {
				resp := b.with(nodes[i%2], func(s *session.Session) {
					session.Key[int]("n").Update(s, func(n int) int { return n + 1 })
				})
				mu.Lock()
				if resp.StatusCode == http.StatusOK {
					answered++
				} else {
					checkClean503(t, resp)
				}
				mu.Unlock()
				select {
				case <-stop:
					running = false
				case started <- struct{}{}:
				default:
				}
			}
		})
	}
	for range 40 {
		<-started
	}
	fn()
	close(stop)
	all.Wait()
	return answered
}

func mustURL(t *testing.T) *url.URL {
	t.Helper()
	u, err := url.Parse("https://app.example.com/")
	if err != nil {
		t.Fatal(err)
	}
	return u
}
