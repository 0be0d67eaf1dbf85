package browser_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/devicebound"
	"github.com/coatcheck/session/memstore"
)

const (
	boundCookie  = "__Host-bound"
	registerPath = "/device-bound/register"
	refreshPath  = "/device-bound/refresh"
)

// bank is a site whose sessions are bound, on a clock that the test moves, with a second node on the same store.
type bank struct {
	t      *testing.T
	server *httptest.Server
	url    string
	nodes  [2]*session.Manager
	node   atomic.Int32 // that answers
	store  *sickStore

	mu    sync.Mutex
	more  *sync.Cond
	t0    time.Time
	log   []string // of requests
	bound int      // how often a browser said that it has bound a session

	skipped string // what a browser said of a refresh, in the last event
}

// sickStore fails when it is told to.
type sickStore struct {
	*memstore.Store
	mu   sync.Mutex
	sick bool
}

func (s *sickStore) Save(ctx context.Context, rec *session.Record) error {
	s.mu.Lock()
	sick := s.sick
	s.mu.Unlock()
	if sick {
		return errors.New("the store is sick")
	}
	return s.Store.Save(ctx, rec)
}

func (s *sickStore) fall(sick bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sick = sick
}

func newBank(t *testing.T, change ...func(*session.Options)) *bank {
	t.Helper()
	store := &sickStore{Store: memstore.New(memstore.Options{})}
	b := newBankOn(t, [2]session.Store{store, store}, change...)
	b.store = store
	return b
}

func newBankOn(t *testing.T, stores [2]session.Store, change ...func(*session.Options)) *bank {
	t.Helper()
	b := &bank{t: t, t0: time.Now()}
	b.more = sync.NewCond(&b.mu)
	opts := session.Options{
		Secrets: []session.Secret{session.NewSecret()}, Now: b.now, SweepEvery: -1, OnEvent: b.hear,
		Logger: slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&opts)
	}
	var handlers [2]http.Handler
	for i := range b.nodes {
		m, err := session.New(stores[i], opts)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
		binder, err := devicebound.New(m, devicebound.Options{
			Policy: devicebound.Enforce, ClearSiteData: true, Exclude: []string{"/elsewhere"},
		})
		if err != nil {
			t.Fatal(err)
		}
		b.nodes[i], handlers[i] = m, b.pages(m, binder)
	}
	b.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.serve(handlers[b.node.Load()], w, r)
	}))
	t.Cleanup(b.server.Close)
	u, err := url.Parse(b.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	b.url = "https://app.example.test:" + u.Port()
	return b
}

// hear notes what a browser says of a refresh that it did not make.
func (b *bank) hear(_ context.Context, e session.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, says, ok := strings.Cut(fmt.Sprint(e.Err), ";"); ok && e.Kind == devicebound.EventSkipped {
		b.skipped = says
	}
}

func (b *bank) pages(m *session.Manager, binder *devicebound.Binder) http.Handler {
	mux := http.NewServeMux()
	page := func(path string, fn func(http.ResponseWriter, *http.Request, *session.Session)) {
		mux.Handle(path, m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
			w.Header().Set("Content-Type", "text/html")
			fn(w, r, s)
		}))
	}
	who := func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		fmt.Fprintf(w, noIcon+`<h1>[%s %s]</h1>`, s.User(), devicebound.StateOf(s))
	}
	page("/", who)
	page("/login", func(w http.ResponseWriter, r *http.Request, s *session.Session) { s.Login("ada"); who(w, r, s) })
	page("/login-and-go", func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		s.Login("ada")
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	page("/logout", func(w http.ResponseWriter, r *http.Request, s *session.Session) { s.Logout(); who(w, r, s) })
	page("/renew", func(w http.ResponseWriter, r *http.Request, s *session.Session) { s.Regenerate(); who(w, r, s) })
	page("/elsewhere", func(w http.ResponseWriter, r *http.Request, _ *session.Session) {
		fmt.Fprintf(w, noIcon+`<a href="%s/">to the bank</a>`, b.url)
	})
	mux.Handle("/pay", binder.Prove(time.Minute)(m.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request, s *session.Session) {
			fmt.Fprintf(w, "%s %s %s", r.Method, r.FormValue("to"), s.User())
		})))
	return binder.Middleware(mux)
}

