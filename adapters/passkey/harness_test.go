package passkey_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/passkey"
	"github.com/coatcheck/session/memstore"
)

const origin = "https://app.example.com"

// clock is moved by the test.
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

// accounts are those of a site, in memory.
type accounts struct {
	mu   sync.Mutex
	list map[string]*passkey.Account
	down error  // what every method returns, if it is set
	used func() // what happens before the use of a passkey is kept, if it is set
}

var _ passkey.Accounts = (*accounts)(nil)

func newAccounts(users ...string) *accounts {
	a := &accounts{list: map[string]*passkey.Account{}}
	for _, user := range users {
		a.list[user] = &passkey.Account{User: user, Handle: []byte("handle of " + user)}
	}
	return a
}

func (a *accounts) find(is func(*passkey.Account) bool) (passkey.Account, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.down != nil {
		return passkey.Account{}, a.down
	}
	for _, one := range a.list {
		if is(one) {
			found := *one
			found.Credentials = slices.Clone(one.Credentials)
			return found, nil
		}
	}
	return passkey.Account{}, passkey.ErrNoAccount
}

func (a *accounts) Account(_ context.Context, user string) (passkey.Account, error) {
	return a.find(func(one *passkey.Account) bool { return one.User == user })
}

func (a *accounts) AccountOf(_ context.Context, handle []byte) (passkey.Account, error) {
	return a.find(func(one *passkey.Account) bool { return bytes.Equal(one.Handle, handle) })
}

func (a *accounts) Add(_ context.Context, user string, c webauthn.Credential) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, one := range a.list {
		for _, known := range one.Credentials {
			if bytes.Equal(known.ID, c.ID) {
				return passkey.ErrTaken
			}
		}
	}
	a.list[user].Credentials = append(a.list[user].Credentials, c)
	return a.down
}

func (a *accounts) Update(_ context.Context, user string, c webauthn.Credential) error {
	if a.used != nil {
		a.used()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, known := range a.list[user].Credentials {
		if bytes.Equal(known.ID, c.ID) {
			a.list[user].Credentials[i] = c
			return a.down
		}
	}
	return passkey.ErrNoAccount
}

func (a *accounts) change(fn func(map[string]*passkey.Account)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fn(a.list)
}

// site is a site with passkeys, on one node or two.
type site struct {
	t        testing.TB
	accounts *accounts
	clock    *clock
	nodes    []*httptest.Server
	m        *session.Manager // of the first node
	mu       sync.Mutex
	events   []session.Event
}

// setup is what a test changes.
type setup struct {
	stores  []session.Store // one for each node
	session session.Options
	passkey passkey.Options
	wrap    func(*session.Manager, http.Handler) http.Handler
}

func newSite(t testing.TB, change ...func(*setup)) *site {
	t.Helper()
	st := &site{t: t, accounts: newAccounts("ada", "bob"), clock: &clock{t: time.Now()}}
	up := setup{
		stores: []session.Store{memstore.New(memstore.Options{})},
		session: session.Options{
			Secrets: []session.Secret{session.NewSecret()}, Now: st.clock.now, SweepEvery: -1,
			Logger: slog.New(slog.DiscardHandler), OnEvent: st.hear,
		},
		passkey: passkey.Options{Origins: []string{origin}},
		wrap:    func(_ *session.Manager, h http.Handler) http.Handler { return h },
	}
	for _, c := range change {
		c(&up)
	}
	for _, store := range up.stores {
		m, err := session.New(store, up.session)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
		p, err := passkey.New(m, st.accounts, up.passkey)
		if err != nil {
			t.Fatal(err)
		}
		node := httptest.NewTLSServer(up.wrap(m, pages(m, p)))
		t.Cleanup(node.Close)
		st.nodes = append(st.nodes, node)
		if st.m == nil {
			st.m = m
		}
	}
	return st
}

func (st *site) hear(_ context.Context, e session.Event) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.events = append(st.events, e)
}

// why is what the last refusal says.
func (st *site) why() string {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, e := range slices.Backward(st.events) {
		if e.Kind == session.EventRefused {
			return e.Err.Error()
		}
	}
	return ""
}

// stored counts the sessions that are alive.
func (st *site) stored() (n int) {
	st.t.Helper()
	for _, err := range st.m.All(st.t.Context()) {
		if err != nil {
			st.t.Fatal(err)
		}
		n++
	}
	return n
}

