package integration_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/filestore"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/redisstore"
)

// attacked is a store that the attack suite runs on. Each call of open gives a fresh place.
type attacked struct {
	name string
	open func(t *testing.T) session.Store
}

// attackedStores are all stores that keep sessions, and cookiestore with a list of revocations.
var attackedStores = []attacked{
	{"memory", func(*testing.T) session.Store { return memstore.New(memstore.Options{}) }},
	{"file", func(t *testing.T) session.Store { return filesIn(t, filepath.Join(t.TempDir(), "sessions")) }},
	{"SQLite", func(t *testing.T) session.Store { return migrated(t, openSQLite(t, sqliteFile(t)), "") }},
	{"PostgreSQL", func(t *testing.T) session.Store { return onServer(t, sqlServers[0]) }},
	{"MySQL", func(t *testing.T) session.Store { return onServer(t, sqlServers[1]) }},
	{"PostgreSQL by pgstore", func(t *testing.T) session.Store { return onServer(t, sqlServers[2]) }},
	{"Redis", func(t *testing.T) session.Store {
		client := redisClient(t, rueidis.ClientOption{InitAddress: singleRedis(t)})
		return redisStore(t, client, redisstore.Options{Prefix: newPrefix()})
	}},
	{"cookie", func(t *testing.T) session.Store {
		store, err := cookiestore.New(cookiestore.Options{Revocations: memstore.New(memstore.Options{})})
		if err != nil {
			t.Fatal(err)
		}
		return store
	}},
}

func filesIn(t *testing.T, dir string) *filestore.Store {
	t.Helper()
	store, err := filestore.New(dir, filestore.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func onServer(t *testing.T, s server) session.Store {
	t.Helper()
	return s.store(t, s.open(t), s.table())
}

// victim is a site on a store, with a clock that stands until it is moved, and its events.
type victim struct {
	*session.Manager
	t     *testing.T
	store session.Store

	mu     sync.Mutex
	now    time.Time
	events map[session.EventKind]int
}

var attackSecret = session.NewSecret()

func newVictim(t *testing.T, store session.Store, change ...func(*session.Options)) *victim {
	t.Helper()
	v := &victim{t: t, store: store, now: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC),
		events: map[session.EventKind]int{}}
	opts := session.Options{Secrets: []session.Secret{attackSecret}, Seal: true, SweepEvery: -1, Now: v.clock,
		OnEvent: v.event}
	opts.Logger = slog.New(slog.NewTextHandler((*victimLog)(v), &slog.HandlerOptions{Level: slog.LevelDebug}))
	for _, c := range change {
		c(&opts)
	}
	m, err := session.New(store, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	v.Manager = m
	return v
}

func (v *victim) clock() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

func (v *victim) advance(d time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now = v.now.Add(d)
}

// victimLog reads what a victim logs, errors of drivers included. Nothing there is a ticket, half of one, or a carried
// session; ids have 64 characters.
type victimLog victim

var looksSecret = regexp.MustCompile(`(?:^|[^A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?:$|[^A-Za-z0-9_-])|e1\.[A-Za-z0-9_-]{60}`)

func (l *victimLog) Write(p []byte) (int, error) {
	if looksSecret.Match(p) {
		l.t.Errorf("the log shows a ticket: %s", p)
	}
	return len(p), nil
}

func (v *victim) event(_ context.Context, e session.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.events[e.Kind]++
}

// guest is a client with its cookies.
type guest struct {
	v   *victim
	jar http.CookieJar
}

var attackedSite = &url.URL{Scheme: "https", Host: "app.example.com", Path: "/"}

func (v *victim) guest(cookies ...*http.Cookie) *guest {
	jar, _ := cookiejar.New(nil)
	jar.SetCookies(attackedSite, cookies)
	return &guest{v, jar}
}

// copied is the browser of somebody who stole the cookies.
func (b *guest) copied() *guest { return b.v.guest(b.jar.Cookies(attackedSite)...) }

func (b *guest) visit(fn func(*session.Session)) *http.Response {
	b.v.t.Helper()
	req := httptest.NewRequest("POST", attackedSite.String(), nil)
	for _, c := range b.jar.Cookies(attackedSite) {
		req.AddCookie(c)
	}
	w := httptest.NewRecorder()
	b.v.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { fn(s) }).ServeHTTP(w, req)
	b.jar.SetCookies(attackedSite, w.Result().Cookies())
	return w.Result()
}

// ticket is the value of the browser's session cookie.
func (b *guest) ticket() string {
	for _, c := range b.jar.Cookies(attackedSite) {
		return c.Value
	}
	return ""
}

// isNobody fails the test when the browser is let into a session.
func (b *guest) isNobody(what string) {
	b.v.t.Helper()
	b.visit(func(s *session.Session) {
		if s.User() != "" || len(s.All()) != 0 || !s.IsNew() {
			b.v.t.Errorf("%s: it is let in as %q, new %v", what, s.User(), s.IsNew())
		}
	})
}

func login(s *session.Session) { s.Login("ada"); s.Set("role", "admin") }

func look(*session.Session) {}

// records lists everything in a store.
func (v *victim) records() []*session.Record {
	v.t.Helper()
	lister, ok := v.store.(session.Lister)
	if !ok {
		return nil
	}
	list, err := lister.Page(context.Background(), "", 1000)
	if err != nil {
		v.t.Fatal(err)
	}
	return list
}
