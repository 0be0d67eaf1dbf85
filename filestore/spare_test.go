package filestore_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/filestore"
)

// A save may write over a file that somebody still reads. The next look, with the lock, finds what is there.
func TestAReaderWhoMeetsAFileThatIsWrittenOverReadsAgain(t *testing.T) {
	s, dir := newStore(t)
	create(t, s, record("id"))
	path := filepath.Join(dir, filestore.PathOf("id"))
	whole := readFile(t, path)
	for _, half := range []string{whole[:len(whole)-3], "", "x" + whole[1:]} {
		for name, read := range map[string]func(context.Context) (*session.Record, error){
			"Load": func(ctx context.Context) (*session.Record, error) { return s.Load(ctx, "id") },
			"ByUser": func(ctx context.Context) (*session.Record, error) {
				recs, err := s.ByUser(ctx, "user")
				return append(recs, nil)[0], err
			},
		} {
			release := hold(t, s, "id")
			writeFile(t, path, half)
			wait := background(t, func(ctx context.Context) error {
				rec, err := read(ctx)
				if rec == nil {
					t.Errorf("%s found no session in a file of %d bytes that is written", name, len(half))
				}
				return err
			})
			writeFile(t, path, whole)
			release()
			wait()
		}
	}
}

// Whoever cannot wait any longer is told so. That a session is damaged would sign somebody out.
func TestAReaderWhoIsCalledOffIsNotToldOfDamage(t *testing.T) {
	s, dir := newStore(t)
	create(t, s, record("id"))
	release := hold(t, s, "id")
	defer release()
	writeFile(t, filepath.Join(dir, filestore.PathOf("id")), "half")
	ctx, cancel := context.WithCancel(t.Context())
	waiting := &watchedContext{Context: ctx, watched: make(chan struct{})}
	go func() {
		<-waiting.watched
		cancel()
	}()
	_, err := s.Load(waiting, "id")
	if !errors.Is(err, context.Canceled) || errors.Is(err, session.ErrCorrupt) {
		t.Errorf("Load = %v, want that it was called off", err)
	}
}

// Where nobody can lock, nobody writes, and what is damaged is damaged.
func TestWhatIsDamagedIsSoWithoutALock(t *testing.T) {
	s, dir := newStore(t)
	create(t, s, record("id"))
	path := filepath.Join(dir, filestore.PathOf("id"))
	lock := filepath.Join(filepath.Dir(path), "lock")
	if err := errors.Join(os.Remove(lock), os.Mkdir(lock, 0o700)); err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, "half")
	if _, err := s.Load(t.Context(), "id"); !errors.Is(err, session.ErrCorrupt) {
		t.Errorf("Load = %v, want ErrCorrupt", err)
	}
}

// What a save replaces is kept to be written over, and not longer than until a session of the shelf ends.
func TestNothingOfASessionThatHasEndedIsKept(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, s *filestore.Store, rec *session.Record){
		"deleted": func(t *testing.T, s *filestore.Store, rec *session.Record) { remove(t, s, rec.ID) },
		"retired": func(t *testing.T, s *filestore.Store, rec *session.Record) {
			rec.Kind, rec.Data = session.KindTombstone, nil
			create(t, s, rec)
		},
		"moved": func(t *testing.T, s *filestore.Store, rec *session.Record) {
			rec.Kind, rec.Successor, rec.Data = session.KindAlias, "another", nil
			create(t, s, rec)
		},
		"swept": func(t *testing.T, s *filestore.Store, rec *session.Record) {
			if n := sweep(t, s, rec.ExpiresAt.Add(time.Second), 10); n != 1 {
				t.Errorf("Sweep = %d, want 1", n)
			}
		},
	} {
		for _, opts := range []filestore.Options{{}, {NoSync: true}} {
			dir := t.TempDir()
			s := reopen(t, dir, opts)
			rec := record("id")
			for rec.Version = range 4 {
				rec.Data = []byte("a secret of the session")
				create(t, s, rec)
			}
			rec.Version = 4
			end(t, s, rec)
			for _, f := range filesIn(t, dir) {
				if strings.Contains(readFile(t, filepath.Join(dir, f)), "a secret") {
					t.Errorf("%s: %s has the data of a session that has ended", name, f)
				}
			}
		}
	}
}
