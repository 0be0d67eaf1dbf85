package filestore_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/coatcheck/session/filestore"
)

func TestTouchKeepsTheLaterTimes(t *testing.T) {
	s, _ := newStore(t)
	create(t, s, record("id"))
	want := record("id")
	want.Version = 1
	for i, step := range []struct{ seen, expires time.Duration }{{5, 70}, {3, 90}, {9, 50}, {10, 91}, {1, 1}, {11, 92},
		{12, 93}} {
		touch(t, s, "id", 1, start.Add(step.seen*time.Minute), start.Add(step.expires*time.Minute))
		want.SeenAt = later(want.SeenAt, start.Add(step.seen*time.Minute))
		want.ExpiresAt = later(want.ExpiresAt, start.Add(step.expires*time.Minute))
		t.Run(fmt.Sprint("touch ", i), func(t *testing.T) { wantRecord(t, load(t, s, "id"), want) })
	}
	touch(t, s, "id", 1, start, time.Time{})
	touch(t, s, "id", 1, start, start.Add(1000*time.Hour))
	want.ExpiresAt = time.Time{} // never is later than everything
	wantRecord(t, load(t, s, "id"), want)
}

func TestTouchWithAnotherVersionChangesNothing(t *testing.T) {
	s, dir := newStore(t)
	create(t, s, record("id"))
	before := readFile(t, filepath.Join(dir, filestore.PathOf("id")))
	touch(t, s, "id", 2, start.Add(time.Hour), time.Time{})
	touch(t, s, "absent", 1, start.Add(time.Hour), time.Time{})
	if after := readFile(t, filepath.Join(dir, filestore.PathOf("id"))); after != before {
		t.Error("the file has changed")
	}
	if files := filesIn(t, filepath.Join(dir, "records")); len(files) != 2 {
		t.Errorf("there are %q, want the record and its lock", files)
	}
}

func TestASaveForgetsTheTouchesBeforeIt(t *testing.T) {
	s, _ := newStore(t)
	create(t, s, record("id"))
	touch(t, s, "id", 1, start.Add(time.Minute), start.Add(2*time.Hour))
	rec := record("id")
	rec.Version = 1
	create(t, s, rec)
	want := rec.Clone()
	want.Version = 2
	wantRecord(t, load(t, s, "id"), want)
}

// TestATornTouchLosesOnlyItself cuts and mixes the bytes of the last touch, as a crash or a reader in the middle of it
// may see them.
func TestATornTouchLosesOnlyItself(t *testing.T) {
	s, dir := newStore(t)
	create(t, s, record("id"))
	path := filepath.Join(dir, filestore.PathOf("id"))
	for i := range 6 {
		seen := start.Add(time.Duration(i+1) * time.Second)
		before := readFile(t, path)
		touch(t, s, "id", 1, seen, seen.Add(time.Hour))
		after := readFile(t, path)
		from, to := differs(before, after)
		for n := from; n <= to; n++ {
			for _, torn := range []string{after[:n] + before[n:], before[:n] + after[n:]} {
				writeFile(t, path, torn)
				got := load(t, s, "id").SeenAt
				if !got.Equal(seen) && !got.Equal(seen.Add(-time.Second)) {
					t.Errorf("torn touch %d shows the session at %v, want %v or a second less", i, got, seen)
				}
			}
		}
		writeFile(t, path, after)
	}
}

// TestATouchAfterATornOneTakesItsPlace sees that the good slot is not what the next touch overwrites.
func TestATouchAfterATornOneTakesItsPlace(t *testing.T) {
	s, dir := newStore(t)
	create(t, s, record("id"))
	path := filepath.Join(dir, filestore.PathOf("id"))
	touch(t, s, "id", 1, start.Add(1*time.Minute), start.Add(time.Hour))
	first := readFile(t, path)
	touch(t, s, "id", 1, start.Add(2*time.Minute), start.Add(time.Hour))
	second := readFile(t, path)
	from, _ := differs(first, second)
	writeFile(t, path, second[:from+1]+first[from+1:])
	before := readFile(t, path)
	touch(t, s, "id", 1, start.Add(3*time.Minute), start.Add(time.Hour))
	if at, to := differs(before, readFile(t, path)); at < from-8 || to > from+20 {
		t.Errorf("bytes %d to %d have changed, but the torn slot has byte %d", at, to, from)
	}
	if got := load(t, s, "id").SeenAt; !got.Equal(start.Add(3 * time.Minute)) {
		t.Errorf("seen at %v", got)
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// differs returns the range in which the two differ.
func differs(a, b string) (from, to int) {
	for from < len(a) && a[from] == b[from] {
		from++
	}
	for to = len(a); to > from && a[to-1] == b[to-1]; to-- {
	}
	return from, to
}
