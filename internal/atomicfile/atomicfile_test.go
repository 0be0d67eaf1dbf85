package atomicfile_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/coatcheck/session/internal/atomicfile"
)

func TestWriteReplacesTheWholeFile(t *testing.T) {
	dir, path := open(t)
	for _, data := range []string{"a long first version", "short", ""} {
		for _, durable := range []bool{true, false} {
			if err := dir.Write(t.Context(), "f", []byte(data), durable); err != nil {
				t.Fatal(err)
			}
			wantFile(t, dir, "f", data)
		}
	}
	wantNames(t, path, "f")
}

func TestWriteWithACancelledContextChangesNothing(t *testing.T) {
	dir, path := open(t)
	write(t, dir, "f", "old")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := dir.Write(ctx, "f", []byte("new"), true); !errors.Is(err, context.Canceled) {
		t.Errorf("Write = %v, want context.Canceled", err)
	}
	wantFile(t, dir, "f", "old")
	wantNames(t, path, "f")
}

func TestWriteOverAFolderLeavesNothingBehind(t *testing.T) {
	dir, path := open(t)
	if err := os.Mkdir(filepath.Join(path, "f"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := dir.Write(t.Context(), "f", []byte("new"), true); err == nil {
		t.Error("Write over a folder succeeded")
	}
	wantNames(t, path, "f")
}

func TestWriteOverwritesTheTempFileOfACrash(t *testing.T) {
	dir, path := open(t)
	if err := os.WriteFile(filepath.Join(path, "f.tmp"), []byte("half a fi"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !atomicfile.IsTemp("f.tmp") || atomicfile.IsTemp("f") {
		t.Error("IsTemp does not know which file is temporary")
	}
	write(t, dir, "f", "new")
	wantFile(t, dir, "f", "new")
	wantNames(t, path, "f")
}

// closing is a context in which somebody closes the folder when it is asked how it is.
type closing struct {
	context.Context
	dir *atomicfile.Dir
	end sync.WaitGroup
}

func (c *closing) Err() error {
	c.end.Go(func() { _ = c.dir.Close() })
	for range 1000 {
		runtime.Gosched()
	}
	return nil
}

// A service that stops closes its store while the last requests save.
func TestAWriteThatIsUnderWayOutlastsClose(t *testing.T) {
	dir, path := open(t)
	ctx := &closing{Context: t.Context(), dir: dir}
	err := dir.Write(ctx, "f", []byte("new"), true)
	ctx.end.Wait()
	if err != nil {
		t.Errorf("Write = %v", err)
	}
	wantNames(t, path, "f")
	if err := dir.Write(t.Context(), "f", nil, true); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Write after Close = %v, want fs.ErrClosed", err)
	}
}

func TestReadReturnsNoMoreThanAskedFor(t *testing.T) {
	dir, _ := open(t)
	write(t, dir, "f", "0123456789")
	data, size, err := dir.Read("f", 4)
	if string(data) != "0123" || size != 10 || err != nil {
		t.Errorf("Read = %q, %d, %v, want the first 4 of 10 bytes", data, size, err)
	}
}

func TestUpdateChangesInPlace(t *testing.T) {
	dir, _ := open(t)
	write(t, dir, "f", "0123456789")
	err := dir.Update("f", func(f *os.File, size int64) error {
		if size != 10 {
			t.Errorf("size = %d, want 10", size)
		}
		_, err := f.WriteAt([]byte("xx"), 3)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	wantFile(t, dir, "f", "012xx56789")
}

func TestUpdateReturnsTheErrorOfTheFunction(t *testing.T) {
	dir, _ := open(t)
	write(t, dir, "f", "data")
	mine := errors.New("mine")
	if err := dir.Update("f", func(*os.File, int64) error { return mine }); !errors.Is(err, mine) {
		t.Errorf("Update = %v, want %v", err, mine)
	}
}

func TestWhatIsAbsentGivesErrNotExist(t *testing.T) {
	dir, _ := open(t)
	_, _, readErr := dir.Read("f", 1)
	_, subErr := dir.Sub("d", false)
	updateErr := dir.Update("f", func(*os.File, int64) error { return nil })
	for _, err := range []error{readErr, subErr, updateErr} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("error = %v, want fs.ErrNotExist", err)
		}
	}
	if err := dir.Remove("f"); err != nil {
		t.Errorf("Remove = %v, want no error", err)
	}
	if there, err := dir.Exists("f"); there || err != nil {
		t.Errorf("Exists = %v, %v, want false", there, err)
	}
}

func TestMarkMayBeRepeated(t *testing.T) {
	dir, path := open(t)
	for range 2 {
		if err := dir.Mark("m"); err != nil {
			t.Fatal(err)
		}
	}
	wantNames(t, path, "m")
	if there, err := dir.Exists("m"); !there || err != nil {
		t.Errorf("Exists = %v, %v, want true", there, err)
	}
}

func TestErrorsNameThePathBelowTheTopOnly(t *testing.T) {
	dir, path := open(t)
	sub := mustSub(t, dir, "below")
	_, _, err := sub.Read("f", 1)
	if err == nil || !strings.Contains(err.Error(), "below/f") || strings.Contains(err.Error(), path) {
		t.Errorf("error %q must name below/f, and not the whole path", err)
	}
}

func TestAfterCloseEverythingFails(t *testing.T) {
	dir, _ := open(t)
	write(t, dir, "f", "data")
	if err := dir.Close(); err != nil {
		t.Fatal(err)
	}
	_, _, readErr := dir.Read("f", 1)
	_, subErr := dir.Sub("d", true)
	_, namesErr := dir.Names()
	_, existsErr := dir.Exists("f")
	_, lockErr := dir.Lock(t.Context())
	for i, err := range []error{
		readErr, subErr, namesErr, existsErr, lockErr,
		dir.Write(t.Context(), "f", nil, false), dir.Remove("f"), dir.Mark("m"), dir.Sync(),
	} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("call %d: error = %v, want fs.ErrClosed", i, err)
		}
	}
	if err := dir.Close(); err != nil {
		t.Errorf("second Close = %v", err)
	}
}

func open(t *testing.T) (dir *atomicfile.Dir, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "top")
	return mustOpen(t, path), path
}

