package filestore_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/filestore"
)

// plants are things that somebody, or a crash, put in the place of a record.
func plants() map[string]func(t *testing.T, path string) {
	return map[string]func(t *testing.T, path string){
		"an empty file": func(t *testing.T, path string) { writeFile(t, path, "") },
		"text":          func(t *testing.T, path string) { writeFile(t, path, `{"user":"root"}`) },
		"zeroes":        func(t *testing.T, path string) { writeFile(t, path, string(make([]byte, 500))) },
		"half a file": func(t *testing.T, path string) {
			writeFile(t, path, string(encode(t, record("id"))[:130]))
		},
		"the record of another id": func(t *testing.T, path string) {
			writeFile(t, path, string(encode(t, record("other"))))
		},
		"data that was changed": func(t *testing.T, path string) {
			file := encode(t, record("id"))
			writeFile(t, path, string(bytes.Replace(file, []byte("some"), []byte("same"), 1)))
		},
		"a huge file": func(t *testing.T, path string) {
			writeFile(t, path, string(encode(t, record("id"))))
			if err := os.Truncate(path, 1<<40); err != nil {
				t.Skip("this file system has no files with holes: ", err)
			}
		},
		"an empty folder": func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		},
	}
}

func TestWhatIsNoRecordOfOursIsCorruptAndStays(t *testing.T) {
	for name, plant := range plants() {
		t.Run(name, func(t *testing.T) {
			s, dir := newStore(t)
			create(t, s, record("id"))
			path := filepath.Join(dir, filestore.PathOf("id"))
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			plant(t, path)
			wantCorrupt(t, s, path)
		})
	}
}

// wantCorrupt checks every call on a file that cannot be read. Nothing but Delete removes or replaces it.
func wantCorrupt(t *testing.T, s *filestore.Store, path string) {
	t.Helper()
	before, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(t.Context(), "id"); !errors.Is(err, session.ErrCorrupt) || errors.Is(err, session.ErrNotFound) {
		t.Errorf("Load = %v, want ErrCorrupt", err)
	}
	for version := range uint64(3) {
		rec := record("id")
		rec.Version = version
		if err := s.Save(t.Context(), rec); !errors.Is(err, session.ErrCorrupt) {
			t.Errorf("Save with version %d = %v, want ErrCorrupt", version, err)
		}
	}
	wantUnlisted(t, s)
	after, err := os.Lstat(path)
	if err != nil || !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
		t.Errorf("the file did not stay as it was: %v", err)
	}
	remove(t, s, "id")
	if _, err := s.Load(t.Context(), "id"); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("Load after Delete = %v, want ErrNotFound", err)
	}
	create(t, s, record("id"))
}

func wantUnlisted(t *testing.T, s *filestore.Store) {
	t.Helper()
	create(t, s, record("another"))
	recs, err := s.Page(t.Context(), "", 10)
	if ids := idsOf(recs); err != nil || len(ids) > 1 && ids[0] == ids[1] {
		t.Errorf("Page = %q, %v", ids, err)
	}
	if n, err := s.Sweep(t.Context(), start, 10); n != 0 || err != nil {
		t.Errorf("Sweep = %d, %v, want 0", n, err)
	}
	byUser(t, s, "user")
}

// TestATruncatedRecordNeverLoads goes through every length, on the disk.
func TestATruncatedRecordNeverLoads(t *testing.T) {
	s, dir := newStore(t)
	create(t, s, record("id"))
	path := filepath.Join(dir, filestore.PathOf("id"))
	whole := readFile(t, path)
	for n := range len(whole) {
		writeFile(t, path, whole[:n])
		if _, err := s.Load(t.Context(), "id"); !errors.Is(err, session.ErrCorrupt) {
			t.Errorf("Load of the first %d bytes = %v, want ErrCorrupt", n, err)
		}
		if err := s.Touch(t.Context(), "id", 1, start, start); err != nil && !errors.Is(err, session.ErrCorrupt) {
			t.Errorf("Touch of the first %d bytes = %v, want ErrCorrupt", n, err)
		}
	}
}

func TestAForeignFileIsNeitherListedNorSwept(t *testing.T) {
	s, dir := newStore(t)
	rec := record("id")
	create(t, s, rec)
	shelf := filepath.Dir(filepath.Join(dir, filestore.PathOf("id")))
	strays := []string{".nfs0001", "README", filepath.Base(filestore.PathOf("elsewhere"))}
	for _, name := range strays {
		writeFile(t, filepath.Join(shelf, name), string(encode(t, record("elsewhere"))))
	}
	if recs, err := s.Page(t.Context(), "", 10); len(recs) != 1 || err != nil {
		t.Errorf("Page = %v, %v, want one record", recs, err)
	}
	if n, err := s.Sweep(t.Context(), rec.ExpiresAt.Add(1e9), 10); n != 1 || err != nil {
		t.Errorf("Sweep = %d, %v, want 1", n, err)
	}
	for _, name := range strays {
		if _, err := os.Stat(filepath.Join(shelf, name)); err != nil {
			t.Error(err)
		}
	}
}
