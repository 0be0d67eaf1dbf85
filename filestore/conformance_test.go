package filestore_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/filestore"
	"github.com/coatcheck/session/sessiontest"
)

func TestContract(t *testing.T) {
	for name, opts := range map[string]filestore.Options{"synced": {}, "not synced": {NoSync: true}} {
		t.Run(name, func(t *testing.T) { contract(t, opts) })
	}
}

func contract(t *testing.T, opts filestore.Options) {
	dirs := make(map[session.Store]string)
	open := func(t *testing.T, dir string) session.Store {
		s := reopen(t, dir, opts)
		dirs[s] = dir
		return s
	}
	sessiontest.Run(t, func(t *testing.T) session.Store { return open(t, filepath.Join(t.TempDir(), "sessions")) },
		sessiontest.Options{
			Peer:  func(t *testing.T, s session.Store) session.Store { return open(t, dirs[s]) },
			Break: func(_ *testing.T, s session.Store) { s.(*filestore.Store).Close() },
			Corrupt: func(t *testing.T, s session.Store, id string) {
				sum := sha256.Sum256([]byte(id))
				name := hex.EncodeToString(sum[:])
				path := filepath.Join(dirs[s], "records", name[:2], name)
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, data[:len(data)/2], 0o600); err != nil {
					t.Fatal(err)
				}
			},
		})
}