func mustOpen(t *testing.T, path string) *atomicfile.Dir {
	t.Helper()
	dir, err := atomicfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	return dir
}

func mustSub(t *testing.T, dir *atomicfile.Dir, name string) *atomicfile.Dir {
	t.Helper()
	sub, err := dir.Sub(name, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sub.Close() })
	return sub
}

func write(t *testing.T, dir *atomicfile.Dir, name, data string) {
	t.Helper()
	if err := dir.Write(t.Context(), name, []byte(data), false); err != nil {
		t.Fatal(err)
	}
}

func wantFile(t *testing.T, dir *atomicfile.Dir, name, want string) {
	t.Helper()
	data, size, err := dir.Read(name, 1<<20)
	if err != nil || string(data) != want || size != int64(len(want)) {
		t.Errorf("Read(%q) = %q, %d, %v, want %q", name, data, size, err, want)
	}
}

func wantNames(t *testing.T, path string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if strings.Join(names, " ") != strings.Join(want, " ") {
		t.Errorf("the folder has %q, want %q", names, want)
	}
}

func TestRemoveInRemovesFromAFolderBelow(t *testing.T) {
	dir, path := open(t)
	sub, err := dir.Sub("sub", true)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	write(t, sub, "f", "x")
	write(t, sub, "g", "x")
	for _, name := range []string{"f", "f", "never there"} {
		if err := dir.RemoveIn("sub", name); err != nil {
			t.Errorf("RemoveIn(%q) = %v", name, err)
		}
	}
	if err := dir.RemoveIn("no folder", "f"); err != nil {
		t.Errorf("RemoveIn of a folder that is none = %v", err)
	}
	wantNames(t, filepath.Join(path, "sub"), "g")
}
