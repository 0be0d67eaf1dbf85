package filestore_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/filestore"
)

// duesIn returns the files that say when records are due.
func duesIn(t testing.TB, dir string) (paths []string) {
	t.Helper()
	for _, name := range filesIn(t, filepath.Join(dir, "records")) {
		if filepath.Base(name) == "due" || filepath.Base(name) == "full" {
			paths = append(paths, filepath.Join(dir, "records", name))
		}
	}
	return paths
}

// quickStore waits for no disk.
func quickStore(t testing.TB) (*filestore.Store, string) {
	t.Helper()
	_, dir := newStore(t)
	return reopen(t, dir, filestore.Options{NoSync: true}), dir
}

// nobodys is a record in no list, for that of a user waits for the disk.
func nobodys(id string) *session.Record {
	rec := record(id)
	rec.User = ""
	return rec
}

// crowd makes records of which those with an odd number expire an hour before the others, and the files of what is due.
func crowd(t testing.TB, s *filestore.Store, n int) {
	t.Helper()
	sweep(t, s, start.Add(-time.Hour), 1)
	for i := range n {
		rec := nobodys(fmt.Sprint(i))
		rec.ExpiresAt = start.Add(time.Duration(2-i%2) * time.Hour)
		create(t, s, rec)
	}
	sweep(t, s, start.Add(-time.Hour), 1)
}

// sweepAll sweeps until nothing is left, as a manager does, and some times more, as it does later.
func sweepAll(t testing.TB, s *filestore.Store, before time.Time) (removed int) {
	t.Helper()
	for range 8 {
		removed += sweep(t, s, before, 1000)
	}
	return removed
}

// dueDamages are what crashes, backups and people do to a file of what is due.
func dueDamages() map[string]func(t *testing.T, path string) {
	change := func(fn func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) { writeFile(t, path, string(fn([]byte(readFile(t, path))))) }
	}
	return map[string]func(t *testing.T, path string){
		"it stays": func(*testing.T, string) {},
		"lost": func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		},
		"empty":                      change(func([]byte) []byte { return nil }),
		"text":                       change(func([]byte) []byte { return []byte("due: tomorrow") }),
		"zeroes":                     change(func(b []byte) []byte { return make([]byte, len(b)) }),
		"torn":                       change(func(b []byte) []byte { return b[:max(len(b)-7, 0)] }),
		"torn at its front":          change(func(b []byte) []byte { return b[:5] }),
		"half of it":                 change(func(b []byte) []byte { return b[:8+44*((len(b)-8)/88)] }),
		"of before":                  change(func(b []byte) []byte { return b[:8] }),
		"with a bit that is flipped": change(func(b []byte) []byte { b[len(b)/2] ^= 1; return b }),
		"twice":                      change(func(b []byte) []byte { return append(b, b[8:]...) }),
		"half made":                  change(func(b []byte) []byte { b[7] = 0; return b[:8] }),
		"of a newer version":         change(func(b []byte) []byte { b[7] = 9; return b }),
		"huge": func(t *testing.T, path string) {
			if err := os.Truncate(path, 1<<40); err != nil {
				t.Skip("this file system has no files with holes: ", err)
			}
		},
		"a folder": func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
			writeFile(t, filepath.Join(path, "full"), "")
		},
	}
}

