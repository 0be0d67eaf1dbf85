package sessionconfig_test

import (
	"bytes"
	"database/sql"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessionconfig"
)

// over loads two files, the second over the first.
func over(t *testing.T, first, second string) *sessionconfig.Config {
	t.Helper()
	under := yaml(t, first)
	other := filepath.Join(filepath.Dir(under), "production.yaml")
	if err := os.WriteFile(other, []byte(second), 0o600); err != nil {
		t.Fatal(err)
	}
	return load(t, under, other)
}

// Of the ways to a database the latest holds alone: a site that is developed on a file goes to its server by a second
// configuration.
func TestALaterWayToADatabaseReplacesAnEarlierOne(t *testing.T) {
	const file = "store: database\nconnections: {main: {driver: sqlite, path: dev.db}}"
	cfg := over(t, file, "connections: {main: {driver: postgresql, dsn: 'postgres://127.0.0.1:1/app'}}")
	_, _, err := cfg.OpenStore(t.Context())
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("it goes to %v, want the server", err)
	}
	cfg = over(t, "store: database\nconnections: {main: {driver: mysql, dsn_env: NOWHERE}}\n"+
		"stores: {database: {migrate: true}}", "connections: {main: {driver: sqlite, path: dev.db}}")
	open(t, cfg).first(t)
	wants(t, refused(t, "store: database\nconnections: {a: {driver: sqlite, path: x, dsn: y}}"),
		"only SQLite takes a path, and then no dsn")
	t.Setenv("SESSION_CONNECTIONS__MAIN__DRIVER", "mysql")
	t.Setenv("SESSION_CONNECTIONS__MAIN__DSN", "app@tcp(127.0.0.1:1)/app")
	_, _, err = load(t, yaml(t, file)).OpenStore(t.Context())
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("the environment leads to %v, want the server", err)
	}
}

// A manager that is made on OpenStore reads its secrets again like one of Open, or New refuses it.
func TestOpenStoreKeepsTheReloadOfSecrets(t *testing.T) {
	cfg := unsealed(t, "store: memory\nsecrets: {file: secret.txt, reload: true}")
	write(t, "secret.txt", secret, 0o600)
	store, closer, err := cfg.OpenStore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	opts := cfg.Options
	if opts.Secrets, err = cfg.Secrets(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := session.New(store, opts); err == nil || !strings.Contains(err.Error(), "SecretSource") {
		t.Errorf("New with both gives %v, want an error that names SecretSource", err)
	}
	synctest.Test(t, func(t *testing.T) {
		opts.Secrets, opts.SweepEvery = nil, -1
		m, err := session.New(store, opts)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		s := &site{Manager: m}
		_, cookie := s.visit(t, nil, step)
		write(t, "secret.txt", strings.Replace(secret, "base64:", "base64:AAAA", 1), 0o600)
		time.Sleep(2 * time.Minute)
		if n := s.count(t, cookie); n != 0 {
			t.Errorf("without the old secret its cookie has %d steps, want none", n)
		}
	})
}

func TestTheHintAboutATableFitsWhatIsWrong(t *testing.T) {
	const content = "store: database\nconnections: {a: {driver: sqlite, path: a.db}}\n"
	cfg := load(t, yaml(t, content))
	db, err := sql.Open("sqlite", "a.db")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE sessions (id INTEGER PRIMARY KEY, what TEXT)"); err != nil {
		t.Fatal(err)
	}
	_, _, err = cfg.OpenStore(t.Context())
	if err == nil {
		t.Fatal("it was opened on somebody else's table")
	}
	wants(t, err.Error(), "stores.database.table: there is a table", "choose another name")
	if strings.Contains(err.Error(), "db migrate") {
		t.Errorf("it advises to migrate somebody else's table: %v", err)
	}
	for driver, dsn := range map[string]string{
		"mysql": "app@tcp(127.0.0.1:1)/app", "postgresql": "postgres://127.0.0.1:1/app",
	} {
		down := load(t, yaml(t, "store: database\nconnections: {a: {driver: "+driver+", dsn: '"+dsn+"'}}"))
		_, _, err := down.OpenStore(t.Context())
		if err == nil || strings.Contains(err.Error(), "migrate") {
			t.Errorf("a %s that is down gives %v, want no advice about its table", driver, err)
		}
	}
}

