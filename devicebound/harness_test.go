package devicebound_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/devicebound"
	"github.com/coatcheck/session/internal/dbsc"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/sessiontest"
)

const (
	ticketCookie = "__Host-Http-session"
	boundCookie  = "__Host-bound"

	registerPath = "/device-bound/register"
	refreshPath  = "/device-bound/refresh"
)

var secret = session.NewSecret()

// clock is a clock that stands until it is moved.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// store counts its calls, and can fail.
type store struct {
	*memstore.Store
	mu     sync.Mutex
	loads  int
	saves  int
	before func(call string) error
}

func (s *store) call(name string, n *int) error {
	s.mu.Lock()
	*n++
	before := s.before
	s.mu.Unlock()
	if before != nil {
		return before(name)
	}
	return nil
}

func (s *store) Load(ctx context.Context, id string) (*session.Record, error) {
	if err := s.call("load", &s.loads); err != nil {
		return nil, err
	}
	return s.Store.Load(ctx, id)
}

func (s *store) Save(ctx context.Context, rec *session.Record) error {
	if err := s.call("save", &s.saves); err != nil {
		return err
	}
	return s.Store.Save(ctx, rec)
}

func (s *store) Delete(ctx context.Context, id string) error {
	if err := s.call("delete", new(int)); err != nil {
		return err
	}
	return s.Store.Delete(ctx, id)
}

func (s *store) hook(fn func(call string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = fn
}

// trips returns the calls since it was called last.
func (s *store) trips() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := fmt.Sprintf("%d loads, %d saves", s.loads, s.saves)
	s.loads, s.saves = 0, 0
	return text
}

// site is a small site whose sessions are bound.
type site struct {
	*devicebound.Binder
	t     *testing.T
	m     *session.Manager
	store *store
	clock *clock
	mux   *http.ServeMux
	h     http.Handler

	mu     sync.Mutex
	events []session.Event
}

func newSite(t *testing.T, opts devicebound.Options, change ...func(*session.Options)) *site {
	t.Helper()
	s := &store{Store: memstore.New(memstore.Options{})}
	return newSiteOn(t, s, &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)}, opts, change...)
}

func newSiteOn(t *testing.T, st *store, c *clock, opts devicebound.Options, change ...func(*session.Options)) *site {
	t.Helper()
	s := &site{t: t, store: st, clock: c}
	mopts := session.Options{
		Secrets: []session.Secret{secret}, Now: c.now, SweepEvery: -1, OnEvent: s.note,
		Logger: slog.New(slog.DiscardHandler),
	}
	for _, change := range change {
		change(&mopts)
	}
	var err error
	if s.m, err = session.New(st, mopts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.m.Close() })
	if s.Binder, err = devicebound.New(s.m, opts); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	s.mux = mux
	for path, fn := range pages {
		mux.Handle(path, s.m.HandlerFunc(fn))
	}
	mux.HandleFunc("/untouched", func(http.ResponseWriter, *http.Request) {})
	mux.Handle("/vault", s.Require(s.m.HandlerFunc(pages["/"])))
	mux.Handle("/now", s.Prove(-1)(s.m.HandlerFunc(pages["/"])))
	mux.Handle("/pay", s.Prove(time.Minute)(s.m.HandlerFunc(pages["/"])))
	s.h = s.Middleware(mux)
	return s
}

// node is another server of the site.
func (s *site) node(opts devicebound.Options) *site {
	s.t.Helper()
	return newSiteOn(s.t, s.store, s.clock, opts)
}

// pages are what the site does. Each says who is signed in.
var pages = map[string]func(http.ResponseWriter, *http.Request, *session.Session){
	"/": say,
	"/login": func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		user := r.URL.Query().Get("user")
		if user == "" {
			user = "ada"
		}
		s.Login(user)
		http.Redirect(w, r, "/", http.StatusSeeOther)
	},
	"/login-here": func(w http.ResponseWriter, r *http.Request, s *session.Session) { s.Login("ada"); say(w, r, s) },
	"/logout":     func(w http.ResponseWriter, r *http.Request, s *session.Session) { s.Logout(); say(w, r, s) },
	"/regenerate": func(w http.ResponseWriter, r *http.Request, s *session.Session) { s.Regenerate(); say(w, r, s) },
	"/clear":      func(w http.ResponseWriter, r *http.Request, s *session.Session) { s.Clear(); say(w, r, s) },
	"/set":        func(w http.ResponseWriter, r *http.Request, s *session.Session) { s.Set("n", 1); say(w, r, s) },
	"/static/x":   say,
}

func say(w http.ResponseWriter, _ *http.Request, s *session.Session) {
	fmt.Fprintf(w, "%s %s", s.User(), devicebound.StateOf(s))
}

func (s *site) note(_ context.Context, e session.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
}

// told returns the reasons of the events of a kind, and forgets all events.
func (s *site) told(kind session.EventKind) (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.Kind == kind {
			list = append(list, fmt.Sprint(e.User, ": ", e.Err))
		}
	}
	s.events = nil
	return list
}

// browser is a browser at the site.
func (s *site) browser() *sessiontest.Browser { return sessiontest.NewBrowser(s.t, s.m.Now, s.h) }

// signedIn is a browser that has signed in, and whose session is bound.
func (s *site) signedIn() *sessiontest.Browser {
	s.t.Helper()
	b := s.browser()
	b.Get("/login")
	wantPage(s.t, b.Get("/"), "ada bound")
	s.store.trips()
	s.told("")
	b.Log()
	return b
}

func body(t *testing.T, resp *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func wantPage(t *testing.T, resp *http.Response, want string) {
	t.Helper()
	if got := body(t, resp); resp.StatusCode != http.StatusOK || got != want {
		t.Errorf("%s: status %d, %q, want %q", resp.Request.URL.Path, resp.StatusCode, got, want)
	}
}

func wantStatus(t *testing.T, resp *http.Response, want int) {
	t.Helper()
	if resp.StatusCode != want {
		t.Errorf("%s: status %d, want %d: %s", resp.Request.URL.Path, resp.StatusCode, want, body(t, resp))
	}
}

func wantLog(t *testing.T, b *sessiontest.Browser, want ...string) {
	t.Helper()
	if got := strings.Join(b.Log(), ", "); got != strings.Join(want, ", ") {
		t.Errorf("the browser sent %s, want %s", got, strings.Join(want, ", "))
	}
}

// browserWith is a browser at this node with the cookies of another.
func (s *site) browserWith(b *sessiontest.Browser) *sessiontest.Browser {
	at := s.browser()
	for _, name := range []string{ticketCookie, boundCookie} {
		at.SetCookie(name, b.Cookie(name))
	}
	return at
}

var (
	otherKey, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	rsaKey, _   = rsa.GenerateKey(rand.Reader, 2048)

	otherJWK = func() map[string]any {
		raw, err := otherKey.PublicKey.Bytes()
		if err != nil {
			panic(err)
		}
		return map[string]any{"kty": "EC", "crv": "P-256", "x": dbsc.Encode(raw[1:33]), "y": dbsc.Encode(raw[33:])}
	}()
	rsaJWK = map[string]any{"kty": "RSA", "n": dbsc.Encode(rsaKey.N.Bytes()), "e": "AQAB"}
)