// Each shelf has one of the damages. Which one it was that hid a record is told.
func TestASweepFindsWhatIsDueWhateverBecameOfItsFiles(t *testing.T) {
	s, dir := quickStore(t)
	crowd(t, s, 2000)
	damages, damaged := dueDamages(), map[string]string{}
	kinds := slices.Sorted(maps.Keys(damages))
	for i, path := range duesIn(t, dir) {
		kind := kinds[i%len(kinds)]
		damages[kind](t, path)
		damaged[filepath.Dir(path)] = kind
	}
	if n := sweepAll(t, reopen(t, dir, filestore.Options{NoSync: true}), start.Add(time.Hour)); n != 0 {
		t.Fatalf("%d records were removed before their time", n)
	}
	rec := nobodys("0") // with the file as it is now
	rec.Version, rec.ExpiresAt = 1, start.Add(4*time.Hour)
	create(t, s, rec)
	create(t, s, nobodys("new"))
	for _, due := range []struct {
		after time.Duration
		n     int
		what  string
	}{
		{90 * time.Minute, 1001, "the 1000 that had expired and the new one"},
		{3 * time.Hour, 999, "those that were left to expire"},
		{5 * time.Hour, 1, "the one that was saved again"},
	} {
		if n := sweepAll(t, s, start.Add(due.after)); n != due.n {
			t.Errorf("%d records were removed after %v, want %s", n, due.after, due.what)
		}
	}
	for _, id := range page(t, s, "", 1000) {
		shelf := filepath.Dir(filepath.Join(dir, filestore.PathOf(id)))
		t.Errorf("a record stays on a shelf whose file of what is due was damaged: %s", damaged[shelf])
	}
}

// Whoever may write to the folder may claim what he likes. A record goes for what stands in itself, and stays for no
// longer than that.
func TestWhatAFileOfDueClaimsIsNotBelieved(t *testing.T) {
	s, dir := quickStore(t)
	crowd(t, s, 200)
	for claim, at := range map[string]time.Time{
		"everything is due": start, "nothing is due": start.Add(1e6 * time.Hour),
	} {
		for _, path := range duesIn(t, dir) {
			writeFile(t, path, string(filestore.DueAt([]byte(readFile(t, path)), at)))
		}
		if n := sweepAll(t, s, start.Add(time.Hour)); n != 0 {
			t.Errorf("when a file says that %s, %d records were removed before their time", claim, n)
		}
	}
	if n := sweepAll(t, s, start.Add(90*time.Minute)); n != 100 {
		t.Errorf("%d records were removed, want 100", n)
	}
}

// A record whose entry was lost is met by a sweep that has nothing else to do, however many there are.
func TestSweepsFindMoreThanTheyLookAtInOneGo(t *testing.T) {
	s, dir := quickStore(t)
	crowd(t, s, 1500)
	for _, path := range duesIn(t, dir) {
		writeFile(t, path, readFile(t, path)[:8])
	}
	removed := 0
	for range 16 {
		removed += sweep(t, s, start.Add(90*time.Minute), 1000)
	}
	if removed != 750 {
		t.Errorf("%d records were removed by 16 sweeps, want 750", removed)
	}
}

func TestASaveNeedsNoFileOfWhatIsDue(t *testing.T) {
	s, dir := quickStore(t)
	crowd(t, s, 200)
	for _, path := range duesIn(t, dir) {
		dueDamages()["a folder"](t, path)
	}
	for i := range 200 {
		rec := nobodys(fmt.Sprint(i))
		rec.Version, rec.ExpiresAt = 1, start
		create(t, s, rec)
	}
	if n := sweepAll(t, s, start.Add(time.Microsecond)); n != 200 {
		t.Errorf("%d records were removed, want 200", n)
	}
}

