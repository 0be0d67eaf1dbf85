// Package device runs requests of a session that is bound to a device in every order of their calls to a store. It is
// what package explore is for other requests, and only tests use it.
package device

import (
	"context"
	"crypto/rand"
	"errors"
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
	other    *http.Request // a second proof of the same key
	cookies  []string      // tickets and bound cookies that anybody was given
	tickets  []string
	acts     []*deed
	renews   bool // a new id is due
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
	{name: "refresh of another tab", do: func(ctx context.Context, sc *scene, d *deed) { sc.send(ctx, d, sc.other) }},
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
	sc := &scene{user: "ada-" + rand.Text(), renews: p.Renew}
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

// signIn leaves a proof on its way to the site, or two of one key, as two tabs send them.
func (sc *scene) signIn(t testing.TB) {
	road := &road{to: sc.handlers[0]}
	b := sessiontest.NewRemoteBrowser(t, sc.clock.now, sessiontest.Site, road)
	b.Hold = true
	b.Do(sc.login())
	if road.shut = sc.has("register"); road.shut {
		b.Register()
		sc.register = road.held[0]
	} else {
		b.Register()
		sc.clock.advance(time.Second)
		road.shut = true
		b.Refresh()
		road.asks = true
		b.Refresh()
		sc.refresh, sc.other = road.held[0], road.held[1]
	}
	sc.cookies = []string{ticketCookie + "=" + b.Cookie(ticketCookie), boundCookie + "=" + b.Cookie(boundCookie)}
	sc.tickets = []string{b.Cookie(ticketCookie)}
}

// road is the way to the site, on which proofs can be held up.
type road struct {
	to   http.Handler
	shut bool
	asks bool // the next proof gets lost, so that the site gives out another challenge
	held []*http.Request
}

var errHeld = errors.New("the proof is on its way")

func (r *road) RoundTrip(req *http.Request) (*http.Response, error) {
	if r.asks {
		req.Header.Del("Secure-Session-Response")
		r.asks = false
	}
	if r.shut && req.Header.Get("Secure-Session-Response") != "" {
		r.held = append(r.held, req)
		return nil, errHeld
	}
	w := httptest.NewRecorder()
	r.to.ServeHTTP(w, req)
	return w.Result(), nil
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
