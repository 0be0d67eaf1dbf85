//go:build unix

package filestore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/filestore"
)

// The links and pipes lead to copies that would load if they were followed or waited for.
func TestLinksAndPipesAreCorrupt(t *testing.T) {
	for name, plant := range map[string]func(copy, path string) error{
		"a symlink out of the folder": func(copy, path string) error {
			return os.Symlink(copy, path)
		},
		"a symlink within the folder": func(copy, path string) error {
			if err := os.Link(copy, path+".real"); err != nil {
				return err
			}
			return errors.Join(os.Remove(copy), os.Symlink(filepath.Base(path)+".real", path))
		},
		"a dangling symlink": func(_, path string) error { return os.Symlink("nowhere", path) },
		"a pipe":             func(_, path string) error { return syscall.Mkfifo(path, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := newStore(t)
			create(t, s, record("id"))
			path := filepath.Join(dir, filestore.PathOf("id"))
			outside := filepath.Join(filepath.Dir(dir), "copy")
			writeFile(t, outside, readFile(t, path))
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if err := plant(outside, path); err != nil {
				t.Fatal(err)
			}
			wantCorrupt(t, s, path)
			if name != "a symlink within the folder" && readFile(t, outside) != string(encode(t, record("id"))) {
				t.Error("the file outside has changed")
			}
		})
	}
}

// A tool that saves room by hard links gives a record a second name. Nobody is signed out by that, nobody is missed in
// a list, and the session can be ended.
func TestARecordWithASecondNameIsAnOutage(t *testing.T) {
	s, dir := newStore(t)
	rec := record("id")
	rec.User = "ada"
	create(t, s, rec)
	second := filepath.Join(filepath.Dir(dir), "copy")
	if err := os.Link(filepath.Join(dir, filestore.PathOf("id")), second); err != nil {
		t.Fatal(err)
	}
	next := record("id")
	next.Version = 1
	_, loadErr := s.Load(t.Context(), "id")
	_, userErr := s.ByUser(t.Context(), "ada")
	_, pageErr := s.Page(t.Context(), "", 10)
	for call, err := range map[string]error{
		"Load": loadErr, "ByUser": userErr, "Page": pageErr, "Save": s.Save(t.Context(), next),
	} {
		if err == nil || errors.Is(err, session.ErrCorrupt) || errors.Is(err, session.ErrNotFound) {
			t.Errorf("%s = %v, want an outage", call, err)
		}
	}
	if err := os.Remove(second); err != nil {
		t.Fatal(err)
	}
	if recs, err := s.ByUser(t.Context(), "ada"); len(recs) != 1 || err != nil {
		t.Errorf("ByUser without the copy = %v, %v", recs, err)
	}
	if err := os.Link(filepath.Join(dir, filestore.PathOf("id")), second); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), "id"); err != nil {
		t.Errorf("Delete = %v", err)
	}
	if _, err := s.Load(t.Context(), "id"); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("Load after the delete = %v, want ErrNotFound", err)
	}
}

// A copy of the whole folder by hard links gives a second name to the locks, too. Until it is removed, all calls fail.
func TestALockWithASecondNameIsAnOutage(t *testing.T) {
	s, dir := newStore(t)
	create(t, s, record("id"))
	lock := filepath.Join(dir, filepath.Dir(filestore.PathOf("id")), "lock")
	second := filepath.Join(filepath.Dir(dir), "copy")
	if err := os.Link(lock, second); err != nil {
		t.Fatal(err)
	}
	next := record("id")
	next.Version = 1
	for call, err := range map[string]error{"Save": s.Save(t.Context(), next), "Delete": s.Delete(t.Context(), "id")} {
		if err == nil || errors.Is(err, session.ErrNotFound) || !strings.Contains(err.Error(), "remove the copy") {
			t.Errorf("%s = %v, want an outage and what to do", call, err)
		}
	}
	if err := os.Remove(second); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Save(t.Context(), next), s.Delete(t.Context(), "id")); err != nil {
		t.Errorf("without the copy: %v", err)
	}
}

