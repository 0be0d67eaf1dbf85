package sessionconfig_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessionconfig"
)

// A connection that is not configured is refused at once, with the names that are.
func TestTheConnectionMustBeConfigured(t *testing.T) {
	t.Setenv("SESSION_STORES__DATABASE__CONNECTION", "my-conection")
	_, err := sessionconfig.Load("testdata/expanse.yaml")
	if err == nil {
		t.Fatal("it was loaded")
	}
	wants(t, err.Error(), "SESSION_STORES__DATABASE__CONNECTION", `"my-conection"`, "did you mean my-connection?",
		"choose main or my-connection")
}

// The same handler works on every store that a name gives.
func TestStoresByName(t *testing.T) {
	for name, rest := range map[string]string{
		"memory":  "",
		"dict":    "",
		"file":    "stores: {file: {path: kept}}",
		"cookies": "stores: {cookies: {revocations: file}, file: {path: kept}}",
	} {
		s := opened(t, "store: "+name+"\n"+rest)
		_, cookie := s.visit(t, nil, step)
		_, cookie = s.visit(t, cookie, step)
		if n := s.count(t, cookie); n != 2 {
			t.Errorf("on %s there are %d steps, want 2", name, n)
		}
	}
	s := opened(t, "store: null")
	if resp, _ := s.visit(t, nil, step); len(resp.Cookies()) != 0 {
		t.Error("on null a cookie is set")
	}
}

// Under cookies the records travel with the visitor, and what was ended is remembered elsewhere.
func TestCookiesRememberWhatWasEndedElsewhere(t *testing.T) {
	s := opened(t, "preset: nexios\nsession_manager: cookies\nsession_dir: ended\nstores: {cookies: "+
		"{revocations: file}}")
	_, cookie := s.visit(t, nil, step)
	if n := s.count(t, cookie); n != 1 {
		t.Errorf("there are %d steps, want 1", n)
	}
	s.visit(t, cookie, (*session.Session).Logout)
	if n := s.count(t, cookie); n != 0 {
		t.Errorf("after the logout a copy of the cookie has %d steps", n)
	}
	for keys, want := range map[string]string{
		"revocations: cookies": "a store that keeps records",
		"revocations: null":    "",
		"revocations: 'null'":  "a store that keeps records",
		"revocations: file":    "stores.file.path",
		"max_chunks: 9":        "between 0 and 8",
	} {
		if want == "" {
			load(t, yaml(t, "store: cookies\nstores: {cookies: {"+keys+"}}"))
			continue
		}
		wants(t, refused(t, "store: cookies\nstores: {cookies: {"+keys+"}}"), "stores.", want)
	}
	bounded := "store: cookies\nstores: {cookies: {revocations: memory}, memory: {max_sessions: 9}}"
	wants(t, refused(t, bounded), "stores.memory.max_sessions", "must not be forgotten")
}

// The session is there below the middleware, and an error tells where it is missing.
func TestTheMiddlewareGivesTheSession(t *testing.T) {
	s := opened(t, "store: memory")
	s.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, err := session.Load(r.Context()); err != nil {
			t.Error(err)
		}
	})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	if _, err := session.Load(t.Context()); !errors.Is(err, session.ErrNoMiddleware) {
		t.Errorf("without the middleware Load gives %v", err)
	}
}

// The memory store is for tests, and says so.
func TestTheMemoryStoreWarns(t *testing.T) {
	cfg := load(t, yaml(t, "store: dict"))
	wants(t, strings.Join(cfg.Warnings(), "\n"), "for tests only", "until this process ends")
	if list := load(t, yaml(t, "store: file\nstores: {file: {path: x}}")).Warnings(); len(list) != 0 {
		t.Errorf("a good configuration warns: %v", list)
	}
}

// A production configuration passes every check that an option decides.
func TestAProductionConfigurationPassesTheAudit(t *testing.T) {
	s := opened(t, "store: file\nstores: {file: {path: kept}}\nrenew_every: 15m\nseal: true\nrequire_sealed: "+
		"true\nlog: {format: json}\n")
	for _, f := range s.Audit() {
		if !f.Pass && f.Name != "expired-removed" { // this test switches the sweeper off
			t.Errorf("%s: %s", f.Name, f.Advice)
		}
	}
	failed := 0
	for _, f := range opened(t, "preset: nexios\nsession_cookie_httponly: false").Audit() {
		if !f.Pass && strings.HasPrefix(f.Name, "cookie-") {
			failed++
		}
	}
	if failed < 3 {
		t.Errorf("a cookie without Secure, HttpOnly and prefix fails %d checks, want 3", failed)
	}
}

func TestAnotherStoreOfTheSameConfiguration(t *testing.T) {
	cfg := load(t, yaml(t, "store: file\nstores: {file: {path: kept}}\nconnections: {a: {driver: sqlite, path: a.db}}"))
	other, err := cfg.WithStore("database")
	if err != nil || other.Store != "database" || cfg.Store != "file" {
		t.Errorf("WithStore gives %v, %v; the original is %v", other, err, cfg)
	}
	if _, err := cfg.WithStore("redis"); err == nil || !strings.Contains(err.Error(), "stores.redis.connection") {
		t.Errorf("a store without its connection gives %v", err)
	}
	for name, want := range map[string]string{
		"database:b": "no such connection", "redis:a": "sqlite", "memory:a": "leave out what follows",
		"file:": "needs a folder",
	} {
		if _, err := cfg.WithStore(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("WithStore(%q) = %v, want an error with %q", name, err, want)
		}
	}
	for _, name := range []string{"database:a", "file:elsewhere"} {
		if _, err := cfg.WithStore(name); err != nil {
			t.Errorf("WithStore(%q) = %v", name, err)
		}
	}
	if _, err := cfg.WithStore("nowhere"); err == nil || !strings.Contains(err.Error(), `no store "nowhere"`) {
		t.Errorf("a store that there is not gives %v, want an error that names it", err)
	}
	if _, err := cfg.WithStore("databse"); err == nil || !strings.Contains(err.Error(), "did you mean database?") {
		t.Errorf("an unknown store gives %v", err)
	}
}
