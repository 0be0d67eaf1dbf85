package filestore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/filestore"
)

// One file a session, below the folder, with a name that follows from the id and does not contain it.
func TestASessionIsOneFileBelowTheFolder(t *testing.T) {
	s, dir := newStore(t)
	for i := range 20 {
		create(t, s, record(fmt.Sprintf("id-%d", i)))
	}
	files := filesIn(t, filepath.Join(dir, "records"))
	files = slices.DeleteFunc(files, func(name string) bool { return isOurs(filepath.Base(name)) })
	if len(files) != 20 {
		t.Errorf("20 sessions are %d files", len(files))
	}
	for i := range 20 {
		id := fmt.Sprintf("id-%d", i)
		if _, err := os.Stat(filepath.Join(dir, filestore.PathOf(id))); err != nil ||
			strings.Contains(filestore.PathOf(id), id) {
			t.Errorf("the file of %s: %v", id, err)
		}
	}
}

// Whatever an id looks like, it reads and writes nothing outside.
func TestNoIDLeadsOutsideTheFolder(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "sessions")
	s := reopen(t, dir, filestore.Options{})
	victim := filepath.Join(parent, "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, id := range hostileIDs(victim) {
		if _, err := s.Load(t.Context(), id); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("Load(%.40q) = %v, want ErrNotFound", id, err)
		}
		rec := record(id)
		rec.User = id
		create(t, s, rec)
		if got := load(t, s, id); got.ID != id || got.User != id {
			t.Errorf("Load(%.40q) returned another id or user", id)
		}
		if recs := byUser(t, s, id); !slices.Equal(recs, []string{id}) {
			t.Errorf("ByUser(%.40q) = %q", id, recs)
		}
		if err := s.Touch(t.Context(), id, 1, start.Add(time.Hour), start); err != nil {
			t.Errorf("Touch(%.40q) = %v", id, err)
		}
		remove(t, s, id)
	}
	if data, err := os.ReadFile(victim); string(data) != "precious" {
		t.Errorf("the file outside = %q, %v", data, err)
	}
	for _, f := range filesIn(t, parent) {
		if f != "victim" && !strings.HasPrefix(f, "sessions"+string(filepath.Separator)) {
			t.Errorf("a file outside the folder: %q", f)
		}
	}
}

func hostileIDs(victim string) []string {
	return []string{
		"../victim", "../../victim", "..", ".", "/", victim, `..\victim`, `C:\victim`, "%2e%2e%2fvictim",
		"..%c0%afvictim",
		"a\x00b", "\xc0\xae\xc0\xae/victim", "\xff\xfe", strings.Repeat("x", 300),
		strings.Repeat("../", 2000) + "victim",
		"CON", "nul.txt", "COM1", "lock", "lock.tmp", "records", "users", " ", "a/b", "a:b", "a\nb", "ünï",
	}
}

func TestTheEmptyIDIsNeverStored(t *testing.T) {
	s, _ := newStore(t)
	if err := s.Save(t.Context(), record("")); err == nil {
		t.Error(`Save with the id "" succeeded`)
	}
	if _, err := s.Load(t.Context(), ""); !errors.Is(err, session.ErrNotFound) {
		t.Errorf(`Load("") = %v, want ErrNotFound`, err)
	}
}

func TestEveryFieldComesBackAfterReopening(t *testing.T) {
	s, dir := newStore(t)
	rec := record("id")
	rec.LoginAt, rec.Persistent, rec.Kind, rec.Successor = start.Add(-time.Minute), true, session.KindAlias, "next"
	rec.RemoteIP, rec.UserAgent, rec.User = netip.MustParseAddr("fe80::1%eth0"), "agent\n\xff", "user\x00"
	create(t, s, rec)
	want := rec.Clone()
	want.Version = 1
	wantRecord(t, load(t, reopen(t, dir, filestore.Options{}), "id"), want)
}

func TestARecordOfAnySizeComesBack(t *testing.T) {
	s, _ := newStore(t)
	for i, size := range []int{0, 1, 1023, 1024, 1025, 4<<20 - 200, 4 << 20, 5 << 20} {
		rec := record(fmt.Sprint(size))
		rec.User = strings.Repeat("u", 60_000*(i%2)) // a header that does not fit into the first read
		rec.Data = bytes.Repeat([]byte{byte(i), 0xff}, size)[:size]
		create(t, s, rec)
		if got := load(t, s, rec.ID); !bytes.Equal(got.Data, rec.Data) || got.User != rec.User {
			t.Errorf("a record with %d bytes came back as another one", size)
		}
	}
	recs, err := s.Page(t.Context(), "", 100)
	if err != nil || len(recs) != 8 {
		t.Errorf("Page = %d records, %v, want 8", len(recs), err)
	}
}

