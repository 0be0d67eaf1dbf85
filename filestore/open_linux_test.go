package filestore_test

import (
	"fmt"
	"os"
	"testing"
)

// A process has a few thousand files, and a site may have as many users.
func TestASweepLeavesNoFolderOpen(t *testing.T) {
	s, _ := newStore(t)
	const users = 60
	for i := range users {
		if err := s.Mark(fmt.Sprint("user ", i), "gone"); err != nil {
			t.Fatal(err)
		}
	}
	sweep(t, s, start, 10) // opens what stays open
	before := openFiles(t)
	for i := range users {
		if err := s.Mark(fmt.Sprint("user ", i), "gone"); err != nil {
			t.Fatal(err)
		}
	}
	sweep(t, s, start, 10)
	if now := openFiles(t); now > before+users/2 {
		t.Errorf("%d files are open, %d before", now, before)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
