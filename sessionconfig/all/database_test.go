package all_test

import (
	"bytes"
	"database/sql"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessionconfig"
)

// onSQLite is a configuration of the store database on a file.
const onSQLite = "store: database\nconnections: {a: {driver: sqlite, path: a.db}}\n"

// migrated is onSQLite with its table.
const migrated = onSQLite + "stores: {database: {migrate: true}}\n"

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
	expanse := read(t, "expanse.yaml")
	walk(t, open(t, load(t, expanse)), 1)
	if main, mine := rows(t, "main.db"), rows(t, "mine.db"); main != 1 || mine != 0 {
		t.Errorf("without the variable there are %d and %d rows", main, mine)
	}
	t.Setenv("SESSION_STORES__DATABASE__CONNECTION", "my-connection")
	walk(t, open(t, load(t, expanse)), 1)
	if main, mine := rows(t, "main.db"), rows(t, "mine.db"); main != 0 || mine != 1 {
		t.Errorf("with the variable there are %d and %d rows", main, mine)
	}
}

func TestAVariableReachesAConnectionWithAHyphen(t *testing.T) {
	t.Setenv("SESSION_CONNECTIONS__MY_CONNECTION__PATH", "elsewhere.db")
	t.Setenv("SESSION_STORES__DATABASE__CONNECTION", "my-connection")
	walk(t, open(t, load(t, read(t, "expanse.yaml"))), 1)
	if n := rows(t, "elsewhere.db"); n != 1 {
		t.Errorf("there are %d rows in the file that the variable names", n)
	}
}

// A missing table is told with the command that makes it; migrate makes it, as often as one likes.
func TestTheTableMustBeThere(t *testing.T) {
	_, _, err := load(t, onSQLite).Open(t.Context())
	for _, want := range []string{"coatcheck db migrate", "stores.database.migrate: true", `no table "sessions"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without a table Open gives %v, want an error with %q", err, want)
		}
	}
	cfg := load(t, migrated)
	for range 2 {
		if n := walk(t, open(t, cfg), 2); n != 2 {
			t.Errorf("there are %d steps, want 2", n)
		}
	}
}

func TestTheDatabaseStoreServesManyAtOnce(t *testing.T) {
	if n := walk(t, open(t, load(t, migrated)), 41); n != 41 {
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
		cfg := load(t, "store: "+store+"\nconnections: {a: {driver: "+driver+", dsn: '"+dsn+"'}}")
		_, _, err := cfg.Open(t.Context())
		if err == nil || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "127.0.0.1:1") {
			t.Errorf("%s gives %v, want an error with the address and without the password", driver, err)
		}
		if err != nil && strings.Contains(err.Error(), "migrate") {
			t.Errorf("%s that is down gives %v, want no advice about its table", driver, err)
		}
	}
}

// Of the ways to a database the latest holds alone: a site that is developed on a file goes to its server by a second
// configuration.
func TestALaterWayToADatabaseReplacesAnEarlierOne(t *testing.T) {
	_, _, err := load(t, onSQLite, "connections: {a: {driver: postgresql, dsn: 'postgres://127.0.0.1:1/app'}}").
		OpenStore(t.Context())
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("it goes to %v, want the server", err)
	}
	cfg := load(t, "store: database\nconnections: {main: {driver: mysql, dsn_env: NOWHERE}}\n"+
		"stores: {database: {migrate: true}}", "connections: {main: {driver: sqlite, path: dev.db}}")
	if n := walk(t, open(t, cfg), 1); n != 1 {
		t.Errorf("there are %d steps, want 1", n)
	}
	t.Setenv("SESSION_CONNECTIONS__A__DRIVER", "mysql")
	t.Setenv("SESSION_CONNECTIONS__A__DSN", "app@tcp(127.0.0.1:1)/app")
	_, _, err = load(t, onSQLite).OpenStore(t.Context())
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("the environment leads to %v, want the server", err)
	}
}

// SQLite would let everybody on the machine read what it makes.
func TestAFileOfSQLiteIsItsOwnersAlone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	for _, way := range []string{"path: kept.db", "dsn: kept.db", "dsn: 'file:kept.db?_pragma=busy_timeout(250)'"} {
		walk(t, open(t, load(t, "store: database\nconnections: {a: {driver: sqlite, "+way+"}}\n"+
			"stores: {database: {migrate: true}}\n")), 1)
		info, err := os.Stat("kept.db")
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: the file has the mode %v, %v", way, info.Mode(), err)
		}
	}
	const readOnly = "store: database\nconnections: {a: {driver: sqlite, dsn: 'file:kept.db?mode=ro'}}\n"
	if _, _, err := load(t, readOnly).Open(t.Context()); err == nil {
		t.Error("a file that is not there was opened to be read")
	}
	if _, err := os.Stat("kept.db"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it was made: %v", err)
	}
}

func TestTheHintAboutATableFitsWhatIsWrong(t *testing.T) {
	cfg := load(t, onSQLite)
	db, err := sql.Open("sqlite", "a.db")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE sessions (id INTEGER PRIMARY KEY, what TEXT)"); err != nil {
		t.Fatal(err)
	}
	_, _, err = cfg.OpenStore(t.Context())
	if err == nil || !strings.Contains(err.Error(), "stores.database.table: there is a table") ||
		!strings.Contains(err.Error(), "choose another name") || strings.Contains(err.Error(), "db migrate") {
		t.Errorf("somebody else's table gives %v, want the advice to choose another name", err)
	}
}

func TestConnectionsAreClosedAsTheirKeysSay(t *testing.T) {
	for keys, want := range map[string][2]time.Duration{
		"":                                       {5 * time.Minute, 0},
		"max_idle_time: 2m, max_lifetime: 1h":    {2 * time.Minute, time.Hour},
		"max_idle_time: never, max_lifetime: 3d": {-1, 72 * time.Hour},
	} {
		cfg := load(t, "store: database\nconnections: {a: {driver: sqlite3, path: a.db, "+keys+"}}")
		got := cfg.Connection()
		if got != (sessionconfig.Connection{Name: "a", Driver: "sqlite", MaxIdleTime: want[0], MaxLifetime: want[1]}) {
			t.Errorf("%q gives %+v, want %v", keys, got, want)
		}
	}
	cfg := load(t, "store: database\nconnections: {a: {driver: sqlite, path: a.db, max_open: 3, max_idle: 1}}")
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
	for _, dsn := range []string{":memory:", "file:sessions?mode=memory"} {
		cfg := load(t, "store: database\nstores: {database: {migrate: true}}\nconnections: {a: {driver: sqlite, "+
			"dsn: '"+dsn+"', max_idle_time: 1m, max_lifetime: 1m}}")
		synctest.Test(t, func(t *testing.T) {
			store, closer, err := cfg.OpenStore(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer closer.Close()
			time.Sleep(time.Hour)
			if _, err := store.Load(t.Context(), "nobody"); !errors.Is(err, session.ErrNotFound) {
				t.Errorf("after an hour Load from %s gives %v, want ErrNotFound", dsn, err)
			}
		})
	}
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
	cfg := load(t, "store: database\nconnections: {a: {driver: mysql, dsn: 'app@tcp("+l.Addr().String()+")/app'}}")
	cfg.Options.Logger = slog.New(slog.NewJSONHandler(&log, nil))
	if _, _, err := cfg.OpenStore(t.Context()); err == nil {
		t.Fatal("it was opened")
	}
	if want := `"msg":"session: mysql","message":"`; !strings.Contains(log.String(), want) {
		t.Errorf("the log is %q, want it with %q", &log, want)
	}
}

