package browser_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	protocol "github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/passkey"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

// vault is a site with passkeys on two nodes that share a store, on a clock that the test moves. It has one account.
type vault struct {
	t      *testing.T
	server *httptest.Server
	url    string
	other  string // a site of others, which shows this one in a frame
	node   atomic.Int32

	mu   sync.Mutex
	t0   time.Time
	keys []webauthn.Credential
}

var _ passkey.Accounts = (*vault)(nil)

func newVault(t *testing.T) *vault {
	t.Helper()
	v := &vault{t: t, t0: time.Now()}
	v.server = httptest.NewUnstartedServer(nil)
	_, port, _ := strings.Cut(v.server.Listener.Addr().String(), ":")
	v.url, v.other = "https://app.example.test:"+port, "https://partner.test:"+port
	store, secret := memstore.New(memstore.Options{}), session.NewSecret()
	var nodes [2]http.Handler
	for i := range nodes {
		m, err := session.New(store, session.Options{
			Secrets: []session.Secret{secret}, Now: v.now, SweepEvery: -1, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
		nodes[i] = v.pages(m)
	}
	v.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Host, "app.example.test") {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, noIcon+`<h1>wait</h1>
				<iframe src="%[1]s/framed" allow="publickey-credentials-get %[1]s"></iframe>
				<script>addEventListener("message", e => document.querySelector("h1").textContent = e.data)</script>`,
				v.url)
			return
		}
		nodes[v.node.Load()].ServeHTTP(w, r)
	})
	v.server.StartTLS()
	t.Cleanup(v.server.Close)
	return v
}

func (v *vault) now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.t0
}

func (v *vault) advance(d time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.t0 = v.t0.Add(d)
}

func (v *vault) Account(_ context.Context, user string) (passkey.Account, error) {
	if user != "ada" {
		return passkey.Account{}, passkey.ErrNoAccount
	}
	return passkey.Account{User: "ada", Handle: []byte("a handle"), Credentials: v.known()}, nil
}

func (v *vault) known() []webauthn.Credential {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.keys)
}

func (v *vault) AccountOf(ctx context.Context, handle []byte) (passkey.Account, error) {
	if string(handle) != "a handle" {
		return passkey.Account{}, passkey.ErrNoAccount
	}
	return v.Account(ctx, "ada")
}

func (v *vault) Add(_ context.Context, _ string, c webauthn.Credential) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keys = append(v.keys, c)
	return nil
}

func (v *vault) Update(_ context.Context, _ string, c webauthn.Credential) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	i := slices.IndexFunc(v.keys, func(known webauthn.Credential) bool { return bytes.Equal(known.ID, c.ID) })
	v.keys[i] = c
	return nil
}

// script lets a test call the functions of the module, and hold back an answer.
const script = `<script type="module">
	import * as passkey from "/passkey.js";
	const result = (promise) => promise.then(() => "ok", (e) => e.message);
	const send = window.fetch;
	window.call = (name, ...args) => {
		const path = "/passkey/" + name.replace("signIn", "sign-in");
		return result(passkey[name.split("?")[0]](path, ...args));
	};
	window.hold = (name) => {
		window.fetch = (path, init) => {
			if (!path.includes("/finish")) return send(path, init);
			window.fetch = send;
			window.held = JSON.stringify({ path, body: init.body });
			return Promise.resolve(new Response(null, { status: 204 }));
		};
		return window.call(name).then(() => window.held);
	};
	window.answer = (held, times) => {
		const { path, body } = JSON.parse(held);
		const headers = { "Content-Type": "application/json" };
		const all = Array.from({ length: times }, () => send(path, { method: "POST", headers, body }));
		return Promise.all(all).then((list) => list.map((r) => r.status).sort().join(" "));
	};
	if (location.pathname === "/framed") window.call("signIn").then((text) => parent.postMessage(text, "*"));
	document.querySelector("h1").dataset.ready = "yes";
</script>`