// serve notes what comes and what is answered, before the browser has the answer.
func (b *bank) serve(h http.Handler, w http.ResponseWriter, r *http.Request) {
	h.ServeHTTP(&noting{ResponseWriter: w, b: b, r: r}, r)
}

type noting struct {
	http.ResponseWriter
	b     *bank
	r     *http.Request
	noted bool
}

func (n *noting) WriteHeader(status int) {
	n.noted = true
	n.b.note(n.r, status)
	n.ResponseWriter.WriteHeader(status)
}

func (n *noting) Write(text []byte) (int, error) {
	if !n.noted {
		n.WriteHeader(http.StatusOK)
	}
	return n.ResponseWriter.Write(text)
}

func (b *bank) note(r *http.Request, status int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.log = append(b.log, fmt.Sprintf("%s %s: %d%s", r.Method, r.URL, status, b.skipped))
	b.skipped = ""
	b.more.Broadcast()
}

func (b *bank) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.t0
}

func (b *bank) advance(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.t0 = b.t0.Add(d)
}

// wait waits until something holds, with the lock held.
func (b *bank) wait(what string, holds func() bool) {
	b.t.Helper()
	stop := time.AfterFunc(patience, b.more.Broadcast)
	defer stop.Stop()
	until := time.Now().Add(patience)
	b.mu.Lock()
	defer b.mu.Unlock()
	for !holds() {
		if !time.Now().Before(until) {
			b.t.Fatalf("the browser sent %q, and not %s", b.log, what)
		}
		b.more.Wait()
	}
}

// sent waits until the bank has answered a request, and returns all since the last time, up to that.
func (b *bank) sent(last string) (list []string) {
	b.t.Helper()
	b.wait(last, func() bool {
		i := slices.Index(b.log, last)
		if i >= 0 {
			list, b.log = b.log[:i+1], b.log[i+1:]
		}
		return i >= 0
	})
	return list
}

// waitBound waits until a browser has bound a session. What it was answered it may have read later.
func (b *bank) waitBound() {
	b.t.Helper()
	b.sent("POST " + registerPath + ": 200")
	b.wait("a session bound", func() bool {
		was := b.bound
		b.bound = max(was-1, 0)
		return was > 0
	})
}