// The keys that a pool of pgx cannot keep are refused, and so is what the dsn says of the pool beside them.
func TestAPoolOfPgxIsRefusedWhereItDoesNotFit(t *testing.T) {
	const main = "store: database\nstores: {database: {table: TABLE}}\nconnections: {main: {KEYS}}"
	for keys, want := range map[string]string{
		"driver: sqlite, path: a.db, pool: pgx":                                     "connections.main.pool",
		"driver: mysql, dsn: 'app@tcp(127.0.0.1:1)/app', pool: pgx":                 "connections.main.pool",
		"driver: postgresql, dsn: 'x', pool: puddle":                                "connections.main.pool",
		"driver: postgresql, dsn: 'x', pool: pgx, max_idle: 2":                      "connections.main.max_idle",
		"driver: postgresql, dsn: '://canary', pool: pgx":                           "the driver cannot read",
		"driver: postgresql, dsn: 'pool_max_conns=9', pool: pgx":                    "use the keys max_open",
		"driver: postgresql, dsn: 'pool_max_conns=9'":                               "use the keys max_open",
		"driver: postgresql, dsn: 'postgres://127.0.0.1:1', pool: pgx, max_open: 9": "127.0.0.1:1",
	} {
		err := opening(t, strings.NewReplacer("TABLE", "sessions", "KEYS", keys).Replace(main))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s gives %v, want an error with %s", keys, err, want)
		}
	}
	keys := "driver: postgresql, dsn: 'postgres://127.0.0.1:1', pool: pgx"
	err := opening(t, strings.NewReplacer("TABLE", "pg_class", "KEYS", keys).Replace(main))
	if err == nil || !strings.Contains(err.Error(), "stores.database.table: ") {
		t.Errorf("a table of the server gives %v, want an error that names the key", err)
	}
}

// A connection of another kind is not offered.
func TestAStoreOffersOnlyConnectionsThatFit(t *testing.T) {
	const cache = "cache: {driver: redis, dsn: 'redis://127.0.0.1:1'}"
	err := opening(t, "store: database\nconnections: {"+cache+"}")
	if err == nil || !strings.Contains(err.Error(), "no connection fits this store: add one with the driver sqlite, ") {
		t.Errorf("beside a connection to Redis alone the store database gives %v, want the drivers that fit", err)
	}
	err = opening(t, "store: database\nconnections: {"+cache+", a: {driver: sqlite, path: a.db}, b: {driver: sqlite, "+
		"path: b.db}}")
	if err == nil || !strings.HasSuffix(strings.TrimSpace(err.Error()), "choose one of the connections a or b") {
		t.Errorf("beside two databases the store database gives %v, want a choice of the two", err)
	}
}

// opening is what Load, or else OpenStore, says of a configuration.
func opening(t *testing.T, content string) error {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("session.yaml", []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := sessionconfig.Load("session.yaml")
	if err == nil {
		_, _, err = cfg.OpenStore(t.Context())
	}
	return err
}
