package sessionconfig_test

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
)

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

func TestAPasswordInAFileThatOthersCanReadIsWarnedOf(t *testing.T) {
	for content, want := range map[string]string{
		"connections: {a: {driver: postgresql, dsn: 'postgres://app:canary@db/app'}}":    "connections.a.dsn",
		"connections: {a: {driver: postgresql, dsn: 'host=db password = canary'}}":       "connections.a.dsn",
		"connections: {a: {driver: redis, dsn: 'redis://a@d/?password=canary'}}":         "connections.a.dsn",
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

func TestAConnectionHasAPathOrADSN(t *testing.T) {
	wants(t, refused(t, "store: database\nconnections: {a: {driver: sqlite, path: x, dsn: y}}"),
		"only SQLite takes a path, and takes no dsn with it")
}
