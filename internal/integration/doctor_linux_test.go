package integration_test

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
)

// patient is a server that doctor looks at, and how the configuration reaches it.
type patient struct {
	program, driver, dsn, dir string
}

func newPatient(t *testing.T, program, driver, dsn string) patient {
	t.Helper()
	p := patient{program, driver, dsn, t.TempDir()}
	if driver != "redis" {
		if out, code := p.run(t, dsn, "db", "migrate"); code != 0 {
			t.Fatalf("db migrate exits with %d: %s", code, out)
		}
	}
	return p
}

// run runs the command against a dsn, and returns its standard output and exit code.
func (p patient) run(t *testing.T, dsn string, args ...string) (string, int) {
	t.Helper()
	store := "database"
	if p.driver == "redis" {
		store = "redis"
	}
	cmd := exec.CommandContext(t.Context(), p.program, args...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "SESSION_STORE="+store, "SESSION_CONNECTIONS__MAIN__DRIVER="+p.driver,
		"SESSION_CONNECTIONS__MAIN__DSN="+dsn,
		"SESSION_SECRETS=base64:"+base64.StdEncoding.EncodeToString(session.NewSecret()))
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// wants runs doctor and compares the results of some checks: "writes=fail". A failed check, and nothing else, makes the
// exit code 3.
func (p patient) wants(t *testing.T, dsn string, want ...string) {
	t.Helper()
	out, code := p.run(t, dsn, "doctor", "--json")
	var checks []struct{ Name, Result, Detail string }
	if err := json.Unmarshal([]byte(out), &checks); err != nil {
		t.Fatalf("doctor says %q: %v", out, err)
	}
	var got []string
	fails := false
	for _, c := range checks {
		got = append(got, c.Name+"="+c.Result)
		fails = fails || c.Result == "fail"
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("doctor does not say %s: %s", w, out)
		}
	}
	if fails != (code == 3) || !fails && code != 0 {
		t.Errorf("the exit code is %d, with failed checks: %t", code, fails)
	}
	if want := slices.ContainsFunc(want, func(w string) bool { return strings.HasSuffix(w, "=fail") }); want != fails {
		t.Errorf("there are failed checks: %t, want %t: %s", fails, want, out)
	}
}

