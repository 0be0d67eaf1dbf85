package guard_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

const site = "https://app.example.com"

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

// rig is a guard on a manager with a clock.
type rig struct {
	*guard.Guard
	t     *testing.T
	m     *session.Manager
	store session.Store
	clock *clock
}

func newRig(t *testing.T, opts guard.Options, change ...func(*session.Options)) *rig {
	t.Helper()
	c := &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)}
	return newRigOn(t, memstore.New(memstore.Options{}), c, opts, change...)
}

// newGatedRig is a rig on a gate.
func newGatedRig(t *testing.T) (*rig, *gate) {
	t.Helper()
	g := newGate()
	return newRigOn(t, g, &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)}, guard.Options{}), g
}

func newRigOn(t *testing.T, store session.Store, c *clock, opts guard.Options, change ...func(*session.Options)) *rig {
	t.Helper()
	mopts := session.Options{Secrets: []session.Secret{secret}, Now: c.now, SweepEvery: -1}
	for _, change := range change {
		change(&mopts)
	}
	m, err := session.New(store, mopts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	g, err := guard.New(m, opts)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{g, t, m, store, c}
}

// node is a second manager on the same store.
func (r *rig) node() *rig { return newRigOn(r.t, r.store, r.clock, guard.Options{}) }

// gate is a store in which requests meet: the next n loads that found something, or that did not, go on together. So
// all of them have seen the same state, however fast one request is.
type gate struct {
	*memstore.Store
	mu      sync.Mutex
	found   bool
	missing int
	open    chan struct{}
}

func newGate() *gate { return &gate{Store: memstore.New(memstore.Options{})} }

func (g *gate) arm(n int, found bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.missing, g.found, g.open = n, found, make(chan struct{})
}

func (g *gate) Load(ctx context.Context, id string) (*session.Record, error) {
	rec, err := g.Store.Load(ctx, id)
	g.mu.Lock()
	if g.missing == 0 || g.found != (err == nil) {
		g.mu.Unlock()
		return rec, err
	}
	open := g.open
	if g.missing--; g.missing == 0 {
		close(open)
	}
	g.mu.Unlock()
	<-open
	return rec, err
}

// visitor is a browser.
type visitor struct {
	r       *rig
	mu      sync.Mutex
	cookies map[string]string
	ticket  string // in the header Authorization; "": in the cookies
}

func (r *rig) visitor() *visitor { return &visitor{r: r, cookies: map[string]string{}} }

// signIn is a new visitor who has signed in.
func (r *rig) signIn(user string, more ...func(*session.Session)) *visitor {
	v := r.visitor()
	v.with(func(s *session.Session) {
		s.Login(user)
		for _, fn := range more {
			fn(s)
		}
	})
	return v
}

// with runs fn on the session of one request.
func (v *visitor) with(fn func(*session.Session)) {
	v.r.t.Helper()
	h := v.r.m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { fn(s) })
	if w := v.send(h, request("GET", "/")); w.Code != 200 {
		v.r.t.Fatalf("a request that does nothing: status %d: %s", w.Code, w.Body)
	}
}

// send sends a request with the visitor's cookies, and keeps those that come back.
func (v *visitor) send(h http.Handler, req *http.Request) *httptest.ResponseRecorder {
	v.mu.Lock()
	for name, value := range v.cookies {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	v.mu.Unlock()
	if v.ticket != "" {
		req.Header.Set("Authorization", "Bearer "+v.ticket)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(v.cookies, c.Name)
			continue
		}
		v.cookies[c.Name] = c.Value
	}
	return w
}

func (v *visitor) get(h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	return v.send(h, request("GET", path, header...))
}

func (v *visitor) post(h http.Handler, path string, fields url.Values, header ...string) *httptest.ResponseRecorder {
	req := request("POST", path, header...)
	req.Body = io.NopCloser(strings.NewReader(fields.Encode()))
	if req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return v.send(h, req)
}

// request is a request with header lines as "Name: value".
func request(method, path string, header ...string) *http.Request {
	req := httptest.NewRequest(method, site+path, nil)
	req.RequestURI = path // as a server sees it
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Add(name, value)
	}
	return req
}

const (
	asPage = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	asJSON = "Accept: application/json"
	same   = "Sec-Fetch-Site: same-origin"
)

// inside is what the guards stand before.
var inside = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "inside") })

func wantInside(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code != 200 || w.Body.String() != "inside" {
		t.Errorf("status %d, body %q, want the request let through", w.Code, w.Body)
	}
}

// wantProblem checks the answer to a JSON client.
func wantProblem(t *testing.T, w *httptest.ResponseRecorder, status int, reason guard.Reason) {
	t.Helper()
	var p struct {
		Status        int
		Reason        guard.Reason
		Title, Detail string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Errorf("the answer is no JSON: %v: %q", err, w.Body)
	}
	if w.Code != status || p.Status != status || p.Reason != reason || p.Title == "" || p.Detail == "" ||
		w.Header().Get("Content-Type") != "application/problem+json" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("status %d, %v, body %s, want %d because of %q", w.Code, w.Header(), w.Body, status, reason)
	}
}

// wantPage checks the answer to a browser that is not sent elsewhere.
func wantPage(t *testing.T, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	body := w.Body.String()
	if w.Code != status || !strings.HasPrefix(body, "<!doctype html>") ||
		!strings.Contains(body, http.StatusText(status)) ||
		strings.Contains(body, "<script") || strings.Contains(body, "<style") || strings.Contains(body, "style=") {
		t.Errorf("status %d, body %s, want a small page with status %d", w.Code, body, status)
	}
	if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") ||
		strings.Contains(csp, "unsafe") {
		t.Errorf("Content-Security-Policy %q", csp)
	}
}
