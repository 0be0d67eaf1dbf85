package atomicfile_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestSwapReplacesTheWholeFile(t *testing.T) {
	dir, _ := open(t)
	for _, data := range []string{"first", "a long second version", "short", strings.Repeat("x", 1<<16), "", "last"} {
		for _, durable := range []bool{true, false, true} {
			for _, name := range []string{"f", "g"} {
				if err := dir.Swap(t.Context(), name, []byte(name+data), durable); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range []string{"f", "g"} {
				wantFile(t, dir, name, name+data)
			}
		}
	}
	if names, err := dir.Names(); !slices.Equal(names, []string{"f", "g"}) || err != nil {
		t.Errorf("Names = %q, %v, want f and g: what is kept is nobody's file", names, err)
	}
}

func TestNothingIsKeptAfterDropSpare(t *testing.T) {
	dir, path := open(t)
	for _, data := range []string{"1", "2", "3"} {
		if err := dir.Swap(t.Context(), "f", []byte(data), true); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := dir.DropSpare(); err != nil {
			t.Fatal(err)
		}
		wantNames(t, path, "f")
	}
	wantFile(t, dir, "f", "3")
}

func TestSwapWithACancelledContextChangesNothing(t *testing.T) {
	dir, path := open(t)
	write(t, dir, "f", "old")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 {
		if err := dir.Swap(ctx, "f", []byte("new"), true); !errors.Is(err, context.Canceled) {
			t.Errorf("Swap = %v, want context.Canceled", err)
		}
		wantFile(t, dir, "f", "old")
		wantNames(t, path, "f")
		if err := dir.Swap(t.Context(), "f", []byte("old"), true); err != nil { // which leaves a spare
			t.Fatal(err)
		}
	}
}

// A crash may leave anything in the file that is to be written next.
func TestSwapWritesOverWhateverACrashLeft(t *testing.T) {
	dir, path := open(t)
	for _, durable := range []bool{true, false} {
		if err := os.WriteFile(filepath.Join(path, "spare"), []byte("half of something long"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := dir.Swap(t.Context(), "f", []byte("new"), durable); err != nil {
			t.Fatal(err)
		}
		wantFile(t, dir, "f", "new")
	}
}
