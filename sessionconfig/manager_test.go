package sessionconfig_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/sessionconfig"
)

// sweeps reports whether a manager removes what has expired.
func sweeps(m *session.Manager) bool {
	for _, f := range m.Audit() {
		if f.Name == "expired-removed" {
			return f.Pass
		}
	}
	return false
}

func TestTwoManagersShareAStoreAndItsSweeper(t *testing.T) {
	t.Setenv("SESSION_SECRETS", "base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=,"+
		"base64:"+"/w4NDAsKCQgHBgUEAwIBAPDx8vP09fb3+Pn6+/z9/v8=")
	cfg := load(t, yaml(t, "store: file\nstores: {file: {path: kept}}"))
	store, closer, err := cfg.OpenStore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	manager := func(change func(*session.Options)) *session.Manager {
		t.Helper()
		m, err := cfg.Manager(store, change)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
		return m
	}
	site := manager(nil)
	staff := manager(func(o *session.Options) { o.Cookie.Name = "__Host-staff" })
	other := manager(func(o *session.Options) { o.SweepEvery = 0 })
	if !sweeps(site) || sweeps(staff) || !sweeps(other) {
		t.Errorf("who sweeps: %v %v %v, want the first, and who says so", sweeps(site), sweeps(staff), sweeps(other))
	}
	for _, m := range []*session.Manager{site, staff} {
		w := httptest.NewRecorder()
		m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Login("ada") }).
			ServeHTTP(w, httptest.NewRequest("GET", "https://app.example.com/", nil))
		if w.Code != 200 || len(w.Result().Cookies()) != 1 {
			t.Errorf("answered %d with %v", w.Code, w.Result().Cookies())
		}
	}
	if infos, err := site.Sessions(t.Context(), "ada"); err != nil || len(infos) != 2 {
		t.Errorf("Sessions = %v, %v, want those of both", infos, err)
	}
	if _, err := cfg.Manager(store, func(o *session.Options) { o.Cookie.Name = "a b" }); err == nil {
		t.Error("a wrong option is taken")
	}
}

// Whoever has a guard opens the store and the manager one after the other, and is to hear what Open would have said.
func TestWarningsAreHeardOnceFromManagersOfOneConfiguration(t *testing.T) {
	t.Setenv("SESSION_SECRETS", "base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	t.Setenv("SESSION_COLOUR", "red")
	cfg := load(t, yaml(t, "store: memory\ncookie: {insecure: true}"))
	var log bytes.Buffer
	cfg.Options.Logger = slog.New(slog.NewTextHandler(&log, nil))
	store, closer, err := cfg.OpenStore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	for range 2 {
		m, err := cfg.Manager(store, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
	}
	for _, want := range []string{"cookie.insecure: tickets", "SESSION_COLOUR: "} {
		if n := strings.Count(log.String(), want); n != 1 {
			t.Errorf("%q was logged %d times, want once:\n%s", want, n, &log)
		}
	}
}

// A program may open one manager with its store, and others on stores of its own.
func TestWarningsAreHeardOnceFromOpenAndAManager(t *testing.T) {
	t.Setenv("SESSION_SECRETS", "base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	cfg := load(t, yaml(t, "store: memory\ncookie: {insecure: true}"))
	var log bytes.Buffer
	cfg.Options.Logger = slog.New(slog.NewTextHandler(&log, nil))
	_, closer, err := cfg.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	other, err := cfg.Manager(memstore.New(memstore.Options{}), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if n := strings.Count(log.String(), "cookie.insecure: tickets"); n != 1 {
		t.Errorf("the warning was logged %d times, want once:\n%s", n, &log)
	}
}

// Another store has warnings of its own.
func TestAnotherStoreOfAConfigurationIsWarnedOf(t *testing.T) {
	t.Setenv("SESSION_SECRETS", "base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	cfg := load(t, yaml(t, "store: null"))
	var log bytes.Buffer
	cfg.Options.Logger = slog.New(slog.NewTextHandler(&log, nil))
	_, closer, err := cfg.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	other, err := cfg.WithStore("memory")
	if err != nil {
		t.Fatal(err)
	}
	m, err := other.Manager(memstore.New(memstore.Options{}), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if want := "store: memory keeps sessions"; strings.Count(log.String(), want) != 1 {
		t.Errorf("%q was not logged once:\n%s", want, &log)
	}
}

func TestSeveralTransportsAreAKey(t *testing.T) {
	for text, vary := range map[string]string{
		"transport: cookie": "Cookie", "transport: bearer X-Session": "Authorization",
		"transport: header X-Session":                           "X-Session",
		"transport: [cookie, bearer X-Session]":                 "Cookie, Authorization",
		`transport: "bearer X-Session, cookie, header X-App"`:   "Authorization, Cookie, X-App",
		"transport:\n  - header X-App\n  - cookie":              "X-App, Cookie",
		"preset: nexios\ntransport: [cookie, bearer X-Session]": "Cookie, Authorization",
		"transport: [cookie]":                                   "Cookie",
	} {
		cfg := load(t, yaml(t, "store: memory\n"+text+"\n"))
		m := inMemory(t, cfg)
		if got := m.VaryOn(); got != vary {
			t.Errorf("%s: tickets come in %q, want %q", text, got, vary)
		}
	}
	for text, says := range map[string]string{
		"transport: bearer":               "bearer NAME",
		"transport: []":                   "cookie",
		"transport: [cookie, cookie]":     "twice",
		"transport: [cookie, haeder X]":   "did you mean header?",
		"transport: bearer Set-Cookie":    "Set-Cookie",
		"transport: [cookie, header X A]": "not the name of a header",
		"transport: {cookie: bearer}":     "transport",
	} {
		wants(t, refused(t, "store: memory\n"+text+"\n"), says)
	}
}

func inMemory(t *testing.T, cfg *sessionconfig.Config) *session.Manager {
	t.Helper()
	return open(t, cfg).Manager
}
