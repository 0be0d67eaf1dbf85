package session_test

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
	"github.com/coatcheck/session/memstore"
)

var testSecret = session.NewSecret()

// clock is a clock that stands until it is moved.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)} }

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

// events collects what a manager reports.
type events struct {
	mu   sync.Mutex
	list []session.Event
}

func (e *events) add(_ context.Context, ev session.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, ev)
}

func (e *events) count(kind session.EventKind) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ev := range e.list {
		if ev.Kind == kind {
			n++
		}
	}
	return n
}

// rig is a manager on a counted memstore, with a clock and its events.
type rig struct {
	*session.Manager
	t     *testing.T
	clock *clock
	ev    *events
	store *counted
}

func newRig(t *testing.T, change ...func(*session.Options)) *rig {
	t.Helper()
	return newRigOn(t, memstore.New(memstore.Options{}), change...)
}

func newRigOn(t *testing.T, store fullStore, change ...func(*session.Options)) *rig {
	t.Helper()
	r := &rig{t: t, clock: newClock(), ev: &events{}, store: &counted{fullStore: store}}
	opts := session.Options{
		Secrets: []session.Secret{testSecret}, Now: r.clock.now, OnEvent: r.ev.add, SweepEvery: -1,
	}
	for _, c := range change {
		c(&opts)
	}
	watch.over(&opts)
	m, err := session.New(r.store, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	r.Manager = m
	return r
}

// node is a second manager on the same store, with the same clock and secret.
func (r *rig) node(change ...func(*session.Options)) *rig {
	r.t.Helper()
	n := newRigOn(r.t, r.store.fullStore, append([]func(*session.Options){func(o *session.Options) {
		o.Now = r.clock.now
	}}, change...)...)
	n.clock = r.clock
	return n
}

type fullStore interface {
	session.Store
	session.Toucher
	session.Sweeper
	session.Lister
	session.Limiter
}

// counted counts the calls, and can run something before each.
type counted struct {
	fullStore
	mu     sync.Mutex
	calls  map[string]int
	before func(call string, id string) error
}

func (c *counted) call(name, id string) error {
	c.mu.Lock()
	if c.calls == nil {
		c.calls = map[string]int{}
	}
	c.calls[name]++
	before := c.before
	c.mu.Unlock()
	if before != nil {
		return before(name, id)
	}
	return nil
}

func (c *counted) total() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range c.calls {
		n += v
	}
	return n
}

func (c *counted) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = nil
}

func (c *counted) hook(fn func(call, id string) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.before = fn
}

func (c *counted) Load(ctx context.Context, id string) (*session.Record, error) {
	if err := c.call("load", id); err != nil {
		return nil, err
	}
	return c.fullStore.Load(ctx, id)
}

func (c *counted) Save(ctx context.Context, rec *session.Record) error {
	if err := c.call("save", rec.ID); err != nil {
		return err
	}
	return c.fullStore.Save(ctx, rec)
}

// Shares says that the store below is lent out as it is, if it is one that can be.
func (c *counted) Shares(s session.Store) bool {
	below, ok := c.fullStore.(session.Sharer)
	return ok && s == session.Store(c) && below.Shares(c.fullStore)
}

func (c *counted) LoadShared(ctx context.Context, id string) (*session.Record, any, error) {
	if err := c.call("load", id); err != nil {
		return nil, nil, err
	}
	if below, ok := c.fullStore.(session.Sharer); ok { // a test may have put another one here
		return below.LoadShared(ctx, id)
	}
	rec, err := c.fullStore.Load(ctx, id)
	return rec, nil, err
}

func (c *counted) SaveShared(ctx context.Context, rec *session.Record, note any) error {
	if err := c.call("save", rec.ID); err != nil {
		return err
	}
	if below, ok := c.fullStore.(session.Sharer); ok {
		return below.SaveShared(ctx, rec, note)
	}
	err := c.fullStore.Save(ctx, rec)
	if err == nil {
		rec.Version++
	}
	return err
}

func (c *counted) SaveWithin(ctx context.Context, rec *session.Record, limit session.Limit) error {
	if err := c.call("save", rec.ID); err != nil {
		return err
	}
	return c.fullStore.SaveWithin(ctx, rec, limit)
}

func (c *counted) Delete(ctx context.Context, id string) error {
	if err := c.call("delete", id); err != nil {
		return err
	}
	return c.fullStore.Delete(ctx, id)
}

func (c *counted) Touch(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
	if err := c.call("touch", id); err != nil {
		return err
	}
	return c.fullStore.Touch(ctx, id, version, seen, expires)
}

// visitor is a browser: a jar, and requests straight into a handler.
type visitor struct {
	t   *testing.T
	m   *session.Manager
	jar http.CookieJar
}

func (r *rig) visitor() *visitor {
	jar, _ := cookiejar.New(nil)
	return &visitor{t: r.t, m: r.Manager, jar: jar}
}

type handler func(http.ResponseWriter, *http.Request, *session.Session)

// do sends one request through Manager.HandlerFunc.
func (v *visitor) do(fn handler) *http.Response {
	v.t.Helper()
	return v.through(v.m.HandlerFunc(fn), "GET")
}

// with runs fn on the session of one request.
func (v *visitor) with(fn func(*session.Session)) *http.Response {
	v.t.Helper()
	return v.do(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { fn(s) })
}

func (v *visitor) through(h http.Handler, method string) *http.Response {
	v.t.Helper()
	r := httptest.NewRequest(method, "https://app.example.com/", nil)
	for _, c := range v.jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	resp := w.Result()
	v.jar.SetCookies(r.URL, resp.Cookies())
	return resp
}

// ticket is the value of the session cookie that the browser has.
func (v *visitor) ticket() string {
	r := httptest.NewRequest("GET", "https://app.example.com/", nil)
	for _, c := range v.jar.Cookies(r.URL) {
		if strings.HasSuffix(c.Name, "session") {
			return c.Value
		}
	}
	return ""
}

// clone is another browser with the same cookies.
func (v *visitor) clone() *visitor {
	r := httptest.NewRequest("GET", "https://app.example.com/", nil)
	jar, _ := cookiejar.New(nil)
	jar.SetCookies(r.URL, v.jar.Cookies(r.URL))
	return &visitor{t: v.t, m: v.m, jar: jar}
}

// on is the same browser at another node.
func (v *visitor) on(m *session.Manager) *visitor { return &visitor{t: v.t, m: m, jar: v.jar} }

func mustURL() *url.URL {
	u, err := url.Parse("https://app.example.com/")
	if err != nil {
		panic(err)
	}
	return u
}

// planted is a store with one record in it, as somebody who can write to the backend would put it there.
func planted(t *testing.T, rec *session.Record) fullStore {
	t.Helper()
	return plantedStore{memstore.New(memstore.Options{}), rec}
}

type plantedStore struct {
	*memstore.Store
	rec *session.Record
}

func (p plantedStore) Load(ctx context.Context, id string) (*session.Record, error) {
	if id == p.rec.ID {
		return p.rec.Clone(), nil
	}
	return p.Store.Load(ctx, id)
}

// wantText checks that there is an error, and that it says what is wanted.
func wantText(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %v, want one that says %q", err, want)
	}
}
