package atomicfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/coatcheck/session/internal/atomicfile"
)

// That is what makes a Swap cheap.
func TestSwapMakesNoFileWhereThereIsOneToWriteOver(t *testing.T) {
	dir, path := open(t)
	swap(t, dir, "f", "1")
	swap(t, dir, "f", "2")
	files := [2]os.FileInfo{look(t, path, "spare"), look(t, path, "f")}
	for i := range 5 {
		swap(t, dir, "f", "3")
		if is := look(t, path, "f"); !os.SameFile(is, files[i%2]) {
			t.Error("f is a new file, want the one that was put aside")
		}
	}
}

// What another process, or one that was killed, has put aside may not be on the disk under that name yet.
func TestOnlyWhatThisDirHasSyncedIsWrittenOverAtOnce(t *testing.T) {
	dir, path := open(t)
	peer := mustOpen(t, path)
	want := func(what string, dir *atomicfile.Dir, settled bool) {
		t.Helper()
		if dir.Settled() != settled {
			t.Errorf("%s: settled = %t, want %t", what, !settled, settled)
		}
	}
	want("before the first", dir, false)
	swap(t, dir, "f", "1")
	want("after the first, which put nothing aside", dir, false)
	swap(t, dir, "f", "2")
	want("after a second", dir, true)
	want("for a peer", peer, false)
	swap(t, peer, "f", "3")
	want("after one of the peer", dir, false)
	want("for the peer after that", peer, true)
	swap(t, dir, "f", "4")
	want("after one more", dir, true)
	if err := dir.Swap(t.Context(), "f", []byte("5"), false); err != nil {
		t.Fatal(err)
	}
	want("after one that waited for no disk", dir, false)
	must(t, dir.DropSpare())
	want("without a spare", dir, false)
}

func TestALinkInPlaceOfTheSpareIsNotWrittenThrough(t *testing.T) {
	for name, plant := range map[string]func(victim, spare string) error{
		"a symlink":   os.Symlink,
		"a hard link": os.Link,
		"a folder":    func(_, spare string) error { return os.Mkdir(spare, 0o700) },
		"a pipe":      func(_, spare string) error { return syscall.Mkfifo(spare, 0o600) },
	} {
		for _, durable := range []bool{true, false} {
			dir, path := open(t)
			victim := filepath.Join(path, "victim")
			must(t, errors.Join(os.WriteFile(victim, []byte("untouched"), 0o600),
				plant(victim, filepath.Join(path, "spare"))))
			if err := dir.Swap(t.Context(), "f", []byte("new"), durable); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if data, err := os.ReadFile(victim); string(data) != "untouched" || err != nil {
				t.Errorf("%s: the victim has %q, %v", name, data, err)
			}
			wantFile(t, dir, "f", "new")
		}
	}
}

func swap(t *testing.T, dir *atomicfile.Dir, name, data string) {
	t.Helper()
	if err := dir.Swap(t.Context(), name, []byte(data), true); err != nil {
		t.Fatal(err)
	}
}

func look(t *testing.T, path, name string) os.FileInfo {
	t.Helper()
	fi, err := os.Lstat(filepath.Join(path, name))
	must(t, err)
	return fi
}
