//go:build linux

package main

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net/http"
	"path/filepath"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/alexedwards/scs/pgxstore"
	"github.com/alexedwards/scs/postgresstore"
	"github.com/alexedwards/scs/redisstore"
	"github.com/alexedwards/scs/sqlite3store"
	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/gomodule/redigo/redis"
	"github.com/jackc/pgx/v5/stdlib"
	goredis "github.com/redis/go-redis/v9"
)

var scsLibraries = []library{
	{"scs", inMemory, "", false,
		openSCS(func(context.Context, place) (scs.Store, func() (int, error), []io.Closer, error) {
			store := memstore.NewWithCleanupInterval(0)
			return store, func() (int, error) {
				all, err := store.All()
				return len(all), err
			}, nil, nil
		})},
	{"scs", inSQLite, "", false,
		openSCS(func(ctx context.Context, at place) (scs.Store, func() (int, error), []io.Closer, error) {
			db, err := openDB("sqlite", "file:"+filepath.Join(at.dir, "scs.db")+sqliteOptions)
			if err != nil {
				return nil, nil, nil, err
			}
			_, err = db.ExecContext(ctx, "CREATE TABLE sessions (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry "+
				"REAL NOT NULL);CREATE INDEX sessions_expiry_idx ON sessions(expiry)")
			return sqlite3store.NewWithCleanupInterval(db, 0), rowsOf(db, "sessions"), []io.Closer{db}, err
		})},
	{"scs", inPostgreSQL, "", false,
		openSCS(func(ctx context.Context, at place) (scs.Store, func() (int, error), []io.Closer, error) {
			db, err := openDB("pgx", scsDSN(at))
			if err != nil {
				return nil, nil, nil, err
			}
			return postgresstore.NewWithCleanupInterval(db, 0), rowsOf(db, "sessions"), []io.Closer{db},
				scsTable(ctx, db, at)
		})},
	{"scs", inPostgreSQL, "pgxstore", false,
		openSCS(func(ctx context.Context, at place) (scs.Store, func() (int, error), []io.Closer, error) {
			pool, err := openPool(ctx, scsDSN(at))
			if err != nil {
				return nil, nil, nil, err
			}
			db := stdlib.OpenDBFromPool(pool)
			return pgxstore.NewWithCleanupInterval(pool, 0), rowsOf(db, "sessions"),
				[]io.Closer{db, closing(pool.Close)}, scsTable(ctx, db, at)
		})},
	{"scs", inRedis, "", false,
		openSCS(func(_ context.Context, at place) (scs.Store, func() (int, error), []io.Closer, error) {
			pool := redisPool(at)
			prefix := "scs:" + filepath.Base(at.dir) + ":"
			return redisstore.NewWithPrefix(pool, prefix), keysOf(pool, prefix), []io.Closer{pool}, nil
		})},
	{"scs", inRedis, "goredisstore", false,
		openSCS(func(_ context.Context, at place) (scs.Store, func() (int, error), []io.Closer, error) {
			pool, client := redisPool(at), goredis.NewClient(&goredis.Options{Addr: at.redis.address})
			prefix := "scs:" + filepath.Base(at.dir) + ":"
			return goredisstore.NewWithPrefix(client, prefix), keysOf(pool, prefix), []io.Closer{pool, client}, nil
		})},
}

// scsDSN names a schema of its own for the site, for the stores know one name of a table only.
func scsDSN(at place) string { return at.postgres.dsn + "&search_path=" + scsSchema(at) }

func scsSchema(at place) string { return "scs_" + filepath.Base(at.dir) }

// scsTable makes the schema of a site and its table.
func scsTable(ctx context.Context, db *sql.DB, at place) error {
	for _, text := range []string{
		"CREATE SCHEMA " + scsSchema(at),
		"CREATE TABLE sessions (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL)",
		"CREATE INDEX sessions_expiry_idx ON sessions (expiry)",
	} {
		if _, err := db.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

func redisPool(at place) *redis.Pool {
	return &redis.Pool{MaxIdle: 16, Dial: func() (redis.Conn, error) { return redis.Dial("tcp", at.redis.address) }}
}

func rowsOf(db *sql.DB, table string) func() (int, error) {
	return func() (n int, err error) {
		err = db.QueryRow("SELECT count(*) FROM " + table).Scan(&n)
		return n, err
	}
}

func keysOf(pool *redis.Pool, prefix string) func() (int, error) {
	return func() (int, error) {
		conn := pool.Get()
		defer conn.Close()
		keys, err := redis.Strings(conn.Do("KEYS", prefix+"*"))
		return len(keys), err
	}
}

type scsSite struct {
	m       *scs.SessionManager
	count   func() (int, error)
	closers []io.Closer
}

func openSCS(
	open func(context.Context, place) (scs.Store, func() (int, error), []io.Closer, error),
) func(context.Context, place) (site, error) {
	return func(ctx context.Context, at place) (site, error) {
		store, count, closers, err := open(ctx, at)
		if err != nil {
			return nil, err
		}
		m := scs.New()
		m.Store = store
		return &scsSite{m, count, closers}, nil
	}
}

func (s *scsSite) on(h handler) entry {
	return httpEntry{s.m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer(w, h(func() Values { return scsValues{s.m, r.Context()} }))
	}))}
}

func (s *scsSite) entries() (int, error) { return s.count() }

// list counts the sessions of a user. The library knows no users, so that it has to look into all sessions.
func (s *scsSite) list(ctx context.Context, user string) (n int, err error) {
	err = s.m.Iterate(ctx, func(ctx context.Context) error {
		if s.m.GetString(ctx, "user") == user {
			n++
		}
		return nil
	})
	return n, err
}

func (s *scsSite) revoke(ctx context.Context, user string) (n int, err error) {
	err = s.m.Iterate(ctx, func(ctx context.Context) error {
		if s.m.GetString(ctx, "user") != user {
			return nil
		}
		n++
		return s.m.Destroy(ctx)
	})
	return n, err
}

func (s *scsSite) close() (err error) {
	for _, c := range s.closers {
		err = errors.Join(err, c.Close())
	}
	return err
}

type scsValues struct {
	m   *scs.SessionManager
	ctx context.Context
}

func (v scsValues) Int(key string) int       { return v.m.GetInt(v.ctx, key) }
func (v scsValues) SetInt(key string, n int) { v.m.Put(v.ctx, key, n) }
func (v scsValues) SetText(key, text string) { v.m.Put(v.ctx, key, text) }
func (v scsValues) Login(user string) {
	_ = v.m.RenewToken(v.ctx) // a failure shows in the answers
	v.m.Put(v.ctx, "user", user)
}
func (v scsValues) Logout() { _ = v.m.Destroy(v.ctx) }
