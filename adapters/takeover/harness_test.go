package takeover_test

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/gorilla/sessions"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/takeover"
	"github.com/coatcheck/session/memstore"
)

// cart is a type of the site's own.
type cart struct {
	Items []string `json:"items"`
}

func init() {
	gob.Register(cart{})
	gob.Register(time.Time{})
}

var errDown = errors.New("the server is down")

// userOf is where the old site keeps who is signed in.
func userOf(values map[string]any) string {
	user, _ := values["user"].(string)
	return user
}

// oldSite is a site on the library that is to be left.
type oldSite struct {
	source takeover.Source
	signIn func(user string) *http.Cookie // an old session of somebody; nobody for ""
	left   func() int                     // sessions that the old library still has, -1 where it has none itself
	finds  *atomic.Int64                  // how often it was asked
	down   *atomic.Bool
}

// counting counts how often a source is asked, and can fail.
type counting struct {
	takeover.Source
	finds *atomic.Int64
	down  *atomic.Bool
}

func (c counting) Find(r *http.Request) (takeover.Entry, error) {
	c.finds.Add(1)
	e, err := c.Source.Find(r)
	load, end := e.Load, e.End
	if load != nil {
		e.Load = func(ctx context.Context) (*takeover.Old, error) {
			if c.down.Load() {
				return nil, errDown
			}
			return load(ctx)
		}
		e.End = func(ctx context.Context) error {
			if c.down.Load() {
				return errDown
			}
			return end(ctx)
		}
	}
	return e, err
}

// oldSites are the old libraries that the tests move away from.
var oldSites = map[string]func(t *testing.T) oldSite{
	"scs":            oldSCS,
	"gorilla files":  oldFiles,
	"gorilla cookie": oldCookies,
}

func oldSCS(t *testing.T) oldSite {
	m := scs.New()
	m.Cookie.Name = "old"
	return scsSite(t, m)
}

func scsSite(t *testing.T, m *scs.SessionManager) oldSite {
	t.Helper()
	o := oldSite{finds: new(atomic.Int64), down: new(atomic.Bool)}
	o.source = counting{takeover.SCS(m), o.finds, o.down}
	o.signIn = func(user string) *http.Cookie {
		w := httptest.NewRecorder()
		m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if err := m.RenewToken(r.Context()); err != nil {
				t.Error(err)
			}
			m.Put(r.Context(), "user", user)
			m.Put(r.Context(), "n", 7)
			m.Put(r.Context(), "cart", cart{[]string{"hat"}})
		})).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		return w.Result().Cookies()[0]
	}
	o.left = func() int {
		all, err := m.Store.(scs.IterableStore).All()
		if err != nil {
			return -1
		}
		return len(all)
	}
	return o
}

func oldFiles(t *testing.T) oldSite {
	dir := t.TempDir()
	o := gorillaSite(t, sessions.NewFilesystemStore(dir, []byte("0123456789abcdef0123456789abcdef")))
	o.left = func() int {
		files, err := os.ReadDir(filepath.Clean(dir))
		if err != nil {
			return -1
		}
		return len(files)
	}
	return o
}

func oldCookies(t *testing.T) oldSite {
	o := gorillaSite(t, sessions.NewCookieStore([]byte("0123456789abcdef0123456789abcdef")))
	o.left = func() int { return 0 }
	return o
}

func gorillaSite(t *testing.T, store sessions.Store) oldSite {
	t.Helper()
	o := oldSite{finds: new(atomic.Int64), down: new(atomic.Bool)}
	o.source = counting{takeover.Gorilla(store, "old"), o.finds, o.down}
	o.signIn = func(user string) *http.Cookie {
		r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
		s, err := store.Get(r, "old")
		if err != nil {
			t.Error(err)
		}
		s.Values["user"], s.Values["n"], s.Values["cart"] = user, 7, cart{[]string{"hat"}}
		if err := s.Save(r, w); err != nil {
			t.Error(err)
		}
		return w.Result().Cookies()[0]
	}
	return o
}

// newSite is the site after the move, on as many nodes as it was opened with.
type newSite struct {
	*testing.T
	oldSite
	store    *memstore.Store
	takeover *takeover.Takeover
	sessions *session.Manager
	nodes    []*httptest.Server
	ahead    atomic.Int64 // of the clock
}

var secret = session.NewSecret()

func open(t *testing.T, old oldSite, nodes int, opts takeover.Options, change ...func(*session.Options)) *newSite {
	t.Helper()
	s := &newSite{T: t, oldSite: old, store: memstore.New(memstore.Options{})}
	if opts.User == nil {
		opts.User = userOf
	}
	for range nodes {
		o := session.Options{Secrets: []session.Secret{secret}, SweepEvery: session.Never,
			Logger: slog.New(slog.DiscardHandler),
			Now:    func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }}
		for _, c := range change {
			c(&o)
		}
		m, err := session.New(s.store, o)
		if err != nil {
			t.Fatal(err)
		}
		tk, err := takeover.New(m, old.source, opts)
		if err != nil {
			t.Fatal(err)
		}
		node := httptest.NewServer(tk.Middleware(m.Preload(http.HandlerFunc(page))))
		s.sessions, s.takeover, s.nodes = m, tk, append(s.nodes, node)
		t.Cleanup(func() {
			node.Close()
			_ = m.Close() // which has no error
		})
	}
	return s
}

// page shows the session, or logs out.
func page(w http.ResponseWriter, r *http.Request) {
	s := session.From(r.Context())
	switch r.URL.Path {
	case "/logout":
		s.Logout()
	case "/write":
		s.Set("written", true)
	case "/untouched":
		return
	}
	c, _ := session.Key[cart]("cart").Get(s)
	fmt.Fprintf(w, "%q %v %v", s.User(), s.Get("n"), c.Items)
}

// whole is what page shows of somebody whose data are all there.
func whole(user string) string { return fmt.Sprintf("%q 7 [hat]", user) }

const nobody = `"" <nil> []`

// ask sends a request with cookies, and returns the body and the cookies that the response sets.
func (s *newSite) ask(node int, path string, cookies ...*http.Cookie) (body string, set map[string]*http.Cookie) {
	s.Helper()
	r, err := http.NewRequest("GET", s.nodes[node%len(s.nodes)].URL+path, nil)
	if err != nil {
		s.Error(err)
		return "", nil
	}
	for _, c := range cookies {
		if c != nil {
			r.AddCookie(c)
		}
	}
	resp, err := s.nodes[node%len(s.nodes)].Client().Do(r)
	if err != nil {
		s.Error(err)
		return "", nil
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Error(err)
	}
	set = map[string]*http.Cookie{}
	for _, c := range resp.Cookies() {
		if set[c.Name] != nil {
			s.Errorf("the response sets %s twice", c.Name)
		}
		set[c.Name] = c
	}
	return strings.TrimSpace(string(text)), set
}

const ours = "__Host-Http-session"

// sessionsOf counts what a user has.
func (s *newSite) sessionsOf(user string) int {
	s.Helper()
	infos, err := s.sessions.Sessions(s.Context(), user)
	if err != nil {
		s.Error(err)
	}
	return len(infos)
}
