package integration_test

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coatcheck/session/internal/integration/servers"
)

// The scripts of the command line that work on a store, and those that make a table. That of doctor wants servers that
// keep what they are given, as those of most tests do not.
const (
	storeScripts    = "bench clear copy list prefix rekey revoke show stats verify watch"
	databaseScripts = storeScripts + " db"
)

// What the scripts of cmd/coatcheck say holds on every server, too. They run as the test of that module that they are,
// built once, with a configuration from the environment.
func TestTheCommandsDoWhatTheirScriptsSayOnEveryServer(t *testing.T) {
	program := buildCommand(t, "test", "-c")
	eachOf(t, byDriver, func(t *testing.T, s server) {
		at, err := s.start()
		if err != nil {
			t.Fatal(err)
		}
		runScripts(t, program, databaseScripts, database(strings.ToLower(s.name), at.DSN)...)
	})
	t.Run("PostgreSQL over a pool of pgx", func(t *testing.T) {
		at, err := servers.PostgreSQL()
		if err != nil {
			t.Fatal(err)
		}
		runScripts(t, program, databaseScripts, append(database("postgresql", at.DSN),
			"SESSION_CONNECTIONS__SERVER__POOL=pgx", "SESSION_STORES__DATABASE__TABLE=pgx_SCRIPT")...)
	})
	for name, addrs := range map[string]func(testing.TB) []string{"Redis": singleRedis, "Redis Cluster": clusterRedis} {
		t.Run(name, func(t *testing.T) {
			runScripts(t, program, storeScripts,
				"COATCHECK_SCRIPTS_ON=redis",
				"SESSION_STORE=redis",
				"SESSION_CONNECTIONS__CACHE__DSN="+redisURL(addrs(t)),
				"SESSION_STORES__REDIS__PREFIX="+newPrefix()+"SCRIPT:")
		})
	}
}

// database are the variables of a script that works on a database.
func database(driver, dsn string) []string {
	return []string{
		"COATCHECK_SCRIPTS_ON=" + driver,
		"SESSION_CONNECTIONS__SERVER__DRIVER=" + driver,
		"SESSION_CONNECTIONS__SERVER__DSN=" + dsn,
		"SESSION_STORES__DATABASE__CONNECTION=server",
		"SESSION_STORES__DATABASE__TABLE=cli_SCRIPT",
	}
}

func redisURL(addrs []string) string {
	query := url.Values{"addr": addrs[1:]}
	at := url.URL{Scheme: "redis", Host: addrs[0], RawQuery: query.Encode()}
	return at.String()
}

// commandModule is where the command line and its scripts are.
const commandModule = "../../cmd/coatcheck"

// commandBuild is how .ci/run has compiled everything before, so that nothing is compiled again. It is without the race
// detector, under which the module tests itself, and with which a program takes three times as long.
var commandBuild = []string{
	"GOWORK=", "GOFLAGS=-buildvcs=false -trimpath", "CGO_ENABLED=0", // its own go.mod, in the workspace
}

// buildCommand builds the command line, or its tests, by a command of go.
func buildCommand(t *testing.T, command ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "coatcheck")
	build := exec.CommandContext(t.Context(), "go", append(command, "-o", program, ".")...)
	build.Dir, build.Env = commandModule, append(os.Environ(), commandBuild...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(command, " "), err, out)
	}
	return program
}

func runScripts(t *testing.T, program, names string, configuration ...string) {
	t.Helper()
	run := exec.CommandContext(t.Context(), program, "-test.run", "^TestTheCommandsDoWhatTheirScriptsSay$", "-test.v")
	run.Dir = commandModule
	run.Env = append(append(os.Environ(), "COATCHECK_SCRIPTS="+names), configuration...)
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name := range strings.FieldsSeq(names) {
		if passed := fmt.Sprintf("--- PASS: TestTheCommandsDoWhatTheirScriptsSay/%s ",
			name); !strings.Contains(string(out), passed) {
			t.Errorf("the script %s did not run:\n%s", name, out)
		}
	}
}
