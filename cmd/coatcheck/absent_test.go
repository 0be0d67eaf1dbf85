package main

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"modernc.org/sqlite"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessionconfig"
	"github.com/coatcheck/session/sqlstore"
)

// A server that refuses the connection on which the version is read may take the next one, on which opening the store
// would migrate.
func TestACommandTakesNoStepWhenTheVersionCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	text := "store: database\nconnections: {main: {driver: sqlite, path: '" +
		filepath.ToSlash(filepath.Join(dir, "steps.db")) + "'}}\nstores: {database: {migrate: true}}\n"
	path := filepath.Join(dir, "session.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SESSION_SECRETS", "base64:"+base64.StdEncoding.EncodeToString(session.NewSecret()))
	cfg, err := sessionconfig.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	db, opts, err := cfg.OpenDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	table, err := sqlstore.New(db, opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := table.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := table.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	errFull := errors.New("too many connections")
	var refused atomic.Bool
	sqlite.RegisterConnectionHook(func(_ sqlite.ExecQuerierContext, dsn string) error {
		if strings.Contains(dsn, filepath.ToSlash(dir)) && refused.CompareAndSwap(false, true) {
			return errFull
		}
		return nil
	})
	s, err := open(t.Context(), cfg, false)
	if err == nil {
		s.close()
	}
	at, _, read := table.SchemaVersion(t.Context())
	if code(err) != exitUnavailable || !errors.Is(err, errFull) || at != 1 || read != nil {
		t.Errorf("open = %v, and the table is at step %d, %v; want the error, and step 1", err, at, read)
	}
}
