package filestore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/filestore"
)

// patient is a context that is called off when it was asked so many times.
type patient struct {
	context.Context
	left atomic.Int64
}

func asked(t *testing.T, times int) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	p := &patient{Context: ctx}
	p.left.Store(int64(times))
	return p
}

func (p *patient) Err() error {
	if p.left.Add(-1) < 0 {
		return context.Canceled
	}
	return p.Context.Err()
}

// Whoever calls a sweep off is told of it, wherever it was, and how many records it had removed by then.
func TestASweepThatIsCalledOffHalfWaySaysHowFarItGot(t *testing.T) {
	late := start.Add(2 * time.Hour)
	for times := 0; ; times++ {
		s, dir := newStore(t)
		for i := range 3 {
			create(t, s, record(fmt.Sprint(i)))
		}
		for _, id := range []string{"x", "y"} {
			if err := s.Mark("nobody", id); err != nil {
				t.Fatal(err)
			}
		}
		n, err := s.Sweep(asked(t, times), late, 10)
		if left := len(page(t, s, "", 10)); n != 3-left {
			t.Errorf("asked %d times: Sweep = %d, and %d of 3 are left", times, n, left)
		}
		if err == nil {
			if marks := filesIn(t, filepath.Join(dir, "users")); len(marks) != 0 {
				t.Errorf("a sweep that went through left the marks %q", marks)
			}
			return
		}
		if !errors.Is(err, context.Canceled) || times > 100 {
			t.Fatalf("asked %d times: Sweep = %v, want that it was called off", times, err)
		}
	}
}

// Half a list would hide sessions from whoever is to end them all.
func TestAListThatIsCalledOffIsNoShorterList(t *testing.T) {
	s, _ := newStore(t)
	for _, id := range []string{"a", "b"} {
		create(t, s, record(id))
		if err := s.Mark("user", "gone "+id); err != nil {
			t.Fatal(err)
		}
	}
	for times := 0; ; times++ {
		recs, err := s.ByUser(asked(t, times), "user")
		if err == nil && len(recs) == 2 {
			return
		}
		if !errors.Is(err, context.Canceled) || times > 100 {
			t.Fatalf("asked %d times: ByUser = %d records, %v, want that it was called off", times, len(recs), err)
		}
	}
}

// The entries of what was removed go with it, and not with the last sweep of a row.
func TestASweepAtItsLimitLeavesNoMark(t *testing.T) {
	s, dir := newStore(t)
	create(t, s, record("a"))
	create(t, s, record("b"))
	if n := sweep(t, s, start.Add(2*time.Hour), 2); n != 2 {
		t.Fatalf("Sweep = %d, want 2", n)
	}
	if marks := filesIn(t, filepath.Join(dir, "users")); len(marks) != 0 {
		t.Errorf("the marks %q are left", marks)
	}
}

func TestASweepRemovesAllMarksOfAUserWhoIsGone(t *testing.T) {
	s, dir := newStore(t)
	for i := range 5 {
		if err := s.Mark("user", fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	sweep(t, s, start, 10)
	if marks := filesIn(t, filepath.Join(dir, "users")); len(marks) != 0 {
		t.Errorf("the marks %q are left", marks)
	}
}

// Of several folders that are none the first is told of, so that two runs say the same.
func TestASweepNamesTheFirstFolderOfMarksThatIsNone(t *testing.T) {
	s, dir := newStore(t)
	for _, name := range []string{"000", "00a"} {
		writeFile(t, filepath.Join(dir, "users", name), "not ours")
	}
	if _, err := s.Sweep(t.Context(), start, 10); err == nil || !strings.Contains(err.Error(), "users/000") {
		t.Errorf("Sweep = %v, want an error that names users/000", err)
	}
}

// What is no file of ours, and has something in it, is not removed, and a logout must not say that it is.
func TestDeleteSaysWhatItCannotRemove(t *testing.T) {
	s, dir := newStore(t)
	create(t, s, record("id"))
	path := filepath.Join(dir, filestore.PathOf("id"))
	if err := errors.Join(os.Remove(path), os.MkdirAll(filepath.Join(path, "something"), 0o700)); err != nil {
		t.Fatal(err)
	}
	err := s.Delete(t.Context(), "id")
	if err == nil || errors.Is(err, session.ErrNotFound) || !strings.Contains(err.Error(), "records/") {
		t.Errorf("Delete = %v, want an error that names the path", err)
	}
}

// A logout leaves nothing of the session, also where each step is made durable.
func TestADurableDeleteLeavesNoMark(t *testing.T) {
	dir := t.TempDir()
	s := reopen(t, dir, filestore.Options{})
	create(t, s, record("id"))
	remove(t, s, "id")
	if marks := filesIn(t, filepath.Join(dir, "users")); len(marks) != 0 {
		t.Errorf("the marks %q are left", marks)
	}
}
