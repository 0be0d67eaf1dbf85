package integration_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessionconfig"
	_ "github.com/coatcheck/session/sessionconfig/redis"
)

// An old server, and some that stand in for Redis, cannot keep a cache up to date, and not every user may ask for it.
// Who has a file to edit is told of the key there, and of no option of the client.
func TestACacheThatRedisCannotKeepNamesTheKey(t *testing.T) {
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
		cfg, err := sessionconfig.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = cfg.Open(t.Context())
		if err == nil {
			t.Fatalf("%s: Open has found a cache", dsn)
		}
		for text, want := range map[string]bool{"stores.redis.cache_ttl": true, says: true, "ClientOption": false} {
			if got := strings.Contains(err.Error(), text); got != want {
				t.Errorf("%s: Open = %v: has %q: %t, want %t", dsn, err, text, got, want)
			}
		}
	}
}
