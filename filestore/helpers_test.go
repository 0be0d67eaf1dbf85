package filestore_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/filestore"
)

var start = time.Date(2100, 1, 1, 12, 0, 0, 123456000, time.UTC)

func calls(s *filestore.Store) map[string]func(context.Context, string) error {
	return map[string]func(context.Context, string) error{
		"Load":   func(ctx context.Context, id string) error { _, err := s.Load(ctx, id); return err },
		"Save":   func(ctx context.Context, id string) error { return s.Save(ctx, record(id)) },
		"Delete": s.Delete,
		"Touch":  func(ctx context.Context, id string) error { return s.Touch(ctx, id, 1, start, start) },
		"ByUser": func(ctx context.Context, _ string) error { _, err := s.ByUser(ctx, "user"); return err },
		"Page":   func(ctx context.Context, _ string) error { _, err := s.Page(ctx, "", 10); return err },
		"Sweep":  func(ctx context.Context, _ string) error { _, err := s.Sweep(ctx, start, 10); return err },
	}
}

func newStore(t testing.TB) (s *filestore.Store, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "sessions")
	// What a loss of power does cannot be tested here, so the tests need not wait for the disk.
	return reopen(t, dir, filestore.Options{NoSync: true}), dir
}

func reopen(t testing.TB, dir string, opts filestore.Options) *filestore.Store {
	t.Helper()
	s, err := filestore.New(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func record(id string) *session.Record {
	return &session.Record{
		ID: id, User: "user", CreatedAt: start, SeenAt: start, ExpiresAt: start.Add(time.Hour), UserAgent: "agent",
		Data: []byte("some data"),
	}
}

func create(t testing.TB, s *filestore.Store, rec *session.Record) {
	t.Helper()
	if err := s.Save(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
}

func load(t testing.TB, s *filestore.Store, id string) *session.Record {
	t.Helper()
	rec, err := s.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func remove(t testing.TB, s *filestore.Store, id string) {
	t.Helper()
	if err := s.Delete(t.Context(), id); err != nil {
		t.Fatal(err)
	}
}

func byUser(t testing.TB, s *filestore.Store, user string) []string {
	t.Helper()
	recs, err := s.ByUser(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	return idsOf(recs)
}

func idsOf(recs []*session.Record) []string {
	var ids []string
	for _, rec := range recs {
		ids = append(ids, rec.ID)
	}
	return ids
}

func wantRecord(t testing.TB, got, want *session.Record) {
	t.Helper()
	g, w := *got, *want
	if !bytes.Equal(g.Data, w.Data) {
		t.Errorf("data = %q, want %q", g.Data, w.Data)
	}
	g.Data, w.Data = nil, nil
	// The types that fmt knows to print, since a record hides its fields from it.
	type plain session.Record
	if a, b := fmt.Sprintf("%v", plain(g)), fmt.Sprintf("%v", plain(w)); a != b {
		t.Errorf("record = %s, want %s", a, b)
	}
}

// filesIn returns the paths of everything below the folder that is not a folder, in order.
func filesIn(t testing.TB, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			path, err = filepath.Rel(dir, path)
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// isOurs says whether a file of that name lies beside the records.
func isOurs(name string) bool { return name == "lock" || name == "due" }

func readFile(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func writeFile(t testing.TB, path, data string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

func touch(t testing.TB, s *filestore.Store, id string, version uint64, seen, expires time.Time) {
	t.Helper()
	if err := s.Touch(t.Context(), id, version, seen, expires); err != nil {
		t.Fatal(err)
	}
}

func sweep(t testing.TB, s *filestore.Store, before time.Time, limit int) int {
	t.Helper()
	n, err := s.Sweep(t.Context(), before, limit)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func page(t testing.TB, s *filestore.Store, after string, limit int) []string {
	t.Helper()
	recs, err := s.Page(t.Context(), after, limit)
	if err != nil {
		t.Fatal(err)
	}
	return idsOf(recs)
}

// hold takes the lock that writers of the id need.
func hold(t testing.TB, s *filestore.Store, id string) (release func()) {
	t.Helper()
	release, err := s.Hold(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return release
}

// background calls fn and returns once it waits for a lock, which is when it looks at Done of its context. The function
// returned waits for its end.
func background(t testing.TB, fn func(context.Context) error) (wait func()) {
	t.Helper()
	ctx := &watchedContext{Context: t.Context(), watched: make(chan struct{})}
	done := make(chan error, 1)
	go func() { done <- fn(ctx) }()
	select {
	case <-ctx.watched:
	case err := <-done:
		t.Fatalf("it has waited for no lock: %v", err)
	}
	return func() {
		t.Helper()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

type watchedContext struct {
	context.Context
	watched chan struct{}
	once    sync.Once
}

func (c *watchedContext) Done() <-chan struct{} {
	c.once.Do(func() { close(c.watched) })
	return c.Context.Done()
}
