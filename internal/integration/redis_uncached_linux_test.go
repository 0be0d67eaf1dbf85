package integration_test

import (
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coatcheck/session"
)

// An old server, and some that stand in for Redis, cannot keep a cache up to date, and not every user may ask for it.
// Who has a file to edit is told of the key there, and of no option of the client.
func TestACacheThatRedisCannotKeepNamesTheKey(t *testing.T) {
	program := buildCommand(t, "build")
	t.Setenv("SESSION_SECRETS", "base64:"+base64.StdEncoding.EncodeToString(session.NewSecret()))
	r := ownRedis(t)
	told(t, r, "ACL", "SETUSER", "app", "on", ">password", "~*", "+@all", "-client")
	for dsn, says := range map[string]string{
		"redis://" + r.Addr + "?protocol=2": "protocol=2",
		"redis://app:password@" + r.Addr:    "NOPERM",
	} {
		file := filepath.Join(t.TempDir(), "session.yaml")
		content := "store: redis\nstores: {redis: {cache_ttl: 5s}}\n" +
			"connections: {main: {driver: redis, dsn: '" + dsn + "'}}\n"
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), program, "--config", file, "session", "stats").CombinedOutput()
		if err == nil {
			t.Fatalf("%s: session stats has found a cache", dsn)
		}
		for text, want := range map[string]bool{"stores.redis.cache_ttl": true, says: true, "ClientOption": false} {
			if got := strings.Contains(string(out), text); got != want {
				t.Errorf("%s: session stats says %s: has %q: %t, want %t", dsn, out, text, got, want)
			}
		}
	}
}
