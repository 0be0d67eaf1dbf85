package keyfile_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/coatcheck/session/cmd/coatcheck/internal/keyfile"
)

// A release is often switched by turning a link to a folder that was filled long before.
func TestAFileChangesWithTheLinksThatLeadToIt(t *testing.T) {
	for name, way := range map[string]struct{ link, to, path string }{
		"to the file":         {"session.secret", "releases/42/secret", "session.secret"},
		"to its folder":       {"current", "releases/42", "current/secret"},
		"by its whole path":   {"current", "/releases/42", "current/secret"},
		"beyond another":      {"releases/next", "42", "way/next/secret"},
		"before another":      {"current", "way/42", "current/secret"},
		"over a parent":       {"releases/up", "..", "releases/up/releases/42/secret"},
		"with two separators": {"current", "releases/42/", "current//secret"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			file := filepath.Join(dir, "releases", "42", "secret")
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("releases", "way"); err != nil {
				t.Fatal(err)
			}
			if err := keyfile.Create(file); err != nil {
				t.Fatal(err)
			}
			if filepath.IsAbs(way.to) {
				way.to = dir + way.to
			}
			turned := linkAfter(t, way.to, way.link, file)
			for _, path := range []string{way.path, filepath.Join(dir, ".") + "/" + way.path} {
				if at, err := keyfile.Changed(path); err != nil || at.Before(turned) {
					t.Errorf("Changed(%s) = %v, %v; want %v, when the link was turned", path, at, err, turned)
				}
			}
			if at, err := keyfile.Changed(file); err != nil || !at.Before(turned) {
				t.Errorf("Changed(%s) = %v, %v; want the time before the link was turned", file, at, err)
			}
		})
	}
}

func TestLinksThatLeadNowhereOrInACircleAreErrors(t *testing.T) {
	t.Chdir(t.TempDir())
	for link, to := range map[string]string{"nowhere": "absent", "here": "there", "there": "here"} {
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
		if at, err := keyfile.Changed(link); err == nil {
			t.Errorf("Changed(%s) = %v, want an error", link, at)
		}
	}
}

// linkAfter makes a link that the system takes for younger than a file, and returns when that was.
func linkAfter(t *testing.T, to, link, file string) time.Time {
	t.Helper()
	for {
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
		turned := changed(t, link)
		if turned.After(changed(t, file)) {
			return turned
		}
		if err := os.Remove(link); err != nil {
			t.Fatal(err)
		}
	}
}

func changed(t *testing.T, path string) time.Time {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return time.Unix(info.Sys().(*syscall.Stat_t).Ctim.Unix())
}