// What cannot be stored is refused before anything is written.
func TestARefusedSaveLeavesTheRecordAsItWas(t *testing.T) {
	s, dir := newStore(t)
	create(t, s, record("id"))
	before := filesIn(t, dir)
	bad := record("id")
	bad.Version, bad.UserAgent = 1, strings.Repeat("x", 1<<16)
	if err := s.Save(t.Context(), bad); !errors.Is(err, session.ErrTooLarge) {
		t.Errorf("Save = %v, want ErrTooLarge", err)
	}
	want := record("id")
	want.Version = 1
	wantRecord(t, load(t, s, "id"), want)
	if after := filesIn(t, dir); !slices.Equal(before, after) {
		t.Errorf("the files are %q, want %q", after, before)
	}
}

// A deleted session leaves nothing but the lock of its shelf, which it shares.
func TestADeletedSessionLeavesNoFile(t *testing.T) {
	s, dir := newStore(t)
	for i := range 600 {
		rec := record(fmt.Sprint(i))
		rec.User = fmt.Sprint("user", i)
		create(t, s, rec)
		remove(t, s, rec.ID)
	}
	files := filesIn(t, dir)
	for _, f := range files {
		if !isOurs(filepath.Base(f)) {
			t.Errorf("left behind: %s", f)
		}
	}
	if len(files) > 256 {
		t.Errorf("there are %d lock files, want 256 at most", len(files))
	}
}

func TestAConflictShowsTheRecordInTheWay(t *testing.T) {
	s, _ := newStore(t)
	create(t, s, record("id"))
	for _, version := range []uint64{0, 2} {
		rec := record("id")
		rec.Version = version
		var conflict *session.ConflictError
		if err := s.Save(t.Context(), rec); !errors.As(err, &conflict) {
			t.Fatalf("Save with version %d = %v, want a ConflictError", version, err)
		}
		want := record("id")
		want.Version = 1
		wantRecord(t, conflict.Newest, want)
	}
}

func TestErrorsNameTheOptionAndThePathBelowIt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"", file, filepath.Join(file, "below")} {
		if _, err := filestore.New(dir, filestore.Options{}); err == nil || !strings.Contains(err.Error(), "dir") {
			t.Errorf("New(%q) = %v, want an error that names dir", dir, err)
		}
	}
	s, dir := newStore(t)
	_, err := s.Load(t.Context(), "secret-id")
	text, path := err.Error(), filestore.PathOf("secret-id")
	if strings.Contains(text, "secret-id") || strings.Contains(text, dir) || !strings.Contains(text, path) {
		t.Errorf("Load = %q, want only the path of the file in it", text)
	}
}

func TestAfterCloseEveryCallFails(t *testing.T) {
	s, _ := newStore(t)
	create(t, s, record("id"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, call := range calls(s) {
		for _, id := range []string{"id", "one that was never looked for"} {
			if err := call(t.Context(), id); !errors.Is(err, fs.ErrClosed) {
				t.Errorf("%s(%q) = %v, want fs.ErrClosed", name, id, err)
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close = %v", err)
	}
}

func TestACancelledContextChangesNothing(t *testing.T) {
	s, dir := newStore(t)
	create(t, s, record("id"))
	before := filesIn(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range calls(s) {
		for _, id := range []string{"id", "new"} {
			if err := call(ctx, id); !errors.Is(err, context.Canceled) {
				t.Errorf("%s(%q) = %v, want context.Canceled", name, id, err)
			}
		}
	}
	if after := filesIn(t, dir); !slices.Equal(before, after) {
		t.Errorf("the files are %q, want %q", after, before)
	}
}

func TestWaitingForAnotherWriterEndsWithTheContext(t *testing.T) {
	s, dir := newStore(t)
	create(t, s, record("id"))
	release, err := reopen(t, dir, filestore.Options{}).Hold(t.Context(), "id")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	rec := record("id")
	rec.Version = 1
	if err := s.Save(ctx, rec); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Save = %v, want context.DeadlineExceeded", err)
	}
	if got := load(t, s, "id"); got.Version != 1 {
		t.Errorf("the version is %d, want 1: readers need no lock, and nothing was saved", got.Version)
	}
}
