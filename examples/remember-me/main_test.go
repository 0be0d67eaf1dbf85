package main

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/examples/internal/browser"
)

var secret = session.NewSecret()

// start starts the site on a folder, as a new process would.
func start(t *testing.T, folder string) *httptest.Server {
	t.Helper()
	sessions, err := open(folder, []session.Secret{secret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sessions.Close() })
	site, err := app(sessions)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(site)
	t.Cleanup(server.Close)
	return server
}

// restart is the browser after it was closed: it has the cookies that say how long they live, and goes to another
// address.
func restart(t *testing.T, jar *recorder, address string) *browser.Browser {
	t.Helper()
	b := browser.Open(address)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range jar.last {
		if c.MaxAge > 0 {
			b.Jar.SetCookies(u, []*http.Cookie{c})
		}
	}
	return b
}

// recorder is a jar that remembers the attributes of cookies.
type recorder struct {
	http.CookieJar
	last map[string]*http.Cookie
}

func (r *recorder) SetCookies(u *url.URL, cookies []*http.Cookie) {
	for _, c := range cookies {
		r.last[c.Name] = c
	}
	r.CookieJar.SetCookies(u, cookies)
}

func signIn(t *testing.T, address, remember string) (*browser.Browser, *recorder) {
	t.Helper()
	b := browser.Open(address)
	jar, _ := cookiejar.New(nil)
	rec := &recorder{jar, map[string]*http.Cookie{}}
	b.Jar = rec
	if _, body := b.Post("/login", url.Values{"user": {"ada"}, "remember": {remember}}); !strings.Contains(body,
		"Hello, ada.") {
		t.Fatalf("after the login: %s", body)
	}
	return b, rec
}

func wantName(t *testing.T, b *browser.Browser, name string) {
	t.Helper()
	if status, body := b.Get("/"); status != 200 || !strings.Contains(body, "Hello, "+name+".") {
		t.Errorf("status %d, %s, want a greeting of %s", status, body, name)
	}
}

func TestRememberedUsersSurviveARestartOfBrowserAndServer(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "sessions")
	server := start(t, folder)
	_, remembered := signIn(t, server.URL, "1")
	_, forgotten := signIn(t, server.URL, "")
	server.Close()
	again := start(t, folder)
	phone := restart(t, remembered, again.URL)
	wantName(t, phone, "ada")
	wantName(t, restart(t, forgotten, again.URL), "stranger")

	desk, _ := signIn(t, again.URL, "1")
	desk.Post("/logout-everywhere", nil)
	wantName(t, phone, "stranger")
	wantName(t, desk, "stranger")
}

func TestALogoutEndsOneDevice(t *testing.T) {
	server := start(t, filepath.Join(t.TempDir(), "sessions"))
	phone, _ := signIn(t, server.URL, "1")
	desk, _ := signIn(t, server.URL, "1")
	if status, body := phone.Post("/login", nil); status != 400 {
		t.Errorf("a login without a name: status %d, want 400: %s", status, body)
	}
	phone.Post("/logout", nil)
	wantName(t, phone, "stranger")
	wantName(t, desk, "ada")
}

func TestANameIsNoMarkup(t *testing.T) {
	b := browser.Open(start(t, filepath.Join(t.TempDir(), "sessions")).URL)
	if _, body := b.Post("/login", url.Values{"user": {"<b>ada</b>"}}); !strings.Contains(body, "&lt;b&gt;ada") {
		t.Errorf("the page is %s", body)
	}
}
