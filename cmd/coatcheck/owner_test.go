//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A folder that root makes in that of the site, or a secret that only root can read, is of no use to the site.
func TestRootIsToldAsWhomToRunACommand(t *testing.T) {
	dir := t.TempDir()
	const nobody = 65534
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{dir, filepath.Join(dir, "sessions"), filepath.Join(dir, "a", "b")} {
		if err := asOwner(path, 0); err == nil || !strings.HasPrefix(err.Error(), dir+" belongs to ") {
			t.Errorf("root and %s give %v, want that it belongs to somebody else", path, err)
		}
		if err := asOwner(path, nobody); err != nil {
			t.Errorf("anybody else and %s give %v, want nothing", path, err)
		}
	}
	for _, path := range []string{"/", "/absent", ""} {
		if err := asOwner(path, 0); err != nil {
			t.Errorf("root and %q give %v, want nothing", path, err)
		}
	}
	if os.Geteuid() != 0 {
		return // the rest is what root does
	}
	t.Setenv("SESSION_STORE", "file")
	t.Setenv("SESSION_STORES__FILE__PATH", filepath.Join(dir, "sessions"))
	mustRun(t, in(t, dir, underTest, "key", "generate", "--file", "session.secret"))
	t.Setenv("SESSION_SECRETS__FILE", "session.secret")
	for _, there := range []bool{false, true} {
		if there {
			if err := os.Mkdir(filepath.Join(dir, "sessions"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Chown(filepath.Join(dir, "sessions"), nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
		for _, words := range []string{"doctor", "bench", "session revoke --all --yes"} {
			out, err := in(t, dir, underTest, strings.Fields(words)...).CombinedOutput()
			if made, _ := os.ReadDir(filepath.Join(dir, "sessions")); err == nil || len(made) > 0 ||
				(there || words[0] != 's') && !strings.Contains(string(out), " belongs to ") {
				t.Errorf("%s of root ends with %v, and %d files:\n%s", words, err, len(made), out)
			}
		}
		if _, err := os.Stat(filepath.Join(dir, "sessions")); (err == nil) != there {
			t.Errorf("the folder is there: %t", err == nil)
		}
	}
	t.Setenv("SESSION_STORE", "database")
	t.Setenv("SESSION_CONNECTIONS__MAIN__DRIVER", "sqlite")
	t.Setenv("SESSION_CONNECTIONS__MAIN__PATH", filepath.Join(dir, "site.db"))
	t.Setenv("SESSION_STORES__DATABASE__MIGRATE", "true")
	want := "if the site runs as root, make " + filepath.Join(dir, "site.db")
	_ = in(t, dir, underTest, "db", "status").Run() // which only looks, and so makes nothing
	for _, words := range []string{"db migrate", "doctor", "bench"} {
		out, err := in(t, dir, underTest, strings.Fields(words)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s of root ends with %v:\n%s", words, err, out)
		}
	}
	t.Setenv("SESSION_STORE", "file") // before a move to the database
	_ = in(t, dir, underTest, "db", "status").Run()
	out, err := in(t, dir, underTest, "db", "migrate").CombinedOutput()
	if err == nil || !strings.Contains(string(out), want) {
		t.Errorf("with the store file, db migrate of root ends with %v:\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "site.db")); err == nil {
		t.Error("there is a database of root's")
	}
}
