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

func TestAFileInPlaceOfAFolderIsRefused(t *testing.T) {
	for _, name := range []string{".", "records", "users"} {
		dir := filepath.Join(t.TempDir(), "sessions")
		if name != "." {
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := filestore.New(dir, filestore.Options{}); err == nil {
			s.Close()
			t.Errorf("New takes a file for the folder %q", name)
		}
	}
}

// A record that is torn is not touched, and whoever asked is told.
func TestATouchOfATornRecordIsAnError(t *testing.T) {
	s, dir := newStore(t)
	create(t, s, record("a"))
	for _, path := range filesIn(t, filepath.Join(dir, "records")) {
		path = filepath.Join(dir, "records", path)
		if data := readFile(t, path); data != "" {
			writeFile(t, path, data[:len(data)/3])
		}
	}
	if err := s.Touch(t.Context(), "a", 1, time.Unix(1e9, 0), time.Time{}); !errors.Is(err, session.ErrCorrupt) {
		t.Errorf("Touch = %v, want ErrCorrupt", err)
	}
}

func TestASweepThatIsCalledOffSaysWhoseItWas(t *testing.T) {
	s, _ := newStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Sweep(ctx, time.Unix(1e9, 0), 1)
	if !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "filestore: sweep: ") {
		t.Errorf("Sweep = %v, want the context's error and what was being done", err)
	}
}
