package sessionconfig_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// clients are the packages by which a program would reach a server.
var clients = map[string][]string{
	"sqlite": {"modernc.org/sqlite"},
	"postgres": {"github.com/jackc/pgx/v5", "github.com/coatcheck/session/pglisten",
		"github.com/coatcheck/session/pgstore"},
	"mysql": {"github.com/go-sql-driver/mysql"},
	"redis": {"github.com/redis/rueidis", "github.com/coatcheck/session/redisstore"},
}

// linked lists the packages that a program gets with a package of this module, and those of its tests: go mod tidy has
// the hashes of these in the go.sum of whoever imports the package.
func linked(t *testing.T, name string) []string {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-test", "./"+name)
	cmd.Env = append(os.Environ(), "GOWORK=", "GOFLAGS=")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list -deps -test ./%s: %v", name, err)
	}
	return strings.Fields(string(out))
}

// A site on SQLite links no client of Redis, and so on for each pair.
func TestAProgramLinksTheDriversThatItImports(t *testing.T) {
	for _, imported := range []string{"", "sqlite", "postgres", "mysql", "redis", "all"} {
		packages := linked(t, imported)
		for kind, list := range clients {
			for _, client := range list {
				want := imported == kind || imported == "all"
				if got := slices.Contains(packages, client); got != want {
					t.Errorf("sessionconfig/%s links %s: %t, want %t", imported, client, got, want)
				}
			}
		}
	}
}
