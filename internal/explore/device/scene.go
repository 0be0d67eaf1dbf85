// Package device runs requests of a session that is bound to a device in every order of their calls to a store. It is
// what package explore is for other requests, and only tests use it.
package device

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/devicebound"
	"github.com/coatcheck/session/internal/explore"
	"github.com/coatcheck/session/sessiontest"
)

// The cookies of a bound session.
const (
	ticketCookie = "__Host-Http-session"
	boundCookie  = "__Host-bound"
)

// clock stands until it is moved.
type clock struct{ at atomic.Pointer[time.Time] }

func (c *clock) now() time.Time          { return *c.at.Load() }
func (c *clock) set(t time.Time)         { c.at.Store(&t) }
func (c *clock) advance(d time.Duration) { c.set(c.now().Add(d)) }

// pages are what the site does. Each says who is signed in.
var pages = map[string]func(http.ResponseWriter, *http.Request, *session.Session){
	"/":           say,
	"/login":      func(w http.ResponseWriter, r *http.Request, s *session.Session) { s.Login(r.FormValue("user")) },
	"/logout":     func(w http.ResponseWriter, r *http.Request, s *session.Session) { s.Logout(); say(w, r, s) },
	"/regenerate": func(w http.ResponseWriter, r *http.Request, s *session.Session) { s.Regenerate(); say(w, r, s) },
}

func say(w http.ResponseWriter, _ *http.Request, s *session.Session) {
	fmt.Fprintf(w, "%s %s", s.User(), devicebound.StateOf(s))
}

// scene is a session of ada, and requests that meet it, each at a node of its own.
type scene struct {
	clock    clock
	user     string // ada, and nobody else on this store
	nodes    []*session.Manager
	handlers []http.Handler
	register *http.Request // that the browser would send
	refresh  *http.Request
	cookies  []string // tickets and bound cookies that anybody was given
	tickets  []string
	acts     []*deed
}

// deed is one request, and how it was answered.
type deed struct {
	name   string
	do     func(context.Context, *scene, *deed)
	node   int
	status int
	ticket string // that it gave out
}

// page is a request for a page of the site with the first ticket.
func page(path string) func(context.Context, *scene, *deed) {
	return func(ctx context.Context, sc *scene, d *deed) {
		if path == "/login" {
			sc.send(ctx, d, sc.login())
			return
		}
		sc.send(ctx, d, httptest.NewRequest("GET", sessiontest.Site+path, nil))
	}
}

// login is a request with which ada signs in.
func (sc *scene) login() *http.Request {
	return httptest.NewRequest("GET", sessiontest.Site+"/login?user="+sc.user, nil)
}

var deeds = []deed{
	{name: "register", do: func(ctx context.Context, sc *scene, d *deed) { sc.send(ctx, d, sc.register) }},
	{name: "refresh", do: func(ctx context.Context, sc *scene, d *deed) { sc.send(ctx, d, sc.refresh) }},
	{name: "read", do: page("/")}, // and the id is renewed, where that is due
	{name: "regenerate", do: page("/regenerate")},
	{name: "login", do: page("/login")},
	{name: "login as bob", do: page("/login?user=bob")},
	{name: "logout", do: page("/logout")},
	{name: "revoke", do: func(ctx context.Context, sc *scene, d *deed) {
		if _, err := sc.nodes[d.node].RevokeUser(ctx, sc.user); err == nil {
			d.status = http.StatusOK
		}
	}},
}

// send sends a request to the node of the deed, with the cookies from before.
func (sc *scene) send(ctx context.Context, d *deed, r *http.Request) {
	r = r.Clone(ctx)
	r.Header.Set("Cookie", strings.Join(sc.cookies[:2], "; "))
	w := httptest.NewRecorder()
	sc.handlers[d.node].ServeHTTP(w, r)
	d.status = w.Code
	if c := setCookie(w.Result(), ticketCookie); c != nil && c.MaxAge >= 0 {
		d.ticket = c.Value
	}
	if c := setCookie(w.Result(), boundCookie); c != nil && c.MaxAge >= 0 {
		sc.cookies = append(sc.cookies, boundCookie+"="+c.Value)
	}
}

// newScene signs ada in. A session that is to be registered is not bound yet; another is.
func newScene(t testing.TB, x *explore.Explorer, p Play, stores [2]explore.Store, acts []deed) *scene {
	sc := &scene{user: "ada-" + rand.Text()}
	sc.clock.set(p.Start)
	opts := session.Options{
		Secrets: []session.Secret{session.NewSecret()}, Now: sc.clock.now, SweepEvery: session.Never,
		Logger: slog.New(slog.DiscardHandler),
	}
	if p.Renew {
		opts.RenewEvery = time.Minute
	}
	for i, d := range acts {
		sc.addNode(t, x.Steps(stores[i%2]), opts)
		d.node = i
		sc.acts = append(sc.acts, &d)
	}
	sc.signIn(t)
	sc.clock.advance(2 * time.Minute)
	return sc
}

// addNode adds a node of the site.
func (sc *scene) addNode(t testing.TB, store explore.Store, opts session.Options) {
	m, err := session.New(store, opts)
	if err != nil {
		t.Fatal(err)
	}
	b, err := devicebound.New(m, devicebound.Options{Policy: devicebound.Enforce, PendingFor: 5 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for path, fn := range pages {
		mux.Handle(path, m.HandlerFunc(fn))
	}
	sc.nodes, sc.handlers = append(sc.nodes, m), append(sc.handlers, b.Middleware(mux))
}

func (sc *scene) signIn(t testing.TB) {
	b := sessiontest.NewBrowser(t, sc.clock.now, sc.handlers[0])
	b.Hold = true
	b.Do(sc.login())
	var sent *http.Request
	note := func(r *http.Request) {
		sent = r.Clone(r.Context())
		r.Method = http.MethodGet // so that it is not answered
	}
	if sc.has("register") {
		b.Alter = note
		b.Register()
		sc.register = sent
	} else {
		b.Register()
		sc.clock.advance(time.Second)
		b.Alter = note
		b.Refresh()
		sc.refresh = sent
	}
	sc.cookies = []string{ticketCookie + "=" + b.Cookie(ticketCookie), boundCookie + "=" + b.Cookie(boundCookie)}
	sc.tickets = []string{b.Cookie(ticketCookie)}
}

func (sc *scene) has(names ...string) bool {
	return slices.ContainsFunc(sc.acts, func(d *deed) bool { return slices.Contains(names, d.name) })
}

// opens returns what a ticket opens with any of the bound cookies, "" for nothing.
func (sc *scene) opens(ticket string) (best string) {
	for _, cookie := range sc.cookies[1:] {
		r := httptest.NewRequest("GET", sessiontest.Site+"/", nil)
		r.Header.Set("Cookie", ticketCookie+"="+ticket+"; "+cookie)
		w := httptest.NewRecorder()
		sc.handlers[0].ServeHTTP(w, r)
		if text := w.Body.String(); w.Code == http.StatusOK && text != " none" {
			best = text
		}
	}
	return best
}

func (sc *scene) close() {
	for _, m := range sc.nodes {
		_ = m.Close() // which has no error
	}
}

func setCookie(resp *http.Response, name string) *http.Cookie {
	for _, c := range resp.Cookies() {
		if c.Name == name {
			return c
		}
	}
	return nil
}
