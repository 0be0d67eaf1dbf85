package demo_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/coatcheck/session/cmd/coatcheck/internal/demo"
)

func TestARestartLosesNothing(t *testing.T) {
	for _, store := range []string{demo.File, demo.SQLite} {
		for _, folder := range []string{"plain", "50% odd? name#1 ü&_pragma=x"} {
			t.Run(store+" "+folder, func(t *testing.T) {
				opts := demo.Options{Store: store, Data: filepath.Join(t.TempDir(), folder)}
				before := start(t, opts)
				ada, eve := script(t, before), script(t, before)
				ada.post("/login", "user", "ada", "remember", "1")
				ada.post("/notes", "text", "milk")
				eve.post("/login", "user", "eve")
				before.stop()

				after := start(t, opts)
				for _, v := range []*visitor{ada, eve} { // cookies know no ports
					v.site = after
				}
				if s := ada.state(); s.User != "ada" || len(s.Notes) != 1 || s.Flash != "Noted." {
					t.Errorf("after the restart ada's state is %+v", s)
				}
				if s := eve.state(); s.User != "eve" {
					t.Errorf("after the restart eve's state is %+v", s)
				}
				wantOwnFiles(t, opts.Data)
			})
		}
	}
}

// wantOwnFiles checks that nothing in the folder is open to others.
func wantOwnFiles(t *testing.T, dir string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		return
	}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v, want none for others", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestTheMemoryStoreNeedsNoFolder(t *testing.T) {
	dir := newFolder(t)
	script(t, start(t, demo.Options{Store: demo.Memory, Data: dir})).post("/login", "user", "ada")
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("Stat(%q) = %v, want no folder", dir, err)
	}
}

func TestTheSecretIsMadeOnce(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "secret")
	const starts = 20
	var (
		wg   sync.WaitGroup
		seen [starts]string
	)
	for i := range starts {
		wg.Go(func() {
			secrets, err := demo.KeepSecret(path)
			if err != nil || len(secrets) != 1 {
				t.Errorf("KeepSecret = %d secrets, %v, want one", len(secrets), err)
				return
			}
			seen[i] = string(secrets[0])
		})
	}
	wg.Wait()
	for i := range seen {
		if seen[i] != seen[0] {
			t.Fatalf("start %d has another secret than start 0", i)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v, want the secret alone", entries, err)
	}
	wantOwnFiles(t, path)
}

func TestSecretsThatCannotBeTrustedAreRefused(t *testing.T) {
	for name, make := range map[string]func(path string) error{
		"others can read it": func(path string) error { return rewrite(path, nil, 0o644) },
		"its group can":      func(path string) error { return rewrite(path, nil, 0o640) },
		"it is empty":        func(path string) error { return rewrite(path, []byte{}, 0o600) },
		"it is short": func(path string) error {
			return rewrite(path, []byte("base64:c2hvcnQtc2VjcmV0"),
				0o600)
		},
		"it is a folder": func(path string) error { return os.Mkdir(path, 0o700) },
		"it is a link":   func(path string) error { return os.Symlink("/dev/zero", path) },
	} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS == "windows" && (strings.Contains(name, "can") || strings.Contains(name, "link")) {
				t.Skip("Windows has no modes, and not everybody may make links")
			}
			path := filepath.Join(t.TempDir(), "secret")
			if err := make(path); err != nil {
				t.Fatal(err)
			}
			_, err := demo.KeepSecret(path)
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "remove it") {
				t.Errorf("KeepSecret = %v, want an error that names %s and says what to do", err, path)
			}
			if err != nil && strings.Contains(err.Error(), "c2hvcnQt") {
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
}

// rewrite makes the file with this content, nil for a good secret, and exactly this mode.
func rewrite(path string, content []byte, mode fs.FileMode) error {
	if content == nil {
		if _, err := demo.KeepSecret(path); err != nil {
			return err
		}
	} else if err := os.WriteFile(path, content, mode); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

func TestStartsThatCannotWorkSayWhy(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	open := filepath.Join(dir, "open")
	broken := filepath.Join(dir, "broken")
	for _, err := range []error{
		os.WriteFile(file, nil, 0o600), os.Mkdir(open, 0o700), os.Chmod(open, 0o777),
		os.Mkdir(broken, 0o700), os.WriteFile(filepath.Join(broken, "sessions.db"),
			[]byte(strings.Repeat("no database ", 100)), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct {
		opts demo.Options
		want string
	}{
		{demo.Options{Store: "redis"}, "--store"},
		{demo.Options{Store: ""}, "--store"},
		{demo.Options{Store: demo.SQLite, Data: ""}, "--data"},
		{demo.Options{Store: demo.SQLite, Data: file}, "--data " + file},
		{demo.Options{Store: demo.File, Data: filepath.Join(file, "below")}, "--data " + file},
		{demo.Options{Store: demo.File, Data: open}, "chmod 700"},
		{demo.Options{Store: demo.SQLite, Data: broken}, "move the file away"},
		{demo.Options{Store: demo.Memory, Addr: "8080"}, "--addr"},
		{demo.Options{Store: demo.Memory, Addr: ":8080"}, "--insecure-network"},
		{demo.Options{Store: demo.Memory, Addr: "0.0.0.0:0"}, "--insecure-network"},
		{demo.Options{Store: demo.Memory, Addr: "[::]:0"}, "--insecure-network"},
		{demo.Options{Store: demo.Memory, Addr: "example.com:80"}, "--insecure-network"},
		{demo.Options{Store: demo.Memory, Addr: "127.0.0.1:99999"}, "--addr 127.0.0.1:99999"},
	} {
		if row.opts.Addr == "" {
			row.opts.Addr = "127.0.0.1:0"
		}
		t.Run(fmt.Sprintf("%s %s", row.opts.Store, row.want), func(t *testing.T) {
			if err := demo.Run(t.Context(), row.opts); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("Run(%+v) = %v, want %q in it", row.opts, err, row.want)
			}
		})
	}
}
