package shop

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/demo/trace"
	"github.com/coatcheck/session/filestore"
	"github.com/coatcheck/session/memstore"
)

// maxInMemory bounds what a script that asks for pages without a cookie can fill the memory with.
const maxInMemory = 10_000

// Place is where sessions are kept, and what signs them. The texts tell people about it: Name tells visitors, and the
// others whoever runs the demo.
type Place struct {
	Store   trace.Backend
	Secrets []session.Secret
	Close   func() error // of the store; nil: nothing needs closing

	Name                         string // as in "the sessions are in files"
	Sessions, Secret, Afterwards string
}

// Memory is a place that is forgotten when the process ends.
func Memory() *Place {
	return &Place{
		Store:      memstore.New(memstore.Options{MaxSessions: maxInMemory}),
		Secrets:    []session.Secret{session.NewSecret()},
		Name:       "memory",
		Sessions:   "in memory",
		Secret:     "in memory",
		Afterwards: "then everybody is signed out",
	}
}

// Files is a place in a folder, which is made when it is absent.
func Files(dir string) (*Place, error) {
	p, err := Folder(dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "sessions")
	store, err := filestore.New(path, filestore.Options{})
	if err != nil {
		return nil, fmt.Errorf("--data: open the sessions: %w", err)
	}
	p.Store, p.Close = store, store.Close
	p.Name, p.Sessions = "files", "in files, in "+path
	return p, nil
}

// Folder is a place whose secret is in a folder, which is made when it is absent. The caller chooses the store.
func Folder(dir string) (*Place, error) {
	if dir == "" {
		return nil, fmt.Errorf("--data is empty: name a folder, or take --store memory")
	}
	if err := makeFolder(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, secretName)
	secrets, err := keepSecret(path)
	if err != nil {
		return nil, err
	}
	return &Place{
		Secrets:    secrets,
		Secret:     path + ", for you alone: anybody who reads it can forge tickets",
		Afterwards: "start it again with the same --data, and everybody is still signed in",
	}, nil
}

// makeFolder makes the folder for its owner alone. It refuses one that others can write to, who could put a secret of
// their own there.
func makeFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("--data %s: %w; name a folder that you can write to", dir, err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("--data %s: %w", dir, err)
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o022 != 0 {
		return fmt.Errorf("--data %s has mode %04o: others can write there, and replace the secret; run chmod 700 "+
			"%s, or name another folder", dir, mode, dir)
	}
	return nil
}
