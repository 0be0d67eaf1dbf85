package atomicfile_test

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestAFileThatAnotherProgramHoldsForAMomentIsReplacedAndRemoved(t *testing.T) {
	dir, path := open(t)
	write(t, dir, "f", "old")
	holdFor(t, 50*time.Millisecond, filepath.Join(path, "f"))
	write(t, dir, "f", "new")
	holdFor(t, 50*time.Millisecond, filepath.Join(path, "f"))
	if err := dir.Remove("f"); err != nil {
		t.Error(err)
	}
}

// holdFor opens the file, as a scanner does, without leave for others to replace or remove it.
func holdFor(t *testing.T, d time.Duration, path string) {
	t.Helper()
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		t.Fatal(err)
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ, syscall.FILE_SHARE_READ, nil, syscall.OPEN_EXISTING, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(d, func() { _ = syscall.CloseHandle(h) })
}
