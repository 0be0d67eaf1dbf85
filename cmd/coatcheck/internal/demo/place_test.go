package demo_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/demo"
	"github.com/coatcheck/session/sessionconfig"
)

func noConfig() (*sessionconfig.Config, error) { return nil, errors.New("there is no configuration") }

func TestSQLiteKeepsItsSessionsInAnyFolder(t *testing.T) {
	for _, folder := range []string{"plain", "50% odd? name#1 ü&_pragma=x"} {
		dir := filepath.Join(t.TempDir(), folder)
		rec := &session.Record{ID: "kept"}
		for round := range 2 {
			place, err := demo.Open(t.Context(), demo.SQLite, dir, noConfig)
			if err != nil {
				t.Fatal(err)
			}
			if round == 0 {
				err = place.Store.Save(t.Context(), rec)
			} else {
				_, err = place.Store.Load(t.Context(), "kept")
			}
			if err := errors.Join(err, place.Close()); err != nil {
				t.Errorf("%s, round %d: %v", folder, round, err)
			}
		}
		wantOwnFile(t, filepath.Join(dir, "sessions.db"))
	}
}

func wantOwnFile(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if os.PathSeparator == '/' && info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%s has mode %v, want none for others", path, info.Mode())
	}
}

func TestThePlaceInMemoryNeedsNoFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if _, err := demo.Open(t.Context(), demo.Memory, dir, noConfig); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("Stat(%q) = %v, want no folder", dir, err)
	}
}

func TestPlacesThatCannotBeOpenedSayWhy(t *testing.T) {
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "sessions.db"), []byte(strings.Repeat("no database ", 100)),
		0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ store, dir, want string }{
		{demo.SQLite, broken, "move the file away"},
		{demo.SQLite, "", "--data"},
		{demo.Database, t.TempDir(), "there is no configuration"},
		{demo.Redis, t.TempDir(), "there is no configuration"},
	} {
		if _, err := demo.Open(t.Context(), row.store, row.dir, noConfig); err == nil ||
			!strings.Contains(err.Error(), row.want) {
			t.Errorf("Open(%s) = %v, want %q in it", row.store, err, row.want)
		}
	}
	if err := demo.Check("punched cards"); err == nil || !strings.Contains(err.Error(), "--store") {
		t.Errorf("Check = %v, want an error that names --store", err)
	}
}
