//go:build unix

package atomicfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/coatcheck/session/internal/atomicfile"
)

// What is not a plain file of ours is neither read nor written, and nobody waits for it.
func TestForeignFilesAreNotOpened(t *testing.T) {
	dir, path := open(t)
	write(t, dir, "target", "data")
	at := func(name string) string { return filepath.Join(path, name) }
	outside := filepath.Join(t.TempDir(), "outside")
	must(t, os.WriteFile(outside, []byte("data"), 0o600))

	must(t, os.Symlink("target", at("inner link")))
	must(t, os.Symlink(outside, at("outer link")))
	must(t, os.Symlink("nowhere", at("dangling link")))
	must(t, os.Mkdir(at("folder"), 0o700))
	must(t, syscall.Mkfifo(at("pipe"), 0o600))
	must(t, os.Link(outside, at("hard link")))
	for _, name := range []string{"inner link", "outer link", "dangling link", "folder", "pipe"} {
		t.Run(name, func(t *testing.T) { wantRefused(t, dir, name, atomicfile.ErrForeign) })
	}
	t.Run("hard link", func(t *testing.T) { wantRefused(t, dir, "hard link", atomicfile.ErrLinked) })
	if data, err := os.ReadFile(outside); err != nil || string(data) != "data" {
		t.Errorf("the file outside = %q, %v, want it untouched", data, err)
	}
}

func wantRefused(t *testing.T, dir *atomicfile.Dir, name string, want error) {
	t.Helper()
	if _, _, err := dir.Read(name, 10); !errors.Is(err, want) {
		t.Errorf("Read = %v, want %v", err, want)
	}
	err := dir.Update(name, func(*os.File, int64) error {
		t.Error("Update opened it")
		return nil
	})
	if err == nil {
		t.Error("Update succeeded")
	}
	if err := dir.Remove(name); err != nil {
		t.Errorf("Remove = %v", err)
	}
}

func TestRemoveInFollowsNoLinkOutOfTheFolder(t *testing.T) {
	dir, path := open(t)
	outside := t.TempDir()
	must(t, os.WriteFile(filepath.Join(outside, "f"), nil, 0o600))
	must(t, os.Symlink(outside, filepath.Join(path, "sub")))
	if err := dir.RemoveIn("sub", "f"); err == nil {
		t.Error("RemoveIn followed a link")
	}
	wantNames(t, outside, "f")
}

func TestModesDoNotDependOnTheUmask(t *testing.T) {
	for _, mask := range []int{0, 0o022, 0o277} {
		old := syscall.Umask(mask)
		path := filepath.Join(t.TempDir(), "top")
		dir := mustOpen(t, path)
		sub := mustSub(t, dir, "sub")
		write(t, sub, "file", "data")
		must(t, sub.Mark("mark"))
		unlock, err := sub.Lock(t.Context())
		syscall.Umask(old)
		must(t, err)
		unlock()
		wantMode(t, path, 0o700)
		wantMode(t, filepath.Join(path, "sub"), 0o700)
		for _, name := range []string{"file", "mark", "lock"} {
			wantMode(t, filepath.Join(path, "sub", name), 0o600)
		}
	}
}

func TestAFolderThatOthersMayWriteIsRefused(t *testing.T) {
	for _, mode := range []os.FileMode{0o720, 0o702, 0o777 | os.ModeSticky} {
		dir, path := open(t)
		mustSub(t, dir, "sub")
		must(t, os.Chmod(filepath.Join(path, "sub"), mode))
		if _, err := dir.Sub("sub", true); !errors.Is(err, atomicfile.ErrExposed) {
			t.Errorf("Sub with mode %v = %v, want ErrExposed", mode, err)
		}
		must(t, os.Chmod(path, mode))
		if _, err := atomicfile.Open(path); !errors.Is(err, atomicfile.ErrExposed) {
			t.Errorf("Open with mode %v = %v, want ErrExposed", mode, err)
		}
	}
}

func TestAFolderThatOthersOwnIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a folder away")
	}
	dir, path := open(t)
	mustSub(t, dir, "sub")
	must(t, os.Chown(filepath.Join(path, "sub"), 12345, -1))
	if _, err := dir.Sub("sub", false); !errors.Is(err, atomicfile.ErrExposed) {
		t.Errorf("Sub = %v, want ErrExposed", err)
	}
	write(t, dir, "file", "data")
	must(t, os.Chown(filepath.Join(path, "file"), 12345, -1))
	if _, _, err := dir.Read("file", 10); !errors.Is(err, atomicfile.ErrForeign) {
		t.Errorf("Read = %v, want ErrForeign", err)
	}
}

func TestALinkIsNotTakenForAFolder(t *testing.T) {
	dir, path := open(t)
	mustSub(t, dir, "real")
	must(t, os.Symlink("real", filepath.Join(path, "link")))
	if _, err := dir.Sub("link", true); !errors.Is(err, atomicfile.ErrForeign) {
		t.Errorf("Sub = %v, want ErrForeign", err)
	}
}

func TestALinkInPlaceOfATempFileIsNotFollowed(t *testing.T) {
	dir, path := open(t)
	write(t, dir, "victim", "untouched")
	must(t, os.Symlink("victim", filepath.Join(path, "f.tmp")))
	write(t, dir, "f", "new")
	wantFile(t, dir, "victim", "untouched")
	wantFile(t, dir, "f", "new")
}

func TestAFolderThatIsGoneIsAnOutage(t *testing.T) {
	dir, path := open(t)
	sub := mustSub(t, dir, "sub")
	must(t, os.RemoveAll(path))
	_, _, readErr := sub.Read("f", 1)
	_, namesErr := sub.Names()
	_, existsErr := sub.Exists("f")
	_, lockErr := sub.Lock(t.Context())
	_, subErr := dir.Sub("sub", false)
	for i, err := range []error{readErr, namesErr, existsErr, lockErr, subErr} {
		if !errors.Is(err, atomicfile.ErrDetached) {
			t.Errorf("call %d: error = %v, want ErrDetached", i, err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantMode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	fi, err := os.Lstat(path)
	must(t, err)
	if fi.Mode().Perm() != want {
		t.Errorf("%s has mode %v, want %v", filepath.Base(path), fi.Mode().Perm(), want)
	}
}
