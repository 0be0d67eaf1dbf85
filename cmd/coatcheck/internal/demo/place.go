// Package demo opens the places of the demo that need a driver. Its pages are those of cmd/demo/shop.
package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/coatcheck/session/cmd/demo/shop"
	"github.com/coatcheck/session/redisstore"
	"github.com/coatcheck/session/sessionconfig"
	"github.com/coatcheck/session/sessionconfig/redis"
	"github.com/coatcheck/session/sqlstore"
)

// The stores that --store names.
const (
	SQLite   = "sqlite"
	File     = "file"
	Memory   = "memory"
	Database = "database" // that of the configuration
	Redis    = "redis"    // that of the configuration
)

// Stores are the values of --store.
var Stores = []string{SQLite, File, Memory, Database, Redis}

// What the demo keeps on a server is apart from the sessions of the site: here anybody signs in as anybody, and ends
// the sessions of whoever has that name.
const (
	table  = "coatcheck_demo"
	prefix = "coatcheck-demo:"
)

// Check says whether --store names a store.
func Check(store string) error {
	if slices.Contains(Stores, store) {
		return nil
	}
	return fmt.Errorf("--store: %q is unknown; choose one of %s", store, strings.Join(Stores, ", "))
}

// Open opens a place. The configuration is asked for where the store is a server's.
func Open(ctx context.Context, store, dir string, config func() (*sessionconfig.Config, error)) (*shop.Place, error) {
	switch store {
	case Memory:
		return shop.Memory(), nil
	case File:
		return shop.Files(dir)
	}
	place, err := shop.Folder(dir)
	if err != nil {
		return nil, err
	}
	if store == SQLite {
		return place, openSQLite(ctx, place, filepath.Join(dir, "sessions.db"))
	}
	cfg, err := config()
	if err != nil {
		return nil, err
	}
	if cfg, err = cfg.WithStore(store); err != nil {
		return nil, fmt.Errorf("--store %s: %w", store, err)
	}
	if store == Redis {
		return place, openRedis(ctx, place, cfg)
	}
	return place, openServer(ctx, place, cfg)
}

func openServer(ctx context.Context, place *shop.Place, cfg *sessionconfig.Config) error {
	db, opts, err := cfg.OpenDatabase(ctx)
	if err != nil {
		return fmt.Errorf("--store database: %w", err)
	}
	opts.Table = table
	if err := openTable(ctx, place, db, opts); err != nil {
		return fmt.Errorf("--store database: %w", err)
	}
	place.Name = "the configured database"
	place.Sessions = "in the configured database, in the table " + table
	return nil
}

func openRedis(ctx context.Context, place *shop.Place, cfg *sessionconfig.Config) error {
	client, err := redis.Open(ctx, cfg)
	if err != nil {
		return fmt.Errorf("--store redis: %w", err)
	}
	store, err := redisstore.New(client, redisstore.Options{Prefix: prefix})
	if err != nil {
		client.Close()
		return fmt.Errorf("--store redis: %w", err)
	}
	place.Store, place.Close = store, func() error {
		client.Close()
		return nil
	}
	place.Name = "Redis"
	place.Sessions = "in the configured Redis, in keys that begin with " + prefix
	return nil
}

func openSQLite(ctx context.Context, place *shop.Place, path string) error {
	if err := touch(path); err != nil {
		return fmt.Errorf("--data: make the database: %w", err)
	}
	db, err := openDatabase(path)
	if err == nil {
		err = openTable(ctx, place, db, sqlstore.Options{Dialect: sqlstore.SQLite})
	}
	if err != nil {
		return fmt.Errorf("--data: open %s: %w; move the file away to begin a new one", path, err)
	}
	place.Name, place.Sessions = "SQLite", "in SQLite, in "+path
	return nil
}

// openTable makes the table, and closes the database when it cannot.
func openTable(ctx context.Context, place *shop.Place, db *sql.DB, opts sqlstore.Options) error {
	store, err := sqlstore.New(db, opts)
	if err == nil {
		err = store.Migrate(ctx)
	}
	if err != nil {
		return errors.Join(err, db.Close())
	}
	place.Store, place.Close = store, func() error { return closeAll(store, db) }
	return nil
}

func closeAll(list ...io.Closer) (err error) {
	for _, one := range list {
		err = errors.Join(err, one.Close())
	}
	return err
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