// An end moves to later without a word, and a sweep that meets the record sees it.
func TestASweepKeepsWhatWasUsedMeanwhile(t *testing.T) {
	s, dir := quickStore(t)
	crowd(t, s, 200)
	other := reopen(t, dir, filestore.Options{NoSync: true})
	size := func() (n int) {
		for _, path := range duesIn(t, dir) {
			n += len(readFile(t, path))
		}
		return n
	}
	before := size()
	for i := range 100 {
		touch(t, s, fmt.Sprint(i), 1, start, start.Add(5*time.Hour))
		rec := nobodys(fmt.Sprint(100 + i))
		rec.Version, rec.ExpiresAt = 1, start.Add(5*time.Hour)
		create(t, other, rec)
	}
	if after := size(); after != before {
		t.Errorf("what is due has %d bytes, want %d as before", after, before)
	}
	if n := sweepAll(t, other, start.Add(5*time.Hour)); n != 0 {
		t.Errorf("%d records in use were removed", n)
	}
	for i := range 50 { // to earlier, and to never
		rec := nobodys(fmt.Sprint(100 + i))
		rec.Version, rec.ExpiresAt = 2, start.Add(time.Duration(i%2)*2*time.Hour)
		if i%2 == 0 {
			rec.ExpiresAt = time.Time{}
		}
		create(t, s, rec)
	}
	for _, step := range []struct {
		before time.Time
		want   int
	}{{start.Add(3 * time.Hour), 25}, {start.Add(5 * time.Hour), 0}, {start.Add(6 * time.Hour), 150}} {
		if n := sweepAll(t, other, step.before); n != step.want {
			t.Errorf("Sweep(%v) = %d, want %d", step.before, n, step.want)
		}
	}
}

// Two processes sweep, while a third makes records: nothing is removed twice, before its time, or not at all.
func TestSweepersOfOneFolderAgree(t *testing.T) {
	s, dir := quickStore(t)
	crowd(t, s, 400)
	var removed atomic.Int64
	var all sync.WaitGroup
	for range 3 {
		other := reopen(t, dir, filestore.Options{NoSync: true})
		all.Go(func() {
			for range 10 {
				n, err := other.Sweep(t.Context(), start.Add(90*time.Minute), 50)
				if err != nil {
					t.Error(err)
				}
				removed.Add(int64(n))
			}
		})
	}
	all.Go(func() {
		for i := range 300 {
			rec := nobodys(fmt.Sprint("more ", i))
			rec.ExpiresAt = start.Add(2 * time.Hour)
			create(t, s, rec)
		}
	})
	all.Wait()
	removed.Add(int64(sweepAll(t, s, start.Add(90*time.Minute))))
	if n := removed.Load(); n != 200 {
		t.Errorf("%d records were removed, want 200", n)
	}
	for _, path := range duesIn(t, dir) {
		if !bytes.HasPrefix([]byte(readFile(t, path)), []byte("coatdue\x01")) {
			t.Errorf("%s was not finished", path)
		}
	}
	if n := sweepAll(t, s, start.Add(3*time.Hour)); n != 500 {
		t.Errorf("%d records were removed at last, want 500", n)
	}
}

// Sessions that ended by a logout long before their time leave no trace for all that time.
func TestWhatEndedEarlyIsForgottenEarly(t *testing.T) {
	s, dir := quickStore(t)
	crowd(t, s, 10)
	for i := range 3000 {
		id := fmt.Sprint("late ", i%7)
		rec := nobodys(id)
		rec.ExpiresAt = start.Add(1e4 * time.Hour)
		create(t, s, rec)
		remove(t, s, id)
		if i == 7 { // from here on the files are there
			sweepAll(t, s, start)
		}
	}
	sweepAll(t, s, start)
	size := 0
	for _, path := range duesIn(t, dir) {
		size += len(readFile(t, path))
	}
	if size > 8*300*44 {
		t.Errorf("the files of what is due have %d bytes for ten records", size)
	}
}

func FuzzDue(f *testing.F) {
	f.Add([]byte("coatdue\x01"))
	f.Add([]byte("coatdue\x00" + strings.Repeat("x", 44)))
	f.Add(filestore.DueOf("a", start))
	f.Fuzz(func(t *testing.T, file []byte) {
		again, whole := filestore.Redue(file)
		if whole && !bytes.Equal(again, file) {
			t.Errorf("%q is whole, and written again it is %q", file, again)
		}
		if more, ok := filestore.Redue(again); !ok || !bytes.Equal(more, again) {
			t.Errorf("what was written is not read as it was")
		}
	})
}
