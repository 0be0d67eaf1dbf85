package filestore_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session/filestore"
)

// Shelves are swept together, and some of what is due in them turns out to be in use: the limit is kept, and a sweep
// that stays below it has left nothing.
func TestASweepOfManyShelvesKeepsToItsLimit(t *testing.T) {
	for _, limit := range []int{1, 7, 64, 119, 120, 121, 1 << 30} {
		s, _ := quickStore(t)
		for i := range 240 {
			id := fmt.Sprint(i)
			create(t, s, nobodys(id))
			if i%2 == 1 {
				touch(t, s, id, 1, start, start.Add(5*time.Hour))
			}
		}
		removed, n := 0, limit
		for n == limit {
			n = sweep(t, s, start.Add(2*time.Hour), limit)
			removed += n
			if left := len(page(t, s, "", 1000)); n > limit || removed+left != 240 {
				t.Fatalf("limit %d: Sweep = %d, and after %d removed %d of 240 are left", limit, n, removed, left)
			}
		}
		if removed != 120 {
			t.Errorf("limit %d: %d were removed, want the 120 that are not in use", limit, removed)
		}
	}
}

// One shelf that cannot be locked is told of, and keeps the sweep neither from those beside it nor from counting them.
func TestASweepRemovesWhatLiesBesideAShelfThatFails(t *testing.T) {
	s, dir := newStore(t)
	for i := range 200 {
		create(t, s, nobodys(fmt.Sprint(i)))
	}
	bad := filepath.Dir(filestore.PathOf("7"))
	inBad := 0
	for i := range 200 {
		if filepath.Dir(filestore.PathOf(fmt.Sprint(i))) == bad {
			inBad++
		}
	}
	lock := filepath.Join(dir, bad, "lock")
	if err := os.Remove(lock); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(lock, 0o700); err != nil {
		t.Fatal(err)
	}
	late, removed, told := start.Add(2*time.Hour), 0, 0
	for range 3 {
		n, err := s.Sweep(t.Context(), late, 1000)
		removed += n
		if err != nil && strings.Contains(err.Error(), filepath.ToSlash(bad)) {
			told++
		}
		if left := len(page(t, s, "", 1000)); removed+left != 200 {
			t.Fatalf("%d were removed, and %d of 200 are left", removed, left)
		}
	}
	if removed != 200-inBad || told == 0 {
		t.Errorf("%d were removed, want all but %d; the bad shelf was told of %d times", removed, inBad, told)
	}
	if err := os.Remove(lock); err != nil {
		t.Fatal(err)
	}
	if n := sweepAll(t, s, late); n != inBad {
		t.Errorf("%d were removed once the shelf could be locked, want %d", n, inBad)
	}
}

// Each user has a folder of marks, and a sweep of several shelves removes all of theirs.
func TestASweepOfManyShelvesLeavesNoMark(t *testing.T) {
	s, dir := newStore(t)
	for i := range 40 {
		rec := record(fmt.Sprint(i))
		rec.User = fmt.Sprint("user ", i/2)
		create(t, s, rec)
	}
	if n := sweep(t, s, start.Add(2*time.Hour), 40); n != 40 {
		t.Fatalf("Sweep = %d, want 40", n)
	}
	if marks := filesIn(t, filepath.Join(dir, "users")); len(marks) != 0 {
		t.Errorf("the marks %q are left", marks)
	}
}
