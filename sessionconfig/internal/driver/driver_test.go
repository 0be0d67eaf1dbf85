package driver_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessionconfig"
)

// load reads a configuration in a new folder. No test here imports a driver, so this program has none.
func load(t *testing.T, content string) *sessionconfig.Config {
	t.Helper()
	t.Chdir(t.TempDir())
	t.Setenv("SESSION_SECRETS", "base64:"+base64.StdEncoding.EncodeToString(session.NewSecret()))
	if err := os.WriteFile("session.yaml", []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := sessionconfig.Load("session.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// ways lead from a configuration to a server.
var ways = map[string]func(context.Context, *sessionconfig.Config) error{
	"Open": func(ctx context.Context, c *sessionconfig.Config) error {
		_, _, err := c.Open(ctx)
		return err
	},
	"OpenDatabase": func(ctx context.Context, c *sessionconfig.Config) error {
		_, _, err := c.OpenDatabase(ctx)
		return err
	},
	"OpenRedis": func(ctx context.Context, c *sessionconfig.Config) error {
		_, err := c.OpenRedis(ctx)
		return err
	},
}

// The program that prints the dsn is not started for a driver that is not there, nor a file made.
func TestAServerWithoutItsDriverNamesTheImport(t *testing.T) {
	for _, tt := range []struct{ kind, name, reached, store, opener string }{
		{"sqlite", "sqlite", "path: asked", "database", "OpenDatabase"},
		{"postgresql", "postgres", "dsn_command: [touch, asked]", "database", "OpenDatabase"},
		{"mysql", "mysql", "dsn_command: [touch, asked]", "database", "OpenDatabase"},
		{"redis", "redis", "dsn_command: [touch, asked]", "redis", "OpenRedis"},
	} {
		cfg := load(t, "store: "+tt.store+"\nconnections: {main: {driver: "+tt.kind+", "+tt.reached+"}}")
		want := "connections.main.driver: this program has no driver for " + tt.kind +
			`: add the line import _ "github.com/coatcheck/session/sessionconfig/` + tt.name + `"`
		for _, way := range []string{"Open", tt.opener} {
			if err := ways[way](t.Context(), cfg); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s of %s gives %v, want an error with %s", way, tt.kind, err, want)
			}
		}
		if _, err := os.Stat("asked"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s was asked for: %v", tt.reached, err)
		}
	}
}

func TestStoresWithoutAServerNeedNoDriver(t *testing.T) {
	for _, store := range []string{"memory", "null", "file", "cookies"} {
		cfg := load(t, "store: "+store+"\nstores: {file: {path: kept}, cookies: {revocations: file}}")
		_, closer, err := cfg.Open(t.Context())
		if err != nil {
			t.Errorf("%s: %v", store, err)
			continue
		}
		if err := closer.Close(); err != nil {
			t.Errorf("%s: %v", store, err)
		}
	}
}

// A store that remembers what was ended is found missing as well.
func TestRevocationsWithoutTheirDriverNameTheImport(t *testing.T) {
	cfg := load(t, "store: cookies\nstores: {cookies: {revocations: redis}}\n"+
		"connections: {main: {driver: redis, dsn: 'redis://127.0.0.1:1'}}")
	_, _, err := cfg.Open(t.Context())
	if err == nil || !strings.Contains(err.Error(), "sessionconfig/redis") {
		t.Errorf("Open gives %v, want an error that names the import", err)
	}
}
