package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/redis/rueidis"
	_ "modernc.org/sqlite" // the driver of openSQLite

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/filestore"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/redisstore"
	"github.com/coatcheck/session/sqlstore"
)

// backend is a store that is to be measured.
type backend struct {
	session.Store
	fill   session.Store                        // the same, where filling does not wait for the disk
	settle func(context.Context) error          // finishes what the filling left to be done
	size   func(context.Context) (int64, error) // in bytes, of everything that the store keeps
	close  []func() error
}

func (b *backend) Close() error {
	var errs []error
	for i := len(b.close) - 1; i >= 0; i-- {
		errs = append(errs, b.close[i]())
	}
	return errors.Join(errs...)
}

type kind struct {
	name string
	open func(context.Context) (*backend, error)
}

// kinds are in the order of the tables.
var kinds = []kind{
	{"memstore", openMemory},
	{"filestore", openFiles},
	{"sqlite", openSQLite},
	{"postgresql", openPostgreSQL},
	{"mariadb", openMariaDB},
	{"redis", openRedis},
}

func names() string {
	var list []string
	for _, k := range kinds {
		list = append(list, k.name)
	}
	return strings.Join(list, ", ")
}

func open(ctx context.Context, name string) (*backend, error) {
	for _, k := range kinds {
		if k.name == name {
			return k.open(ctx)
		}
	}
	return nil, fmt.Errorf("-store: %q is none of %s", name, names())
}

func nothing(context.Context) error { return nil }

func openMemory(context.Context) (*backend, error) {
	store := memstore.New(memstore.Options{})
	return &backend{Store: store, fill: store, settle: nothing, size: heap}, nil
}

func heap(context.Context) (int64, error) {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // the first one may have begun before the last garbage was made
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc), nil
}

func openFiles(context.Context) (*backend, error) {
	dir, err := os.MkdirTemp("", "coatcheck-scale-")
	if err != nil {
		return nil, err
	}
	b := &backend{close: []func() error{func() error { return os.RemoveAll(dir) }}}
	store, err := filestore.New(filepath.Join(dir, "sessions"), filestore.Options{})
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	b.close = append(b.close, store.Close)
	fill, err := filestore.New(filepath.Join(dir, "sessions"), filestore.Options{NoSync: true})
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	b.close = append(b.close, fill.Close)
	b.Store, b.fill = store, fill
	b.settle = func(context.Context) error { syscall.Sync(); return nil }
	b.size = func(context.Context) (int64, error) { return onDisk(dir) }
	return b, nil
}

// onDisk is what the files and folders below one take up in blocks.
func onDisk(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		total += info.Sys().(*syscall.Stat_t).Blocks * 512
		return nil
	})
	return total, err
}

func openSQLite(ctx context.Context) (*backend, error) {
	dir, err := os.MkdirTemp("", "coatcheck-scale-")
	if err != nil {
		return nil, err
	}
	b := &backend{close: []func() error{func() error { return os.RemoveAll(dir) }}}
	dsn := "file:" + filepath.Join(dir, "sessions.db") + "?_pragma=busy_timeout(250)&_pragma=synchronous(NORMAL)"
	db, err := b.openSQL(ctx, "sqlite", dsn, sqlstore.SQLite)
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	b.fill = b.Store
	b.settle = statements(db, "PRAGMA wal_checkpoint(TRUNCATE)")
	b.size = func(context.Context) (int64, error) { return onDisk(dir) }
	return b, nil
}

// openSQL opens the database, and a store in it.
func (b *backend) openSQL(ctx context.Context, driver, dsn string, dialect sqlstore.Dialect) (*sql.DB, error) {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(fillers)
	db.SetMaxIdleConns(fillers)
	b.close = append(b.close, db.Close)
	store, err := sqlstore.New(db, sqlstore.Options{Dialect: dialect})
	if err != nil {
		return nil, err
	}
	b.close = append(b.close, store.Close)
	b.Store = store
	return db, store.Migrate(ctx)
}

func statements(db *sql.DB, list ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		for _, text := range list {
			if _, err := db.ExecContext(ctx, text); err != nil {
				return err
			}
		}
		return nil
	}
}

func number(db *sql.DB, query string) func(context.Context) (int64, error) {
	return func(ctx context.Context) (n int64, err error) {
		err = db.QueryRowContext(ctx, query).Scan(&n)
		return n, err
	}
}

// openPostgreSQL starts a server that waits for the disk, as those do that hold something dear. Filling does not.
func openPostgreSQL(ctx context.Context) (*backend, error) {
	at, err := servers.NewPostgreSQLWith("-c", "fsync=on", "-c", "shared_buffers=1GB", "-c", "max_wal_size=4GB")
	if err != nil {
		return nil, err
	}
	b := new(backend)
	if _, err := b.openSQL(ctx, "pgx", at.DSN+"&synchronous_commit=off", sqlstore.PostgreSQL); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	b.fill = b.Store
	db, err := b.openSQL(ctx, "pgx", at.DSN, sqlstore.PostgreSQL)
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	b.settle = statements(db, "VACUUM ANALYZE sessions", "CHECKPOINT")
	b.size = number(db, "SELECT pg_total_relation_size('sessions')")
	return b, nil
}

// openMariaDB starts a server that waits for the disk.
func openMariaDB(ctx context.Context) (*backend, error) {
	at, err := servers.NewMySQLWith("--innodb-flush-log-at-trx-commit=1", "--innodb-buffer-pool-size=2G",
		"--innodb-log-file-size=1G")
	if err != nil {
		return nil, err
	}
	b := new(backend)
	db, err := b.openSQL(ctx, "mysql", at.DSN, sqlstore.MySQL)
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	b.fill = b.Store
	b.settle = statements(db, "ANALYZE TABLE sessions")
	b.size = number(db, "SELECT data_length + index_length FROM information_schema.tables"+
		" WHERE table_schema = database() AND table_name = 'sessions'")
	return b, nil
}

// openRedis starts a server that writes everything down, and waits for the disk once a second.
func openRedis(context.Context) (*backend, error) {
	at, err := servers.NewRedis("--appendonly", "yes", "--appendfsync", "everysec")
	if err != nil {
		return nil, err
	}
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{at.Addr}})
	if err != nil {
		return nil, err
	}
	b := &backend{close: []func() error{func() error { client.Close(); return nil }}}
	store, err := redisstore.New(client, redisstore.Options{})
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	b.Store, b.fill, b.settle = store, store, nothing
	b.size = func(ctx context.Context) (int64, error) { return usedMemory(ctx, client) }
	return b, nil
}

func usedMemory(ctx context.Context, client rueidis.Client) (int64, error) {
	info, err := client.Do(ctx, client.B().Info().Section("memory").Build()).ToString()
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(info, "\nused_memory:")
	text, _, _ := strings.Cut(rest, "\r\n")
	return strconv.ParseInt(text, 10, 64)
}