// listen counts the sessions that a browser says it has bound.
func (b *bank) listen(c *browser) {
	b.t.Helper()
	err := chromedp.Listen(c.ctx, func(ev any) {
		e, ok := ev.(*network.EventDeviceBoundSessionEventOccurred)
		if !ok || e.CreationEventDetails == nil {
			return
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		if !e.Succeeded {
			b.log = append(b.log, "not bound: "+string(e.CreationEventDetails.FetchResult))
		} else {
			b.bound++
		}
		b.more.Broadcast()
	})
	if err == nil {
		_, err = chromedp.Call(c.ctx, network.EnableDeviceBoundSessions,
			network.EnableDeviceBoundSessionsParams{Enable: true})
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bank) wantSent(want ...string) {
	b.t.Helper()
	if got := b.sent(want[len(want)-1]); !slices.Equal(got, want) {
		b.t.Errorf("the browser sent %q, want %q", got, want)
	}
}

// customer is a browser that binds sessions, with keys in software.
func (b *bank) customer() *browser {
	b.t.Helper()
	sum := sha256.Sum256(b.server.Certificate().RawSubjectPublicKeyInfo)
	c := fresh(b.t,
		chromedp.Flag("enable-features", "DeviceBoundSessions,DeviceBoundSessions:RefreshQuota/false,"+
			"EnableBoundSessionCredentialsSoftwareKeysForManualTesting"),
		chromedp.Flag("host-resolver-rules", "MAP *.test 127.0.0.1"),
		chromedp.Flag("ignore-certificate-errors-spki-list", base64.StdEncoding.EncodeToString(sum[:])))
	b.listen(c)
	return c
}

// signedIn is a customer whose session is bound.
func (b *bank) signedIn() *browser {
	b.t.Helper()
	c := b.customer()
	c.visit(b.url + "/login")
	b.waitBound()
	return c
}

// fetch asks for a page by a script, and returns its text.
func (b *bank) fetch(c *browser, path string) string {
	b.t.Helper()
	return get(c, chromedp.Evaluate[string](fmt.Sprintf(`fetch(%q).then(r => r.text())`, path),
		chromedp.EvalAwaitPromise))
}

// forget deletes a cookie in the browser, as its age does.
func (b *bank) forget(c *browser, name string) {
	b.t.Helper()
	_, err := chromedp.Call(c.ctx, network.DeleteCookies, network.DeleteCookiesParams{Name: name, URL: b.url})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bank) cookies(c *browser) []*network.Cookie {
	b.t.Helper()
	got, err := chromedp.Call(c.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{b.url}})
	if err != nil {
		b.t.Fatal(err)
	}
	return got.Cookies
}

// plant gives a browser, which is then at a page of the bank, the cookies of another.
func (b *bank) plant(thief *browser, copied []*network.Cookie) {
	b.t.Helper()
	thief.visit(b.url + "/elsewhere")
	var planted []*network.CookieParam
	for _, c := range copied {
		planted = append(planted, &network.CookieParam{
			Name: c.Name, Value: c.Value, URL: b.url, Path: "/", Secure: true, HTTPOnly: true,
		})
	}
	if _, err := chromedp.Call(thief.ctx, network.SetCookies, network.SetCookiesParams{Cookies: planted}); err != nil {
		b.t.Fatal(err)
	}
}

// What the page is to who is signed in, and to nobody. It asks for no icon, so that no request comes by itself.
const (
	noIcon  = `<link rel="icon" href="data:,">`
	inside  = noIcon + "<h1>[ada bound]</h1>"
	outside = noIcon + "<h1>[ none]</h1>"
)

func (b *bank) wantFetch(c *browser, path, want string) {
	b.t.Helper()
	if got := b.fetch(c, path); got != want {
		b.t.Errorf("%s is %q, want %q", path, got, want)
	}
}

func TestChromiumBindsASession(t *testing.T) {
	for _, login := range []string{"/login", "/login-and-go"} {
		b := newBank(t)
		c := b.customer()
		c.visit(b.url + login)
		b.waitBound()
		b.wantFetch(c, "/?first", inside)
		b.sent("GET /?first: 200")
		b.forget(c, boundCookie)
		b.wantFetch(c, "/", inside) // it waits until the bound cookie is back
		b.wantSent("POST "+refreshPath+": 200", "GET /: 200")
		b.advance(6 * time.Minute) // the challenge that the browser has is too old
		b.forget(c, boundCookie)
		b.wantFetch(c, "/", inside)
		b.wantSent("POST "+refreshPath+": 403", "POST "+refreshPath+": 200", "GET /: 200")
	}
}

// The reason for all of this.
func TestCookiesCopiedFromChromiumOpenNothing(t *testing.T) {
	b := newBank(t)
	owner, thief := b.signedIn(), b.customer()
	copied := b.cookies(owner)
	if len(copied) != 2 {
		t.Fatalf("%d cookies, want the session's and the bound one", len(copied))
	}
	b.plant(thief, copied)
	b.wantFetch(thief, "/", inside) // for as long as the bound cookie holds
	b.advance(12 * time.Minute)
	b.wantFetch(thief, "/", outside)
	b.forget(owner, boundCookie) // which has come to its age in the browser too
	b.wantFetch(owner, "/", inside)
	b.wantFetch(thief, "/", outside)
}

func TestAnOutageDoesNotMakeChromiumForgetItsKey(t *testing.T) {
	b := newBank(t)
	c := b.signedIn()
	b.store.fall(true)
	b.forget(c, boundCookie)
	b.wantFetch(c, "/", outside)
	b.sent("POST " + refreshPath + ": 503")
	b.sent("GET /: 200 the browser says server_error")
	b.store.fall(false)
	b.wantFetch(c, "/", inside)
	b.wantSent("POST "+refreshPath+": 200", "GET /: 200")
}

// Whatever ends the session, the browser does not come back with its key.
func TestTheEndOfASessionMakesChromiumForgetItsKey(t *testing.T) {
	for name, end := range map[string]func(*bank, *browser){
		"logout": func(b *bank, c *browser) { b.fetch(c, "/logout"); b.sent("GET /logout: 200") },
		"revoked on another node": func(b *bank, c *browser) {
			if n, err := b.nodes[1].RevokeUser(context.Background(), "ada"); n != 1 || err != nil {
				b.t.Errorf("RevokeUser = %d, %v", n, err)
			}
			b.forget(c, boundCookie)
			b.wantFetch(c, "/", outside)
			b.wantSent("POST "+refreshPath+": 401", "GET /: 200")
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBank(t)
			c := b.signedIn()
			end(b, c)
			b.forget(c, boundCookie)
			b.wantFetch(c, "/", outside)
			b.wantSent("GET /: 200")
		})
	}
}