// The umask of this test takes nothing away, so that the modes are those that were asked for.
func TestFoldersAndFilesAreForTheOwnerAlone(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	s, dir := newStore(t)
	for _, id := range []string{"a", "b"} {
		create(t, s, record(id))
		rec := record(id)
		rec.Version = 1
		create(t, s, rec)
		touch(t, s, id, 2, start.Add(1e9), start)
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		want := os.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if err == nil && fi.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, fi.Mode().Perm(), want)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAFolderThatOthersMayWriteIsRefused(t *testing.T) {
	s, dir := newStore(t)
	create(t, s, record("id"))
	for _, below := range []string{"", "records", filepath.Dir(filestore.PathOf("id"))} {
		path := filepath.Join(dir, below)
		if err := os.Chmod(path, 0o770); err != nil {
			t.Fatal(err)
		}
		err := openAndLoad(dir)
		if err == nil || errors.Is(err, session.ErrNotFound) || !strings.Contains(err.Error(), "write permission") {
			t.Errorf("with %q open to the group: %v, want a refusal", below, err)
		}
		if err := os.Chmod(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := openAndLoad(dir); err != nil {
		t.Error(err)
	}
}

func openAndLoad(dir string) error {
	s, err := filestore.New(dir, filestore.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = s.Load(context.Background(), "id")
	return err
}

// An outage logs nobody out: a folder that has been removed, or whose disk is gone, is not one without sessions.
func TestAFolderThatIsGoneIsNoMissingSession(t *testing.T) {
	s, dir := newStore(t)
	create(t, s, record("id"))
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for name, call := range calls(s) {
		for _, id := range []string{"id", "never there"} {
			err := call(t.Context(), id)
			if err == nil || errors.Is(err, session.ErrNotFound) {
				t.Errorf("%s(%q) = %v, want an outage", name, id, err)
			} else if !strings.Contains(err.Error(), "restart the program") {
				t.Errorf("%s(%q) = %v, which does not say what to do", name, id, err)
			}
		}
	}
}

// A list that leaves out a folder would hide sessions from whoever means to end them all. The error says which one it
// is, and the sessions of the others come with it.
func TestAFolderThatCannotBeReadIsNamed(t *testing.T) {
	s, dir := newStore(t)
	create(t, s, record("id"))
	folder := filepath.Dir(filestore.PathOf("id"))
	for i := range 40 {
		create(t, s, nobodys(fmt.Sprint(i)))
	}
	want := 0
	for _, id := range page(t, s, "", 100) {
		if filepath.Dir(filestore.PathOf(id)) != folder {
			want++
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, folder), filepath.Join(dir, "away")); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, folder), "no folder")
	s, err := filestore.New(dir, filestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	recs, err := s.Page(context.Background(), "", 100)
	if err == nil || !strings.Contains(err.Error(), folder) || len(recs) != want {
		t.Errorf("Page = %d records, %v, want %d and an error that names %s", len(recs), err, want, folder)
	}
	if _, err := s.Sweep(context.Background(), record("id").ExpiresAt, 10); err == nil ||
		!strings.Contains(err.Error(), folder) {
		t.Errorf("Sweep = %v, want an error that names %s", err, folder)
	}
}

// One record that nobody can read is told of, and keeps no sweep from what lies beside it, whether a file says what is
// due or not.
func TestARecordThatCannotBeReadHoldsUpNoSweep(t *testing.T) {
	for _, swept := range []bool{false, true} {
		s, dir := newStore(t)
		ids := idsOfOneShelf(10)
		for _, id := range ids {
			create(t, s, nobodys(id))
		}
		if swept {
			sweep(t, s, start, 1)
		}
		if err := s.Mark("nobody", "gone"); err != nil {
			t.Fatal(err)
		}
		shelf := filepath.Join(dir, filepath.Dir(filestore.PathOf(ids[0])))
		left := filepath.Join(shelf, "left.tmp")
		writeFile(t, left, "")
		if err := os.Link(filepath.Join(dir, filestore.PathOf(ids[0])), filepath.Join(dir, "copy")); err != nil {
			t.Fatal(err)
		}
		n, err := s.Sweep(t.Context(), start.Add(2*time.Hour), 100)
		if n != len(ids)-1 || err == nil || !strings.Contains(err.Error(), "second name") {
			t.Errorf("Sweep = %d, %v, want %d, and that one has a second name", n, err, len(ids)-1)
		}
		if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the temporary file of a crash: %v", err)
		}
		if marks := filesIn(t, filepath.Join(dir, "users")); len(marks) != 0 {
			t.Errorf("the marks %q are left", marks)
		}
	}
}

// idsOfOneShelf are ids whose records lie in one folder, in the order of their names.
func idsOfOneShelf(n int) (ids []string) {
	for i := 0; len(ids) < n; i++ {
		id := fmt.Sprint(i)
		if strings.HasPrefix(filestore.PathOf(id), "records/00/") {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int { return strings.Compare(filestore.PathOf(a), filestore.PathOf(b)) })
	return ids
}
