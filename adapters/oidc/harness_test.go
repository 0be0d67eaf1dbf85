package oidcsession_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/coatcheck/session"
	oidcsession "github.com/coatcheck/session/adapters/oidc"
	"github.com/coatcheck/session/memstore"
)

const clientID = "shop"

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

// provider is a small OpenID provider: a discovery document, keys, and tokens that it signs.
type provider struct {
	*httptest.Server
	clock   *clock
	fetches atomic.Int64
	down    atomic.Value // what comes in place of the keys; "": they do
	serial  atomic.Int64

	mu   sync.Mutex
	keys []jose.JSONWebKey // the last one signs
}

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func newProvider(t testing.TB) *provider {
	p := &provider{clock: &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}
	p.use("first", rsaKey(), oidc.RS256)
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

// use makes the provider sign with another key.
func (p *provider) use(id string, key crypto.Signer, alg string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = append(p.keys, jose.JSONWebKey{Key: key, KeyID: id, Algorithm: alg, Use: "sig"})
}

func (p *provider) rotate(t testing.TB) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p.use("second", key, oidc.ES256)
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path != "/keys" {
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": p.URL, "jwks_uri": p.URL + "/keys", "authorization_endpoint": p.URL + "/authorize",
			"id_token_signing_alg_values_supported": []string{"none", "HS256", "RS256", "ES256"},
		})
		return
	}
	p.fetches.Add(1)
	if instead, _ := p.down.Load().(string); instead != "" {
		if instead == "status" {
			w.WriteHeader(http.StatusBadGateway)
		}
		_, _ = io.WriteString(w, instead)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var set jose.JSONWebKeySet
	for _, key := range p.keys {
		set.Keys = append(set.Keys, key.Public())
	}
	_ = json.NewEncoder(w).Encode(set)
}

// object is a JSON object.
type object map[string]any

func (o object) with(more object) object {
	o = maps.Clone(o)
	maps.Copy(o, more)
	maps.DeleteFunc(o, func(_ string, v any) bool { return v == nil })
	return o
}

// sign signs claims with the newest key.
func (p *provider) sign(t testing.TB, kind string, claims object) string {
	t.Helper()
	p.mu.Lock()
	key := p.keys[len(p.keys)-1]
	p.mu.Unlock()
	return signWith(t, jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key}, kind, claims)
}

func signWith(t testing.TB, key jose.SigningKey, kind string, claims object) string {
	t.Helper()
	text, _ := json.Marshal(claims)
	return signBytes(t, key, kind, text)
}

func signBytes(t testing.TB, key jose.SigningKey, kind string, text []byte) string {
	t.Helper()
	var opts jose.SignerOptions
	if kind != "" {
		opts.WithType(jose.ContentType(kind))
	}
	signer, err := jose.NewSigner(key, &opts)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (p *provider) common() object {
	now := p.clock.now().Unix()
	return object{"iss": p.URL, "aud": clientID, "iat": now, "exp": now + 120,
		"jti": fmt.Sprint("token ", p.serial.Add(1))}
}

func (p *provider) idToken(t testing.TB, sub, sid string, more object) string {
	claims := p.common().with(object{"sub": sub, "sid": sid, "exp": p.clock.now().Add(time.Hour).Unix()})
	return p.sign(t, "JWT", claims.with(more))
}

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutClaims are those of a logout token; "" for sub or sid leaves it out.
func (p *provider) logoutClaims(sub, sid string) object {
	claims := p.common().with(object{"events": object{logoutEvent: object{}}})
	if sub != "" {
		claims["sub"] = sub
	}
	if sid != "" {
		claims["sid"] = sid
	}
	return claims
}

func (p *provider) logoutToken(t testing.TB, sub, sid string) string {
	return p.sign(t, "logout+jwt", p.logoutClaims(sub, sid))
}

var secret = session.NewSecret()

// node is one process of a site that signs people in by the provider.
type node struct {
	*httptest.Server
	t        testing.TB
	p        *provider
	sessions *session.Manager
	links    *oidcsession.Links
	tokens   *oidc.IDTokenVerifier
	store    *stepped // where there is one

	mu     sync.Mutex
	events []session.Event
}

// newNode makes a node on a store. change may change its options.
func newNode(t testing.TB, p *provider, store session.Store, o oidcsession.Options,
	change ...func(*session.Options)) *node {
	t.Helper()
	n := &node{t: t, p: p}
	opts := session.Options{
		Secrets: []session.Secret{secret}, Now: p.clock.now, SweepEvery: session.Never,
		Cookie: session.Cookie{Insecure: true}, Logger: slog.New(slog.DiscardHandler),
		OnEvent: func(_ context.Context, e session.Event) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.events = append(n.events, e)
		},
	}
	for _, fn := range change {
		fn(&opts)
	}
	var err error
	if n.sessions, err = session.New(store, opts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.sessions.Close() })
	about := discover(t, p)
	n.tokens = about.Verifier(&oidc.Config{ClientID: clientID, Now: p.clock.now})
	if n.links, err = oidcsession.New(n.sessions, store, about, clientID, o); err != nil {
		t.Fatal(err)
	}
	n.Server = httptest.NewServer(n.mux())
	t.Cleanup(n.Close)
	return n
}

func (n *node) mux() http.Handler {
	receiver, err := n.links.Receiver(oidcsession.Transmitter{})
	if err != nil {
		n.t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/logout", n.links.Logout())
	mux.Handle("/events", receiver)
	mux.Handle("/signin", n.sessions.HandlerFunc(n.signIn))
	mux.Handle("/password", n.sessions.HandlerFunc(func(_ http.ResponseWriter, r *http.Request, s *session.Session) {
		s.Login(r.FormValue("user"))
	}))
	mux.Handle("/renew", n.sessions.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Regenerate()
	}))
	mux.Handle("/me", n.sessions.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		fmt.Fprintf(w, "%s|%s", s.User(), s.EndedBy())
	}))
	return mux
}

