package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/filestore"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/sqlstore"
)

// The values of --store.
const (
	SQLite = "sqlite"
	File   = "file"
	Memory = "memory"
)

// maxInMemory bounds what a script that asks for pages without a cookie can fill the memory with.
const maxInMemory = 10_000

// place is where sessions are kept, what signs them, and how to say so.
type place struct {
	store   session.Store
	secrets []session.Secret
	close   func() error

	sessions, secret, afterwards string // for people
}

func checkStore(name string) error {
	switch name {
	case SQLite, File, Memory:
		return nil
	}
	return fmt.Errorf("--store %q is unknown; choose %s, %s or %s", name, SQLite, File, Memory)
}

func openPlace(ctx context.Context, name, dir string) (*place, error) {
	if name == Memory {
		return &place{
			store:      memstore.New(memstore.Options{MaxSessions: maxInMemory}),
			secrets:    []session.Secret{session.NewSecret()},
			close:      func() error { return nil },
			sessions:   "in memory",
			secret:     "in memory",
			afterwards: "then everybody is signed out",
		}, nil
	}
	if err := makeFolder(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, secretName)
	secrets, err := keepSecret(path)
	if err != nil {
		return nil, err
	}
	p := &place{
		secrets:    secrets,
		secret:     path + ", for you alone: who reads it can forge tickets",
		afterwards: "start it again with the same --data, and everybody is still signed in",
	}
	if name == File {
		return p, p.openFiles(filepath.Join(dir, "sessions"))
	}
	return p, p.openSQLite(ctx, filepath.Join(dir, "sessions.db"))
}

// makeFolder makes the folder for its owner alone. One that others may write is refused: they could put their own
// secret there.
func makeFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("--data %s: %w; name a folder that you may write", dir, err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("--data %s: %w", dir, err)
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o022 != 0 {
		return fmt.Errorf("--data %s has mode %04o: others may write there, and replace the secret; run chmod 700 "+
			"%s, or name another folder", dir, mode, dir)
	}
	return nil
}

func (p *place) openFiles(dir string) error {
	store, err := filestore.New(dir, filestore.Options{})
	if err != nil {
		return fmt.Errorf("--data: open the sessions: %w", err)
	}
	p.store, p.close = store, store.Close
	p.sessions = "in files, in " + dir
	return nil
}

func (p *place) openSQLite(ctx context.Context, path string) error {
	if err := touch(path); err != nil {
		return fmt.Errorf("--data: make the database: %w", err)
	}
	db, err := openDatabase(path)
	if err != nil {
		return fmt.Errorf("--data: open %s: %w", path, err)
	}
	store, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.SQLite})
	if err == nil {
		err = store.Migrate(ctx)
	}
	if err != nil {
		return fmt.Errorf("--data: open %s: %w; move the file away to begin a new one", path,
			errors.Join(err, db.Close()))
	}
	p.store, p.close = store, func() error { return errors.Join(store.Close(), db.Close()) }
	p.sessions = "in SQLite, in " + path
	return nil
}

// touch makes the file for its owner alone. SQLite would make it readable for others, and gives the files that it puts
// beside it the mode of this one.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

func openDatabase(path string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// As a URL, because a question mark or a per cent sign in the path of the folder means something else to SQLite.
	name := url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(filepath.ToSlash(abs), "/"),
		RawQuery: "_pragma=busy_timeout(250)"}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	return db, nil
}