func TestAPasswordInAFileThatOthersCanReadIsWarnedOf(t *testing.T) {
	for content, want := range map[string]string{
		"connections: {a: {driver: postgresql, dsn: 'postgres://app:canary@db/app'}}":    "connections.a.dsn",
		"connections: {a: {driver: postgresql, dsn: 'host=db password = canary'}}":       "connections.a.dsn",
		"connections: {a: {driver: mysql, dsn: 'app:canary@tcp(db)/app'}}":               "connections.a.dsn",
		"connections: {a: {driver: mysql, dsn: 'app:ca@na/ry@unix(/run/db.sock)/app'}}":  "connections.a.dsn",
		"connections: {a: {driver: redis, dsn: 'redis://:canary@db/0'}}":                 "connections.a.dsn",
		"preset: authx\nsecret_key: canary":                                              "secret_key",
		"connections: {a: {driver: postgresql, dsn: 'postgres://app@db/app'}}":           "",
		"connections: {a: {driver: mysql, dsn: 'app@tcp(db)/app'}}":                      "",
		"connections: {a: {driver: mysql, dsn: 'app@tcp(db:3306)/app?x=@'}}":             "",
		"connections: {a: {driver: mysql, dsn: 'app:@tcp(db:3306)/app'}}":                "",
		"connections: {a: {driver: redis, dsn: 'redis://db/0'}}":                         "",
		"connections: {a: {driver: mysql, dsn_env: canary}}":                             "",
		"connections: {a: {driver: sqlite, dsn: 'file:x.db?_pragma=busy_timeout(250)'}}": "",
	} {
		for mode, seen := range map[os.FileMode]bool{0o644: true, 0o600: false, 0o640: false} {
			path := yaml(t, "store: file\nstores: {file: {path: kept}}\n"+content)
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
			text := strings.Join(load(t, path).Warnings(), "\n")
			got := strings.Contains(text, "chmod 600 "+path)
			if got != (seen && want != "") || strings.Contains(text, "canary") {
				t.Errorf("%q with mode %04o is warned of: %t; %q", content, mode, got, text)
			} else if got {
				wants(t, text, want+": ")
			}
		}
	}
}

func TestConnectionsAreClosedAsTheirKeysSay(t *testing.T) {
	for keys, want := range map[string]sessionconfig.Connection{
		"":                                       {Name: "a", MaxIdleTime: 5 * time.Minute},
		"max_idle_time: 2m, max_lifetime: 1h":    {Name: "a", MaxIdleTime: 2 * time.Minute, MaxLifetime: time.Hour},
		"max_idle_time: never, max_lifetime: 3d": {Name: "a", MaxIdleTime: -1, MaxLifetime: 72 * time.Hour},
	} {
		cfg := load(t, yaml(t, "store: database\nconnections: {a: {driver: sqlite, path: a.db, "+keys+"}}"))
		if got := cfg.Connection(); got != want {
			t.Errorf("%q gives %+v, want %+v", keys, got, want)
		}
	}
	cfg := load(t, yaml(t, "store: database\nconnections: {a: {driver: sqlite, path: a.db, max_open: 3, max_idle: 1}}"))
	db, _, err := cfg.OpenDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var conns []*sql.Conn
	for range 3 {
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	for _, conn := range conns {
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if s := db.Stats(); s.MaxOpenConnections != 3 || s.Idle != 1 {
		t.Errorf("there are at most %d connections, %d of them idle, want 3 and 1", s.MaxOpenConnections, s.Idle)
	}
}

// A database in memory would be gone with its connection.
func TestADatabaseInMemoryOutlivesTheIdleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, err := sessionconfig.Load(yaml(t, "store: database\nstores: {database: {migrate: true}}\n"+
			"connections: {a: {driver: sqlite, dsn: ':memory:', max_idle_time: 1m, max_lifetime: 1m}}"))
		if err != nil {
			t.Fatal(err)
		}
		store, closer, err := cfg.OpenStore(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer closer.Close()
		time.Sleep(time.Hour)
		if _, err := store.Load(t.Context(), "nobody"); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("after an hour Load gives %v, want ErrNotFound", err)
		}
	})
}

// What the driver of MySQL has to say goes where everything goes, in its format.
func TestTheDriverOfMySQLSpeaksThroughTheConfiguredLog(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Close() // before the handshake
		}
	}()
	var log bytes.Buffer
	cfg := load(t, yaml(t, "store: database\nconnections: {a: {driver: mysql, dsn: "+
		"'app@tcp("+l.Addr().String()+")/app'}}"))
	cfg.Options.Logger = slog.New(slog.NewJSONHandler(&log, nil))
	if _, _, err := cfg.OpenStore(t.Context()); err == nil {
		t.Fatal("it was opened")
	}
	wants(t, log.String(), `"msg":"session: mysql","message":"`)
}
