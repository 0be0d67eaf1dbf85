package shop_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/coatcheck/session/cmd/demo/shop"
)

func TestARestartLosesNothing(t *testing.T) {
	for _, folder := range []string{"plain", "50% odd? name#1 ü&_pragma=x"} {
		t.Run(folder, func(t *testing.T) {
			opts := options{dir: filepath.Join(t.TempDir(), folder)}
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
			wantOwnFiles(t, opts.dir)
		})
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
			secrets, err := shop.KeepSecret(path)
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
			_, err := shop.KeepSecret(path)
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
		if _, err := shop.KeepSecret(path); err != nil {
			return err
		}
	} else if err := os.WriteFile(path, content, mode); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

func TestPlacesThatCannotWorkSayWhy(t *testing.T) {
	dir := t.TempDir()
	file, open := filepath.Join(dir, "file"), filepath.Join(dir, "open")
	for _, err := range []error{os.WriteFile(file, nil, 0o600), os.Mkdir(open, 0o700), os.Chmod(open, 0o777)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for dir, want := range map[string]string{
		"": "--data", file: "--data " + file, filepath.Join(file, "below"): "--data " + file, open: "chmod 700",
	} {
		if _, err := shop.Files(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Files(%q) = %v, want %q in it", dir, err, want)
		}
	}
}

func TestAddressesThatCannotWorkAreRefusedBeforeAnythingIsMade(t *testing.T) {
	for addr, want := range map[string]string{
		"8080": "--addr", ":8080": "--insecure-network", "0.0.0.0:0": "--insecure-network",
		"[::]:0": "--insecure-network", "example.com:80": "--insecure-network",
		"127.0.0.1:99999": "--addr 127.0.0.1:99999",
	} {
		err := shop.Run(t.Context(), shop.Options{Addr: addr, Open: func(context.Context) (*shop.Place, error) {
			t.Errorf("the place was opened for %s", addr)
			return shop.Memory(), nil
		}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Run at %s = %v, want %q in it", addr, err, want)
		}
	}
}
