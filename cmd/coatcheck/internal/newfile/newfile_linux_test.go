package newfile_test

import (
	"errors"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/coatcheck/session/cmd/coatcheck/internal/newfile"
)

// limit keeps this process from writing more than so many bytes to a file, as a full disk does.
func limit(t *testing.T, bytes uint64) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Error(err)
		}
		signal.Reset(syscall.SIGXFSZ)
	})
}

func TestAFileThatDoesNotFitLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "session.yaml")
	limit(t, 4)
	if err := newfile.Write(path, "store: file\n", 0o600); err == nil {
		t.Error("a file that was cut off is no error")
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("half of the file is there: %v", err)
	}
}