func (v *vault) pages(m *session.Manager) http.Handler {
	g, err := guard.New(m, guard.Options{})
	if err != nil {
		v.t.Fatal(err)
	}
	p, err := passkey.New(m, v, passkey.Options{Origins: []string{v.url}, EmbeddedIn: []string{v.other}})
	if err != nil {
		v.t.Fatal(err)
	}
	mux := http.NewServeMux()
	page := m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		switch {
		case r.FormValue("login") != "":
			s.Login(r.FormValue("login"), session.Factor("pwd"))
		case r.FormValue("logout") != "":
			s.Logout()
		}
		var how []string
		for name := range s.Factors() {
			how = append(how, name)
		}
		slices.Sort(how)
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, noIcon+`<h1>[%s] %s</h1>`+script, s.User(), strings.Join(how, " "))
	})
	mux.Handle("/", page)
	mux.Handle("/pay", g.Fresh(time.Minute, passkey.Factor)(page))
	mux.Handle("/passkey/register/", g.Fresh(time.Hour)(p.Register()))
	mux.Handle("/passkey/sign-in/", p.SignIn())
	mux.Handle("/passkey/confirm/", p.Confirm())
	mux.Handle("GET /passkey.js", p.Script())
	return g.CSRF(mux)
}

// visitor is a browser with an authenticator that verifies its user, or does not.
func (v *vault) visitor(verifies bool) *browser {
	v.t.Helper()
	sum := sha256.Sum256(v.server.Certificate().RawSubjectPublicKeyInfo)
	c := fresh(v.t, chromedp.Flag("host-resolver-rules", "MAP *.test 127.0.0.1"),
		chromedp.Flag("ignore-certificate-errors-spki-list", base64.StdEncoding.EncodeToString(sum[:])))
	_, err := chromedp.Call(c.ctx, protocol.Enable, protocol.EnableParams{})
	if err == nil {
		_, err = chromedp.Call(c.ctx, protocol.AddVirtualAuthenticator, protocol.AddVirtualAuthenticatorParams{
			Options: &protocol.VirtualAuthenticatorOptions{
				Protocol: protocol.AuthenticatorProtocolCtap2, Transport: protocol.AuthenticatorTransportInternal,
				HasResidentKey: true, HasUserVerification: true, IsUserVerified: verifies,
				AutomaticPresenceSimulation: true,
			},
		})
	}
	if err != nil {
		v.t.Fatal(err)
	}
	return c
}

// registered is a browser that has a passkey, and in which nobody is signed in.
func (v *vault) registered() *browser {
	v.t.Helper()
	c := v.visitor(true)
	v.open(c, "/?login=ada")
	v.wantCall(c, "ok", "register")
	v.open(c, "/?logout=1")
	return c
}

// open goes to a page and waits for its script.
func (v *vault) open(c *browser, path string) {
	v.t.Helper()
	if status := c.visit(v.url + path); status != http.StatusOK {
		v.t.Fatalf("%s: status %d", path, status)
	}
	c.do(chromedp.WaitReady(chromedp.CSS(`h1[data-ready]`)))
}

func evaluate(c *browser, format string, args ...any) string {
	c.t.Helper()
	return get(c, chromedp.Evaluate[string](fmt.Sprintf(format, args...), chromedp.EvalAwaitPromise))
}

// wantCall calls a function of the script.
func (v *vault) wantCall(c *browser, want, name string, args ...string) {
	v.t.Helper()
	call := fmt.Sprintf("%q", name)
	for _, arg := range args {
		call += fmt.Sprintf(", %q", arg)
	}
	if got := evaluate(c, "call(%s)", call); !strings.Contains(got, want) {
		v.t.Errorf("%s says %q, want %q", name, got, want)
	}
}

// wantAnswer sends an answer that was held back, as often as wanted.
func (v *vault) wantAnswer(c *browser, held, want string) {
	v.t.Helper()
	if got := evaluate(c, "answer(%q, %d)", held, len(strings.Fields(want))); got != want {
		v.t.Errorf("the answer is answered with %s, want %s", got, want)
	}
}

func (v *vault) wantWho(c *browser, want string) {
	v.t.Helper()
	v.open(c, "/")
	if got := c.text("h1"); got != want {
		v.t.Errorf("the page says %q, want %q", got, want)
	}
}
