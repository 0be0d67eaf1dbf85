package filestore_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/filestore"
)

func TestSweepRemovesWhatExpiredBeforeTheTimeGiven(t *testing.T) {
	s, _ := newStore(t)
	for id, expires := range map[string]time.Time{
		"before": start.Add(-time.Microsecond), "at": start, "within": start.Add(300),
		"after": start.Add(time.Microsecond),
		"never": {},
	} {
		rec := record(id)
		rec.ExpiresAt = expires
		create(t, s, rec)
	}
	for _, step := range []struct {
		before time.Time
		want   int
	}{{start, 1}, {start, 0}, {start.Add(500), 0}, {start.Add(time.Microsecond), 2}, {start.Add(1e6 * time.Hour), 1}} {
		if n := sweep(t, s, step.before, 10); n != step.want {
			t.Errorf("Sweep(%v) = %d, want %d", step.before, n, step.want)
		}
	}
	if ids := page(t, s, "", 10); !slices.Equal(ids, []string{"never"}) {
		t.Errorf("left are %q, want only the one that never expires", ids)
	}
	if ids := byUser(t, s, "user"); !slices.Equal(ids, []string{"never"}) {
		t.Errorf("ByUser = %q, want only the one that never expires", ids)
	}
}

func TestSweepSparesWhatWasTouched(t *testing.T) {
	s, _ := newStore(t)
	create(t, s, record("id"))
	touch(t, s, "id", 1, start, start.Add(3*time.Hour))
	if n := sweep(t, s, start.Add(2*time.Hour), 10); n != 0 {
		t.Errorf("Sweep = %d, want 0", n)
	}
	if n := sweep(t, s, start.Add(4*time.Hour), 10); n != 1 {
		t.Errorf("Sweep = %d, want 1", n)
	}
}

// TestSweepGoesOnWhereItStopped: each batch takes the next in order, although there are expired ones again behind it.
func TestSweepGoesOnWhereItStopped(t *testing.T) {
	s, dir := newStore(t)
	for i := range 300 {
		create(t, s, record(fmt.Sprint(i)))
	}
	order := page(t, s, "", 300)
	late := start.Add(2 * time.Hour)
	for i := range 3 {
		if n := sweep(t, s, late, 100); n != 100 {
			t.Fatalf("Sweep = %d, want 100", n)
		}
		create(t, s, record(order[i]))
		want := slices.Concat(order[:i+1], order[(i+1)*100:])
		if left := page(t, s, "", 300); !slices.Equal(left, want) {
			t.Fatalf("batch %d did not take the next 100 in order", i)
		}
	}
	// A store that has just been opened begins at the beginning.
	sweep(t, reopen(t, dir, filestore.Options{}), late, 1)
	if ids := page(t, s, "", 9); !slices.Equal(ids, order[1:3]) {
		t.Errorf("left are %q, want %q", ids, order[1:3])
	}
}

func TestSweepFindsWhatLiesBehind(t *testing.T) {
	s, _ := newStore(t)
	for i := range 50 {
		create(t, s, record(fmt.Sprint(i)))
	}
	order := page(t, s, "", 50)
	late := start.Add(2 * time.Hour)
	sweep(t, s, late, 30)
	for _, id := range order[:10] {
		create(t, s, record(id))
	}
	if n := sweep(t, s, late, 31); n != 30 {
		t.Errorf("Sweep = %d, want 20 that are ahead and 10 that are behind", n)
	}
}

func TestSweepWithoutALimitRemovesNothing(t *testing.T) {
	s, _ := newStore(t)
	create(t, s, record("id"))
	for _, limit := range []int{0, -1} {
		if n := sweep(t, s, start.Add(2*time.Hour), limit); n != 0 {
			t.Errorf("Sweep with limit %d = %d", limit, n)
		}
	}
}

// What a crash leaves goes, what a writer is at work on stays.
func TestSweepRemovesTheTempFilesOfACrash(t *testing.T) {
	s, dir := newStore(t)
	create(t, s, record("id"))
	temp := filepath.Join(dir, filestore.PathOf("id")+".tmp")
	writeFile(t, temp, "half")
	sweep(t, s, start, 10)
	if _, err := os.Stat(temp); err == nil {
		t.Error("the abandoned file is still there")
	}
	if got := load(t, s, "id"); got.Version != 1 {
		t.Errorf("the record has version %d", got.Version)
	}
}

func TestSweepWaitsForTheWriterOfATempFile(t *testing.T) {
	s, dir := newStore(t)
	release := hold(t, s, "id")
	path := filepath.Join(dir, filestore.PathOf("id"))
	writeFile(t, path+".tmp", string(encode(t, record("id"))))
	wait := background(t, func(ctx context.Context) error {
		_, err := s.Sweep(ctx, start, 10)
		return err
	})
	if err := os.Rename(path+".tmp", path); err != nil {
		t.Errorf("the sweep took the file of a writer at work: %v", err)
	}
	release()
	wait()
	load(t, s, "id")
}

// TestSweepLooksAgainUnderTheLock touches a record between the moment at which a sweep finds it expired and its
// removal.
func TestSweepLooksAgainUnderTheLock(t *testing.T) {
	s, dir := newStore(t)
	create(t, s, record("id"))
	release := hold(t, s, "id")
	wait := background(t, func(ctx context.Context) error {
		n, err := s.Sweep(ctx, start.Add(2*time.Hour), 10)
		if n != 0 {
			t.Errorf("Sweep = %d, want 0", n)
		}
		return err
	})
	rec := record("id")
	rec.ExpiresAt = start.Add(3 * time.Hour)
	writeFile(t, filepath.Join(dir, filestore.PathOf("id")), string(encode(t, rec)))
	release()
	wait()
	if got := load(t, s, "id"); !got.ExpiresAt.Equal(rec.ExpiresAt) {
		t.Errorf("it expires at %v, want %v", got.ExpiresAt, rec.ExpiresAt)
	}
}

