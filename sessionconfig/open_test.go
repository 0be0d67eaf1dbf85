package sessionconfig_test

import (
	"database/sql"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessionconfig"
)

// rows counts the records in a SQLite file.
func rows(t *testing.T, path string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_ = db.QueryRow("SELECT count(*) FROM sessions").Scan(&n) // no table: no rows
	return n
}

// The variable of the document puts the rows into the other database.
func TestTheEnvironmentSelectsTheConnection(t *testing.T) {
	open(t, document(t, "expanse.yaml")).first(t)
	if main, mine := rows(t, "main.db"), rows(t, "mine.db"); main != 1 || mine != 0 {
		t.Errorf("without the variable there are %d and %d rows", main, mine)
	}
	t.Setenv("SESSION_STORES__DATABASE__CONNECTION", "my-connection")
	cfg := load(t, configOf(t, "expanse.yaml"))
	open(t, cfg).first(t)
	if main, mine := rows(t, "main.db"), rows(t, "mine.db"); main != 1 || mine != 1 {
		t.Errorf("with the variable there are %d and %d rows", main, mine)
	}
}

// A connection that is not configured is refused at once, with the names that are.
func TestTheConnectionMustBeConfigured(t *testing.T) {
	t.Setenv("SESSION_STORES__DATABASE__CONNECTION", "my-conection")
	_, err := sessionconfig.Load("testdata/expanse.yaml")
	if err == nil {
		t.Fatal("it was loaded")
	}
	wants(t, err.Error(), "SESSION_STORES__DATABASE__CONNECTION", `"my-conection"`, "did you mean my-connection?",
		"configured are main or my-connection")
}

func TestAVariableReachesAConnectionWithAHyphen(t *testing.T) {
	t.Setenv("SESSION_CONNECTIONS__MY_CONNECTION__PATH", "elsewhere.db")
	t.Setenv("SESSION_STORES__DATABASE__CONNECTION", "my-connection")
	open(t, document(t, "expanse.yaml")).first(t)
	if n := rows(t, "elsewhere.db"); n != 1 {
		t.Errorf("there are %d rows in the file that the variable names", n)
	}
}

// The same handler works on every store that a name gives.
func TestStoresByName(t *testing.T) {
	for name, rest := range map[string]string{
		"memory":   "",
		"dict":     "",
		"file":     "stores: {file: {path: kept}}",
		"cookies":  "stores: {cookies: {revocations: file}, file: {path: kept}}",
		"database": "stores: {database: {migrate: true}}\nconnections: {a: {driver: sqlite, path: a.db}}",
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

// A missing table is told with the command that makes it; migrate makes it, as often as one likes.
func TestTheTableMustBeThere(t *testing.T) {
	const content = "store: database\nconnections: {a: {driver: sqlite, path: a.db}}\n"
	path := yaml(t, content)
	_, _, err := load(t, path).Open(t.Context())
	if err == nil {
		t.Fatal("it was opened without a table")
	}
	wants(t, err.Error(), "coatcheck db migrate", "stores.database.migrate: true", `no table "sessions"`)
	t.Setenv("SESSION_STORES__DATABASE__MIGRATE", "true")
	for range 2 {
		s := open(t, load(t, path))
		_, cookie := s.visit(t, nil, step)
		if n := s.count(t, cookie); n != 1 {
			t.Errorf("there are %d steps", n)
		}
	}
}

// One interface, from many goroutines at once; the drivers are linked in.
func TestTheDatabaseStoreServesManyAtOnce(t *testing.T) {
	s := opened(t, "store: database\nstores: {database: {migrate: true}}\nconnections: {a: {driver: sqlite, "+
		"path: a.db}}")
	_, cookie := s.visit(t, nil, step)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 5 {
				req := httptest.NewRequest(http.MethodGet, "/", nil)
				req.AddCookie(cookie)
				s.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, sess *session.Session) {
					step(sess)
				}).ServeHTTP(httptest.NewRecorder(), req)
			}
		})
	}
	all.Wait()
	if n := s.count(t, cookie); n != 41 {
		t.Errorf("there are %d steps, want 41", n)
	}
}

func TestADatabaseThatIsDownIsToldAtTheStart(t *testing.T) {
	for driver, dsn := range map[string]string{
		"mysql":      "app:canary@tcp(127.0.0.1:1)/app",
		"postgresql": "postgres://app:canary@127.0.0.1:1/app",
		"redis":      "redis://app:canary@127.0.0.1:1/0",
	} {
		store := "database"
		if driver == "redis" {
			store = "redis"
		}
		_, _, err := load(t, yaml(t, "store: "+store+"\nconnections: {a: {driver: "+driver+", dsn: '"+dsn+"'}}")).Open(
			t.Context())
		if err == nil || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "127.0.0.1:1") {
			t.Errorf("%s gives %v, want an error with the address and without the password", driver, err)
		}
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