// execute runs statements as an administrator.
func execute(t *testing.T, driver, dsn string, statements ...string) {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, text := range statements {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

// Each thing that keeps a server from taking writes, or from keeping what it took, is told.
func TestDoctorTellsWhatAServerDoesNotKeep(t *testing.T) {
	program := buildCommand(t, "build")
	for name, look := range map[string]func(*testing.T, string){
		"PostgreSQL": postgreSQLPatient, "PostgreSQL at risk": riskyPostgreSQLPatient, "MySQL": mysqlPatient,
		"Redis": redisPatient, "Redis Cluster": clusterPatient,
	} {
		t.Run(name, func(t *testing.T) { look(t, program) })
	}
}

func postgreSQLPatient(t *testing.T, program string) {
	server, err := servers.NewPostgreSQLWith("-c", "fsync=on")
	if err != nil {
		t.Fatal(err)
	}
	p := newPatient(t, program, "postgresql", server.DSN)
	p.wants(t, server.DSN, "writes=pass", "read-only=pass", "logged=pass", "fsync=pass", "full-page-writes=pass",
		"synchronous-commit=pass", "autovacuum=pass", "isolation=pass")
	p.wants(t, server.DSN+"&default_transaction_read_only=on", "writes=fail", "read-only=fail", "fsync=pass")
	p.wants(t, server.DSN+"&synchronous_commit=off", "synchronous-commit=warn")
	p.wants(t, server.DSN+"&default_transaction_isolation=serializable", "isolation=warn")
	execute(t, "pgx", server.DSN, "ALTER TABLE sessions SET (autovacuum_enabled = false)")
	p.wants(t, server.DSN, "autovacuum=warn", "logged=pass")
	execute(t, "pgx", server.DSN, "ALTER TABLE sessions RESET (autovacuum_enabled)",
		"ALTER TABLE sessions SET UNLOGGED")
	p.wants(t, server.DSN, "logged=fail", "writes=pass", "autovacuum=pass")
	execute(t, "pgx", server.DSN, "ALTER TABLE sessions SET LOGGED")
	p.wants(t, server.DSN, "logged=pass")

	execute(t, "pgx", server.DSN, "CREATE TABLE strange (id integer)")
	t.Setenv("SESSION_STORES__DATABASE__TABLE", "strange")
	for _, command := range []string{"doctor", "db migrate"} {
		out, code := p.run(t, server.DSN, append(strings.Fields(command), "--json")...)
		told := strings.Contains(out, "stores.database.table: there is a table") && !strings.Contains(out, "Options.")
		if code == 0 || !told {
			t.Errorf("on somebody else's table %s exits with %d: %s", command, code, out)
		}
	}
	t.Setenv("SESSION_STORES__DATABASE__TABLE", "")

	server.Stop()
	if err := os.WriteFile(filepath.Join(server.Dir, "data", "standby.signal"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	p.wants(t, server.DSN, "writes=fail", "read-only=fail", "logged=pass")
}

func riskyPostgreSQLPatient(t *testing.T, program string) {
	server, err := servers.NewPostgreSQLWith("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "autovacuum=off")
	if err != nil {
		t.Fatal(err)
	}
	p := newPatient(t, program, "postgresql", server.DSN)
	p.wants(t, server.DSN, "writes=pass", "fsync=fail", "full-page-writes=fail", "autovacuum=warn")
}

func mysqlPatient(t *testing.T, program string) {
	server, err := servers.NewMySQLWith("--innodb-flush-log-at-trx-commit=1")
	if err != nil {
		t.Fatal(err)
	}
	admin := "root@unix(" + filepath.Join(server.Dir, "sock") + ")/coatcheck"
	p := newPatient(t, program, "mysql", server.DSN)
	sound := []string{"writes=pass", "read-only=pass", "flush-log=pass", "doublewrite=pass", "isolation=pass",
		"sql-mode=pass", "packet=pass", "wait-timeout=pass", "galera=pass"}
	p.wants(t, server.DSN, sound...)
	p.wants(t, server.DSN+"?sql_mode=%27%27", "sql-mode=warn")
	execute(t, "mysql", admin, "SET GLOBAL TRANSACTION ISOLATION LEVEL SERIALIZABLE")
	p.wants(t, server.DSN, "isolation=warn")
	execute(t, "mysql", admin, "SET GLOBAL TRANSACTION ISOLATION LEVEL REPEATABLE READ")
	execute(t, "mysql", admin, "SET GLOBAL innodb_flush_log_at_trx_commit = 0", "SET GLOBAL sql_mode = ''",
		"SET GLOBAL wait_timeout = 5", "SET GLOBAL max_allowed_packet = 1048576")
	p.wants(t, server.DSN, "flush-log=warn", "sql-mode=warn", "wait-timeout=warn", "packet=warn", "writes=pass")
	p.wants(t, server.DSN+"?sql_mode=%27STRICT_TRANS_TABLES%27", "sql-mode=pass")
	execute(t, "mysql", admin, "SET GLOBAL innodb_flush_log_at_trx_commit = 1",
		"SET GLOBAL sql_mode = 'STRICT_ALL_TABLES'", "SET GLOBAL wait_timeout = 28800",
		"SET GLOBAL max_allowed_packet = 16777216")
	p.wants(t, server.DSN, sound...)
	execute(t, "mysql", admin, "SET GLOBAL read_only = 1")
	p.wants(t, server.DSN, "writes=fail", "read-only=fail")
	p.wants(t, server.DSN+"?rejectReadOnly=true", "writes=fail", "read-only=fail")
	p.wants(t, admin, "writes=pass", "read-only=fail") // his rights let him write where nobody else may
}

func redisPatient(t *testing.T, program string) {
	server, err := servers.NewRedis("--appendonly", "yes", "--maxmemory", "100mb")
	if err != nil {
		t.Fatal(err)
	}
	set := func(name, value string) {
		t.Helper()
		if _, err := server.CLI(t.Context(), "CONFIG", "SET", name, value); err != nil {
			t.Fatal(err)
		}
	}
	dsn := redisURL([]string{server.Addr})
	p := newPatient(t, program, "redis", dsn)
	sound := []string{"writes=pass", "role=pass", "eviction=pass", "memory=pass", "persistence=pass"}
	p.wants(t, dsn, sound...)
	for _, row := range []struct{ name, value, good, want string }{
		{"maxmemory-policy", "allkeys-lru", "noeviction", "eviction=fail"},
		{"maxmemory-policy", "volatile-ttl", "noeviction", "eviction=fail"},
		{"maxmemory", "0", "100mb", "memory=warn"},
		{"maxmemory", "1", "100mb", "memory=fail"},
		{"appendfsync", "no", "everysec", "persistence=warn"},
		{"appendonly", "no", "yes", "persistence=fail"},
	} {
		set(row.name, row.value)
		p.wants(t, dsn, row.want)
		set(row.name, row.good)
	}
	set("appendonly", "no")
	set("save", "3600 1")
	p.wants(t, dsn, "persistence=warn")
	user := []string{"ACL", "SETUSER", "app", "on", ">word", "~*", "&*", "+@all", "-config", "-time"}
	if _, err := server.CLI(t.Context(), user...); err != nil {
		t.Fatal(err)
	}
	p.wants(t, strings.Replace(dsn, "redis://", "redis://app:word@", 1), "persistence=warn", "clock=warn")
	set("appendonly", "yes")
	if _, err := server.CLI(t.Context(), "REPLICAOF", "127.0.0.1", "1"); err != nil {
		t.Fatal(err)
	}
	p.wants(t, dsn, "writes=fail", "role=fail")
}

// clusterPatient wants each primary to be looked at, and no replica.
func clusterPatient(t *testing.T, program string) {
	nodes, err := servers.NewRedisCluster(1, "--appendonly", "yes", "--maxmemory", "100mb")
	if err != nil {
		t.Fatal(err)
	}
	dsn := redisURL([]string{nodes[0].Addr, nodes[1].Addr})
	p := newPatient(t, program, "redis", dsn)
	p.wants(t, dsn, "writes=pass", "role=pass", "eviction=pass", "memory=pass", "persistence=pass")
	primary := 0
	for i, node := range nodes {
		role, err := node.CLI(t.Context(), "ROLE")
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(role, "master") {
			primary = i
		}
	}
	if _, err := nodes[primary].CLI(t.Context(), "CONFIG", "SET", "maxmemory-policy", "allkeys-lru"); err != nil {
		t.Fatal(err)
	}
	p.wants(t, dsn, "eviction=fail", "eviction=pass")
	want := nodes[primary].Addr + ": maxmemory-policy is allkeys-lru"
	if out, _ := p.run(t, dsn, "doctor"); !strings.Contains(out, want) {
		t.Errorf("doctor does not name the server: %s", out)
	}
}

// What the script of doctor says of SQLite holds of servers that are sound.
func TestDoctorDoesWhatItsScriptSaysOnSoundServers(t *testing.T) {
	program := buildCommand(t, "test", "-c")
	postgres, err := servers.NewPostgreSQLWith("-c", "fsync=on")
	if err != nil {
		t.Fatal(err)
	}
	mysql, err := servers.MySQL()
	if err != nil {
		t.Fatal(err)
	}
	for driver, dsn := range map[string]string{"postgresql": postgres.DSN, "mysql": mysql.DSN} {
		t.Run(driver, func(t *testing.T) { runScripts(t, program, "doctor", database(driver, dsn)...) })
	}
	redis, err := servers.NewRedis("--appendonly", "yes")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("redis", func(t *testing.T) {
		runScripts(t, program, "doctor", "COATCHECK_SCRIPTS_ON=redis", "SESSION_STORE=redis",
			"SESSION_CONNECTIONS__CACHE__DSN="+redisURL([]string{redis.Addr}),
			fmt.Sprintf("SESSION_STORES__REDIS__PREFIX=%sSCRIPT:", newPrefix()))
	})
}