// signIn is what a site does when the provider has sent the visitor back. The user is called as the subject is.
func (n *node) signIn(w http.ResponseWriter, r *http.Request, s *session.Session) {
	token, err := n.tokens.Verify(r.Context(), r.FormValue("id_token"))
	if err == nil {
		err = n.links.Login(r.Context(), s, token.Subject, token)
	}
	switch {
	case errors.Is(err, session.ErrUnavailable):
		n.sessions.Fail(w, r, err)
	case err != nil:
		http.Error(w, err.Error(), http.StatusForbidden)
	}
}

// reported counts the events of a kind and reason.
func (n *node) reported(kind session.EventKind, why session.Reason) (count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, e := range n.events {
		if e.Kind == kind && e.Reason == why {
			count++
		}
	}
	return count
}

// browser is a visitor with cookies.
type browser struct {
	t testing.TB
	*http.Client
}

func newBrowser(t testing.TB) *browser {
	jar, _ := cookiejar.New(nil)
	return &browser{t, &http.Client{Jar: jar}}
}

func (b *browser) post(n *node, path string, form url.Values) (status int, body string) {
	b.t.Helper()
	resp, err := b.PostForm(n.URL+path, form)
	if err != nil {
		b.t.Fatal(err)
	}
	return read(b.t, resp)
}

func read(t testing.TB, resp *http.Response) (int, string) {
	t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// signIn signs in by the provider, and must succeed.
func (b *browser) signIn(n *node, sub, sid string) {
	b.t.Helper()
	if status, body := b.trySignIn(n, sub, sid); status != http.StatusOK {
		b.t.Fatalf("signing in: %d %s", status, body)
	}
}

func (b *browser) trySignIn(n *node, sub, sid string) (int, string) {
	b.t.Helper()
	return b.post(n, "/signin", url.Values{"id_token": {n.p.idToken(b.t, sub, sid, nil)}})
}

// is checks who is signed in, and what the next request is told.
func (b *browser) is(n *node, want string) {
	b.t.Helper()
	resp, err := b.Get(n.URL + "/me")
	if err != nil {
		b.t.Fatal(err)
	}
	if _, got := read(b.t, resp); got != want {
		b.t.Errorf("the session is %q, want %q", got, want)
	}
}

const ended = "|provider" // nobody is signed in, and the reason is told

// logout sends a logout token to a node.
func (n *node) logout(token string) (status int, body string) {
	n.t.Helper()
	resp, err := http.PostForm(n.URL+"/logout", url.Values{"logout_token": {token}})
	if err != nil {
		n.t.Fatal(err)
	}
	if got := resp.Header.Get("Cache-Control"); got != "no-store" {
		n.t.Errorf("Cache-Control = %q", got)
	}
	return read(n.t, resp)
}

// logsOut sends a logout token that must be taken.
func (n *node) logsOut(token string) {
	n.t.Helper()
	if status, body := n.logout(token); status != http.StatusOK || body != "" {
		n.t.Errorf("logout: %d %q, want 200 and nothing", status, body)
	}
}

// push sends a security event token to a node.
func (n *node) push(token string) (status int, body string) {
	n.t.Helper()
	resp, err := http.Post(n.URL+"/events", "application/secevent+jwt", strings.NewReader(token))
	if err != nil {
		n.t.Fatal(err)
	}
	return read(n.t, resp)
}

// stepped is a store that does something before one of its calls, or fails from then on.
type stepped struct {
	*memstore.Store
	on    atomic.Bool
	calls atomic.Int64
	at    int64 // the call, from 1; 0: none
	do    func()
	fails atomic.Bool
	loses atomic.Bool // the answer to the next save
}

var errDown = errors.New("the store is down")

func (s *stepped) step() error {
	if !s.on.Load() {
		return nil
	}
	if s.calls.Add(1) == s.at && s.do != nil {
		s.on.Store(false) // what it does is not counted
		s.do()
		s.on.Store(true)
	}
	if s.fails.Load() {
		return errDown
	}
	return nil
}

func (s *stepped) Load(ctx context.Context, id string) (*session.Record, error) {
	if err := s.step(); err != nil {
		return nil, err
	}
	return s.Store.Load(ctx, id)
}

func (s *stepped) Save(ctx context.Context, rec *session.Record) error {
	if err := s.step(); err != nil {
		return err
	}
	err := s.Store.Save(ctx, rec)
	if s.loses.CompareAndSwap(true, false) {
		return errDown
	}
	return err
}

func (s *stepped) Delete(ctx context.Context, id string) error {
	if err := s.step(); err != nil {
		return err
	}
	return s.Store.Delete(ctx, id)
}

func (s *stepped) ByUser(ctx context.Context, user string) ([]*session.Record, error) {
	if err := s.step(); err != nil {
		return nil, err
	}
	return s.Store.ByUser(ctx, user)
}

// newStepped returns a store that counts, and is asked for every record itself.
func newStepped() *stepped { return &stepped{Store: memstore.New(memstore.Options{})} }

// pair is two nodes on one store.
func pair(t testing.TB, change ...func(*session.Options)) (p *provider, one, two *node) {
	t.Helper()
	p = newProvider(t)
	store := memstore.New(memstore.Options{})
	one = newNode(t, p, store, oidcsession.Options{}, change...)
	return p, one, newNode(t, p, store, oidcsession.Options{}, change...)
}

func discover(t testing.TB, p *provider) *oidc.Provider {
	t.Helper()
	about, err := oidc.NewProvider(t.Context(), p.URL)
	if err != nil {
		t.Fatal(err)
	}
	return about
}
