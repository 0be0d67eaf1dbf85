package keyfile_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/coatcheck/session/cmd/coatcheck/internal/keyfile"
)

// A site that reads its secrets as another user, or through its group, still can after an operator rotated them.
func TestARotatedFileKeepsItsOwnerGroupAndMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "session.secret")
	if err := keyfile.Create(path); err != nil {
		t.Fatal(err)
	}
	uid, gid := os.Getuid(), os.Getgid()
	if uid == 0 { // nobody else may give a file away
		uid, gid = 12345, 12346
	}
	if err := os.Chown(path, uid, gid); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if n, err := keyfile.Rotate(path, -1); n != 2 || err != nil {
		t.Fatalf("Rotate = %d, %v", n, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	is := info.Sys().(*syscall.Stat_t)
	if int(is.Uid) != uid || int(is.Gid) != gid || info.Mode() != 0o640 {
		t.Errorf("the file belongs to %d:%d with mode %v, want %d:%d with 0640", is.Uid, is.Gid, info.Mode(), uid, gid)
	}
}

// What a pipe holds has no end, and whoever waits for it cannot be interrupted.
func TestAPipeIsNotTakenForAFileOfSecrets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "session.secret")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	go func() { // which waits for a reader
		if f, err := os.OpenFile(path, os.O_WRONLY, 0); err == nil {
			_, _ = f.WriteString(keyfile.New()) // nobody may want it
			_ = f.Close()
		}
	}()
	n, err := keyfile.Rotate(path, -1)
	if info, stat := os.Lstat(path); err == nil || stat != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("Rotate = %d, %v, and left %v, %v; want the pipe", n, err, info, stat)
	}
	reader, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reader.Close() })
}
