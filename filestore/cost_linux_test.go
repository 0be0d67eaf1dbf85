package filestore_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestRoundTrips counts, at the kernel, how often a call reads and writes files. It takes many calls, since the test
// binary reads a little by itself.
func TestRoundTrips(t *testing.T) {
	s, _ := newStore(t)
	rec := record("id")
	create(t, s, rec)
	wantCost(t, "a read", 1, 0, func(int) { load(t, s, "id") })
	wantCost(t, "a touch", 1, 1, func(i int) { touch(t, s, "id", 1, start.Add(time.Duration(i+1)*time.Second), start) })
	wantCost(t, "a save", 1, 1, func(int) {
		rec.Version++
		create(t, s, rec)
	})
	wantCost(t, "a first save", 0, 1, func(i int) {
		rec := record(fmt.Sprint("new ", i))
		create(t, s, rec)
	})
}

// A sweep reads what may have expired, and a few hundred other records, however many there are.
func TestASweepReadsWhatIsDue(t *testing.T) {
	s, _ := quickStore(t)
	crowd(t, s, 3000)
	for i := range 10 {
		rec := nobodys(fmt.Sprint("due ", i))
		rec.ExpiresAt = start
		create(t, s, rec)
	}
	before, _ := ioCalls(t)
	if n := sweep(t, s, start.Add(time.Minute), 1000); n != 10 {
		t.Errorf("Sweep = %d, want 10", n)
	}
	after, _ := ioCalls(t)
	if n := after - before; n > 600 {
		t.Errorf("a sweep of 10 among 3010 records reads %d times", n)
	}
}

func wantCost(t *testing.T, name string, reads, writes int, call func(i int)) {
	t.Helper()
	const calls = 200
	readsBefore, writesBefore := ioCalls(t)
	for i := range calls {
		call(i)
	}
	readsAfter, writesAfter := ioCalls(t)
	if r, w := (readsAfter-readsBefore)/calls, (writesAfter-writesBefore)/calls; r != reads || w != writes {
		t.Errorf("%s reads %d and writes %d times, want %d and %d", name, r, w, reads, writes)
	}
}

// ioCalls returns how often this process has called read and write, and the like.
func ioCalls(t *testing.T) (reads, writes int) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		_, _ = fmt.Sscanf(line, "syscr: %d", &reads)
		_, _ = fmt.Sscanf(line, "syscw: %d", &writes)
	}
	return reads, writes
}