// pages are those of the site: "/do?…" signs in and out, "/who" tells who is signed in and how.
func pages(m *session.Manager, p *passkey.Passkeys) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/passkey/register/", p.Register())
	mux.Handle("/passkey/sign-in/", p.SignIn())
	mux.Handle("/passkey/confirm/", p.Confirm())
	mux.Handle("GET /passkey.js", p.Script())
	mux.Handle("/do", m.HandlerFunc(func(_ http.ResponseWriter, r *http.Request, s *session.Session) {
		if user := r.FormValue("login"); user != "" {
			s.Login(user, session.Factor("pwd"))
		}
		if r.FormValue("logout") != "" {
			s.Logout()
		}
		if item := r.FormValue("cart"); item != "" {
			s.Set("cart", item)
		}
	}))
	mux.Handle("/who", m.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		who := []string{s.User()}
		for name := range s.Factors() {
			who = append(who, name)
		}
		slices.Sort(who[1:])
		if s.Has("cart") {
			who = append(who, "cart")
		}
		_, _ = io.WriteString(w, strings.Join(who, " "))
	}))
	return mux
}

// browser is one with a jar of cookies, that goes to one node or another.
type browser struct {
	st     *site
	client *http.Client
	node   int
	header http.Header // sent with each request
}

func (st *site) browser() *browser {
	st.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		st.t.Fatal(err)
	}
	client := &http.Client{Transport: st.nodes[0].Client().Transport, Jar: jar}
	return &browser{st: st, client: client, header: http.Header{"Content-Type": {"application/json"}}}
}

// to is the same browser at another node. Cookies do not ask for the port.
func (b *browser) to(node int) *browser {
	other := *b
	other.node = node
	return &other
}

// answer is what came back.
type answer struct {
	status int
	body   string
	header http.Header
}

func (b *browser) send(method, path, body string) answer {
	b.st.t.Helper()
	r, err := http.NewRequestWithContext(b.st.t.Context(), method, b.st.nodes[b.node].URL+path, strings.NewReader(body))
	if err != nil {
		b.st.t.Fatal(err)
	}
	r.Header = b.header.Clone()
	resp, err := b.client.Do(r)
	if err != nil {
		b.st.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.st.t.Fatal(err)
	}
	return answer{resp.StatusCode, string(text), resp.Header}
}

func (b *browser) post(path, body string) answer {
	b.st.t.Helper()
	return b.send(http.MethodPost, path, body)
}

// do does one of the things of the page "/do".
func (b *browser) do(query string) {
	b.st.t.Helper()
	if got := b.post("/do?"+query, ""); got.status != http.StatusOK {
		b.st.t.Fatalf("%s: status %d", query, got.status)
	}
}

// wantWho wants to be known as somebody.
func (b *browser) wantWho(want string) {
	b.st.t.Helper()
	if got := b.send(http.MethodGet, "/who", "").body; got != want {
		b.st.t.Errorf("the browser is known as %q, want %q", got, want)
	}
}

// want wants a status.
func (a answer) want(t testing.TB, status int) answer {
	t.Helper()
	if a.status != status {
		t.Errorf("status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

// options are what a beginning is answered with, as far as an authenticator looks at it.
type options struct {
	PublicKey struct {
		Challenge string `json:"challenge"`
		RPID      string `json:"rpId"`
		RP        struct {
			ID string `json:"id"`
		} `json:"rp"`
		User struct {
			ID string `json:"id"`
		} `json:"user"`
		UserVerification string           `json:"userVerification"`
		Allow            []map[string]any `json:"allowCredentials"`
		Exclude          []map[string]any `json:"excludeCredentials"`
	} `json:"publicKey"`
}

// begin begins a ceremony.
func (b *browser) begin(what, body string) (o options) {
	b.st.t.Helper()
	got := b.post("/passkey/"+what+"/begin", body).want(b.st.t, http.StatusOK)
	if err := json.Unmarshal([]byte(got.body), &o); err != nil {
		b.st.t.Fatal(err)
	}
	return o
}

func (b *browser) finish(what, body string) answer {
	b.st.t.Helper()
	return b.post("/passkey/"+what+"/finish", body)
}

// registered is a device with a passkey of a user, by way of a browser of its own.
func (st *site) registered(user string) *device {
	st.t.Helper()
	b, d := st.browser(), newDevice(st.t)
	b.do("login=" + user)
	b.finish("register", d.create(st.t, b.begin("register", "{}"))).want(st.t, http.StatusNoContent)
	b.do("logout=1")
	return d
}

// before is the same browser with the cookies that it has now, whatever happens to it later.
func (b *browser) before() *browser {
	b.st.t.Helper()
	other := b.st.browser()
	other.header = b.header
	other.client.Jar.SetCookies(b.address(), b.client.Jar.Cookies(b.address()))
	return other
}

// addCookies adds those of the browser to a request that does not go over a connection.
func (b *browser) addCookies(r *http.Request) {
	for _, c := range b.client.Jar.Cookies(b.address()) {
		r.AddCookie(c)
	}
}

// cookies are the names of those that the browser has.
func (b *browser) cookies() (names []string) {
	for _, c := range b.client.Jar.Cookies(b.address()) {
		names = append(names, c.Name)
	}
	return names
}

func (b *browser) address() *url.URL {
	b.st.t.Helper()
	u, err := url.Parse(b.st.nodes[0].URL)
	if err != nil {
		b.st.t.Fatal(err)
	}
	return u
}