func TestANewIDDoesNotSignChromiumOut(t *testing.T) {
	b := newBank(t, func(o *session.Options) { o.RenewEvery = time.Minute })
	c := b.signedIn()
	for range 3 {
		b.advance(2 * time.Minute)
		b.forget(c, boundCookie)
		b.wantFetch(c, "/", inside)
	}
	b.fetch(c, "/renew")
	b.forget(c, boundCookie)
	b.wantFetch(c, "/", inside)
}

// Two tabs share one key, and another node of the site knows it, as after a restart.
func TestTwoTabsOfChromiumShowTheirKeyToAnotherNode(t *testing.T) {
	b := newBank(t)
	c := b.signedIn()
	other := c.tab()
	other.visit(b.url + "/elsewhere")
	b.node.Store(1)
	b.advance(12 * time.Minute)
	for range 3 {
		b.forget(c, boundCookie)
		var both sync.WaitGroup
		var pages [2]string
		for i, tab := range []*browser{c, other} {
			both.Go(func() { pages[i] = b.fetch(tab, "/") })
		}
		both.Wait()
		if pages[0] != inside || pages[1] != inside {
			t.Errorf("the tabs see %q, want both inside", pages)
		}
	}
}

// A second sign-in has a key of its own, and the first one's is forgotten.
func TestChromiumBindsTheNextSignInAnew(t *testing.T) {
	b := newBank(t)
	c := b.signedIn()
	b.advance(time.Second)
	b.fetch(c, "/login")
	b.waitBound()
	b.wantFetch(c, "/", inside)
	b.sent("GET /: 200")
	b.advance(10 * time.Minute)
	for range 2 {
		b.forget(c, boundCookie)
		b.wantFetch(c, "/", inside)
	}
	if got := b.sent("GET /: 200"); strings.Count(strings.Join(got, " "), refreshPath+": 401") > 1 {
		t.Errorf("the browser sent %q, want the old key gone", got)
	}
}

// A link on another site leads in, although no browser shows its key because of it.
func TestALinkFromAnotherSiteLeadsIn(t *testing.T) {
	b := newBank(t)
	c := b.signedIn()
	c.visit(strings.Replace(b.url, "app.example.test", "www.other.test", 1) + "/elsewhere")
	b.advance(12 * time.Minute)
	b.forget(c, boundCookie)
	c.do(chromedp.Click(chromedp.CSS("a")))
	got := b.sent("GET /: 200")
	if want := "GET /: 401"; !slices.Contains(got, want) {
		t.Errorf("the browser sent %q, want %q among it", got, want)
	}
	c.shows("h1", "[ada bound]")
}

// Prove makes the browser show its key before the handler runs, with what it sent.
func TestChromiumShowsItsKeyWhenItIsAsked(t *testing.T) {
	b := newBank(t)
	c := b.signedIn()
	b.advance(2 * time.Minute)
	pay := `fetch("/pay", {method: "POST", body: new URLSearchParams({to: "bob"})}).then(r => r.text())`
	if got := get(c, chromedp.Evaluate[string](pay, chromedp.EvalAwaitPromise)); got != "POST bob ada" {
		t.Errorf("the payment is %q", got)
	}
	b.wantSent("POST /pay: 307", "POST "+refreshPath+": 200", "POST /pay: 200")
}