func TestSweepRemovesMarksThatLeadNowhere(t *testing.T) {
	s, dir := newStore(t)
	create(t, s, record("id"))
	for _, id := range []string{"gone", "id"} {
		if err := s.Mark("user", id); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, filepath.Join(dir, "users", "README"), "not ours")
	sweep(t, s, start, 10)
	marks := filesIn(t, filepath.Join(dir, "users"))
	if len(marks) != 2 || filepath.Join("users", marks[0]) != filepath.FromSlash(filestore.MarkOf("user", "id")) {
		t.Errorf("the marks are %q, want that of the session", marks)
	}
}

// A folder that cannot be read is told of, and the sweeps get past it.
func TestSweepGoesPastAFolderThatIsNone(t *testing.T) {
	s, dir := newStore(t)
	shelves := map[string]bool{}
	for i := range 100 {
		create(t, s, record(fmt.Sprint(i)))
		shelves[filepath.Base(filepath.Dir(filestore.PathOf(fmt.Sprint(i))))] = true
	}
	for i := range 256 {
		if name := fmt.Sprintf("%02x", i); !shelves[name] && i%3 == 0 {
			writeFile(t, filepath.Join(dir, "records", name), "not ours")
		}
	}
	told, removed := 0, 0
	for range 256 {
		n, err := s.Sweep(t.Context(), start.Add(2*time.Hour), 200)
		removed += n
		if err != nil {
			told++
		}
	}
	if removed != 100 || told == 0 {
		t.Errorf("the sweeps removed %d records and told of a bad folder %d times, want 100 and some", removed, told)
	}
}

func TestSweepGoesPastAFolderOfMarksThatIsNone(t *testing.T) {
	s, dir := newStore(t)
	for _, id := range []string{"a", "b", "c", "d"} {
		if err := s.Mark(id, id); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"000", "zzz", "0AB"} {
		writeFile(t, filepath.Join(dir, "users", name), "not ours")
	}
	if _, err := s.Sweep(t.Context(), start, 10); err == nil || !strings.Contains(err.Error(), "users/000") {
		t.Errorf("Sweep = %v, want an error that names users/000", err)
	}
	if marks := filesIn(t, filepath.Join(dir, "users")); len(marks) != 3 {
		t.Errorf("left are %q, want what is not ours alone", marks)
	}
}

func TestPagesAreInOneOrderAndShowEachRecordOnce(t *testing.T) {
	s, _ := newStore(t)
	const n = 700 // more than there are shelves
	for i := range n {
		rec := record(fmt.Sprint(i))
		rec.User, rec.Kind = "", session.RecordKind(i%3)
		create(t, s, rec)
	}
	all := page(t, s, "", n+1)
	if len(all) != n {
		t.Fatalf("there are %d records, want %d", len(all), n)
	}
	for _, limit := range []int{1, 7, 256, n} {
		var walked []string
		for after := ""; ; {
			ids := page(t, s, after, limit)
			walked = append(walked, ids...)
			if len(ids) < limit {
				break
			}
			after = ids[len(ids)-1]
		}
		if !slices.Equal(walked, all) {
			t.Errorf("in pages of %d there are %d records in another order, want %d", limit, len(walked), n)
		}
	}
	remove(t, s, all[99])
	if ids := page(t, s, all[99], 5); !slices.Equal(ids, all[100:105]) {
		t.Errorf("after an id that is gone come %q, want %q", ids, all[100:105])
	}
}

func TestListsShowNoData(t *testing.T) {
	s, _ := newStore(t)
	create(t, s, record("id"))
	pages, _ := s.Page(t.Context(), "", 1)
	users, _ := s.ByUser(t.Context(), "user")
	for _, recs := range [][]*session.Record{pages, users} {
		if len(recs) != 1 || recs[0].Data != nil {
			t.Errorf("the list is %v, want one record without data", recs)
		}
	}
}

// meddling is a context that calls a function each time somebody asks whether it has ended.
type meddling struct {
	context.Context
	do func()
}

func (c meddling) Err() error {
	c.do()
	return c.Context.Err()
}

// Between the removal of a record and that of its mark the disk works, and somebody may save the session again.
func TestASessionThatIsSavedAgainDuringASweepIsListed(t *testing.T) {
	s, _ := newStore(t)
	create(t, s, record("id"))
	again := false
	ctx := meddling{t.Context(), func() {
		if _, err := s.Load(t.Context(), "id"); err != nil && !again {
			again = true
			rec := record("id")
			rec.ExpiresAt = start.Add(3 * time.Hour)
			create(t, s, rec)
		}
	}}
	if n, err := s.Sweep(ctx, start.Add(2*time.Hour), 10); n != 1 || err != nil || !again {
		t.Fatalf("Sweep = %d, %v, and it was saved again: %v; want 1, nil, true", n, err, again)
	}
	if ids := byUser(t, s, "user"); !slices.Equal(ids, []string{"id"}) {
		t.Errorf("ByUser = %q, want the session that was saved again", ids)
	}
}
