package browser_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// A form on another site, or on another port of the same host, changes nothing.
func TestAFormOfAnotherOriginIsRefused(t *testing.T) {
	s, b := anyShop(t), fresh(t)
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<form method="post" action="%s/notes"><input name="text" value="planted">`+
			`<button>Win a coat</button></form>`, s.url)
	}))
	defer evil.Close()
	b.signIn(s.url, "ada", true)
	for _, origin := range []string{evil.URL, strings.Replace(evil.URL, "127.0.0.1", "localhost", 1)} {
		b.visit(origin)
		if status := b.press("Win a coat"); status != http.StatusForbidden {
			t.Errorf("a form of %s = %d, want 403", origin, status)
		}
		b.shows("[role=alert]", "from another site")
		b.visit(s.url + "/shop")
		b.shows("h1", "Hello, ada")
		if n := b.count(".notes li"); n != 0 {
			t.Errorf("a form of %s left %d notes", origin, n)
		}
	}
}

// victim is a site over HTTPS, and beside it a host of the same domain that somebody else has, who plants cookies.
type victim struct {
	server   *httptest.Server
	sessions *session.Manager
	name     string // of the cookie
	planted  string // a genuine ticket of the attacker
}

func newVictim(t *testing.T, cookie session.Cookie) *victim {
	t.Helper()
	m, err := session.New(memstore.New(memstore.Options{}),
		session.Options{Secrets: []session.Secret{session.NewSecret()}, Cookie: cookie})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	s, err := m.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	s.Login("mallory")
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	v := &victim{sessions: m, name: cmp.Or(cookie.Name, "__Host-Http-session"), planted: s.Token()}
	v.server = httptest.NewTLSServer(http.HandlerFunc(v.serve))
	t.Cleanup(v.server.Close)
	return v
}

func (v *victim) serve(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.Host, "evil.") {
		for _, cookie := range []string{
			v.name + "=" + v.planted + "; Domain=shop.test; Path=/; Secure",
			v.name + "=" + v.planted + "; Path=/; Secure", // for this host alone
			// a cookie without a name that looks like ours
			"=" + v.name + "=" + v.planted + "; Domain=shop.test; Secure",
		} {
			w.Header().Add("Set-Cookie", cookie)
		}
		fmt.Fprint(w, "planted")
		return
	}
	v.sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		if r.URL.Path == "/login" {
			s.Login("ada")
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<h1>[%s]</h1>", s.User())
	}).ServeHTTP(w, r)
}

// visitedBy plants the cookies in a browser, and returns who it is at the site then; and who it is after it has signed
// in as ada, and the cookies were planted again.
func (v *victim) visitedBy(t *testing.T, b *browser) (stranger, ada string) {
	t.Helper()
	u, err := url.Parse(v.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	at := func(host string) string { return "https://" + host + ".shop.test:" + u.Port() }
	b.visit(at("evil"))
	b.shows("body", "planted")
	b.visit(at("www"))
	stranger = b.text("h1")
	b.visit(at("www") + "/login")
	b.visit(at("evil"))
	b.visit(at("www"))
	return stranger, b.text("h1")
}

// A sibling host tosses cookies: neither does a stranger become the attacker by one, nor is a visitor signed out by it.
func TestACookieThatASiblingHostPlantsHasNoEffect(t *testing.T) {
	shopTest := chromedp.Flag("host-resolver-rules", "MAP *.shop.test 127.0.0.1")
	stranger, ada := newVictim(t, session.Cookie{}).visitedBy(t, fresh(t, shopTest, chromedp.IgnoreCertErrors))
	if stranger != "[]" || ada != "[ada]" {
		t.Errorf("the browser was %s and %s, want a stranger and ada", stranger, ada)
	}
	// Without the prefix the same cookies do harm, so that the attack above is one.
	stranger, _ = newVictim(t, session.Cookie{Name: "session"}).visitedBy(t,
		fresh(t, shopTest, chromedp.IgnoreCertErrors))
	if stranger != "[mallory]" {
		t.Errorf("with a name that anybody may set the browser was %s, want mallory", stranger)
	}
}
