//go:build linux

package servers

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestFoldersOfProgramsThatWereKilledAreRemoved(t *testing.T) {
	temp := t.TempDir()
	folder := func(name string, age time.Duration) string {
		t.Helper()
		dir := filepath.Join(temp, name)
		if err := os.MkdirAll(filepath.Join(dir, "data"), 0o700); err != nil {
			t.Fatal(err)
		}
		made := time.Now().Add(-age)
		if err := os.Chtimes(dir, made, made); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	abandoned := folder(folders+"redis-1", 2*time.Hour)
	kept := []string{
		folder(folders+"redis-2", 2*time.Hour), folder(folders+"redis-3", time.Minute), folder("other", 2*time.Hour),
	}
	live, err := os.Open(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	defer live.Close()
	if err := syscall.Flock(int(live.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	removeAbandoned(temp, time.Hour)
	if _, err := os.Stat(abandoned); !os.IsNotExist(err) {
		t.Errorf("the folder of a program that is gone: %v, want that it is not there", err)
	}
	for _, dir := range kept {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("a folder that is in use, young or not ours: %v", err)
		}
	}
}
