package cookiestore_test

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

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/memstore"
)

var (
	testSecret = session.NewSecret()
	site       = &url.URL{Scheme: "https", Host: "app.example.com", Path: "/"}
)

// rig is a manager whose sessions are in cookies, with a clock that stands until it is moved, and its events.
type rig struct {
	*session.Manager
	t    *testing.T
	opts session.Options

	mu     sync.Mutex
	now    time.Time
	events []session.Event
}

func listed() cookiestore.Options {
	return cookiestore.Options{Revocations: memstore.New(memstore.Options{})}
}

func newRig(t *testing.T, store cookiestore.Options, change ...func(*session.Options)) *rig {
	t.Helper()
	r := &rig{t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)}
	r.opts = session.Options{Secrets: []session.Secret{testSecret}, Now: r.clock, OnEvent: r.event, SweepEvery: -1}
	for _, c := range change {
		c(&r.opts)
	}
	r.Manager = r.manager(store, r.opts)
	return r
}

func (r *rig) manager(store cookiestore.Options, opts session.Options) *session.Manager {
	r.t.Helper()
	s, err := cookiestore.New(store)
	if err != nil {
		r.t.Fatal(err)
	}
	m, err := session.New(s, opts)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { m.Close() })
	return m
}

func (r *rig) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *rig) advance(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

func (r *rig) event(_ context.Context, e session.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func (r *rig) count(kind session.EventKind) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// visitor is a browser.
type visitor struct {
	t   *testing.T
	m   *session.Manager
	jar http.CookieJar
}

func (r *rig) visitor() *visitor {
	jar, _ := cookiejar.New(nil)
	return &visitor{r.t, r.Manager, jar}
}

// do sends a request and takes the cookies of the response.
func (v *visitor) do(fn func(http.ResponseWriter, *http.Request, *session.Session)) *http.Response {
	v.t.Helper()
	return v.send(v.request(), fn)
}

func (v *visitor) request() *http.Request {
	req := httptest.NewRequest("POST", site.String(), nil)
	for _, c := range v.jar.Cookies(site) {
		req.AddCookie(c)
	}
	return req
}

func (v *visitor) send(req *http.Request,
	fn func(http.ResponseWriter, *http.Request, *session.Session)) *http.Response {
	w := httptest.NewRecorder()
	v.m.HandlerFunc(fn).ServeHTTP(w, req)
	resp := w.Result()
	v.jar.SetCookies(site, resp.Cookies())
	return resp
}

func (v *visitor) with(fn func(*session.Session)) *http.Response {
	v.t.Helper()
	return v.do(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { fn(s) })
}

func (v *visitor) wants(path string, want any) {
	v.t.Helper()
	v.with(func(s *session.Session) {
		if got := s.Get(path); got != want {
			v.t.Errorf("%s = %v, want %v", path, got, want)
		}
	})
}

// copied is another browser with the same cookies.
func (v *visitor) copied() *visitor {
	jar, _ := cookiejar.New(nil)
	jar.SetCookies(site, v.jar.Cookies(site))
	return &visitor{v.t, v.m, jar}
}

func (v *visitor) on(m *session.Manager) *visitor { return &visitor{v.t, m, v.jar} }

// cookies are the names and values that the browser has.
func (v *visitor) cookies() map[string]string {
	all := map[string]string{}
	for _, c := range v.jar.Cookies(site) {
		all[c.Name] = c.Value
	}
	return all
}

func set(path string, value any) func(*session.Session) {
	return func(s *session.Session) { s.Set(path, value) }
}

func read(*session.Session) {}

// noise is text that does not compress, of any length.
func noise(n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	var b strings.Builder
	x := uint32(2463534242)
	for range n {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b.WriteByte(letters[x%64])
	}
	return b.String()
}
