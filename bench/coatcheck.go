//go:build linux

package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/filestore"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/pgstore"
	"github.com/coatcheck/session/redisstore"
	"github.com/coatcheck/session/sqlstore"
)

const coatcheck = "coatcheck"

var coatcheckLibraries = []library{
	{coatcheck, inMemory, "", true, openOurs(func(context.Context, place) (session.Store, []io.Closer, error) {
		return memstore.New(memstore.Options{}), nil, nil
	})},
	{coatcheck, inCookie, "", true, openOurs(func(context.Context, place) (session.Store, []io.Closer, error) {
		store, err := cookiestore.New(cookiestore.Options{})
		return store, nil, err
	})},
	{coatcheck, inFiles, "", true, openOurs(ourFiles(filestore.Options{}))},
	{coatcheck, inFiles, "without sync", true, openOurs(ourFiles(filestore.Options{NoSync: true}))},
	{coatcheck, inSQLite, "", true, openOurs(ourDatabase(sqlstore.SQLite))},
	{coatcheck, inPostgreSQL, "", true, openOurs(ourDatabase(sqlstore.PostgreSQL))},
	{coatcheck, inPostgreSQL, "pgstore", true, openOurs(ourPool)},
	{coatcheck, inPostgreSQL, sharedPool, true, openOurs(ourSharedPool)},
	{coatcheck, inMySQL, "", true, openOurs(ourDatabase(sqlstore.MySQL))},
	{coatcheck, inRedis, "", true, openOurs(ourRedis(redisstore.Options{}))},
	{coatcheck, inRedis, "cached", true, openOurs(ourRedis(redisstore.Options{CacheTTL: cacheTTL}))},
}

// sharedPool is sqlstore with the connections of a pool of pgx, as a program has it that has such a pool.
const sharedPool = "sqlstore on a pool of pgx"

type ourSite struct {
	m       *session.Manager
	closers []io.Closer
}

type opener func(context.Context, place) (session.Store, []io.Closer, error)

func openOurs(open opener) func(context.Context, place) (site, error) {
	return func(ctx context.Context, at place) (site, error) {
		store, closers, err := open(ctx, at)
		if err != nil {
			return nil, err
		}
		m, err := session.New(store, session.Options{Secrets: []session.Secret{session.NewSecret()}})
		return &ourSite{m, closers}, err
	}
}

// ourFiles opens a folder that has been in use: the first sessions make the folders in it, and wait for each.
func ourFiles(opts filestore.Options) opener {
	return func(ctx context.Context, at place) (session.Store, []io.Closer, error) {
		store, err := filestore.New(filepath.Join(at.dir, "sessions"), opts)
		if err != nil {
			return nil, nil, err
		}
		return store, []io.Closer{store}, used(ctx, store)
	}
}

// used makes sessions of nobody, and removes them.
func used(ctx context.Context, store session.Store) error {
	for i := range 2000 { // in 256 folders by chance
		rec := &session.Record{ID: strconv.Itoa(i), ExpiresAt: time.Now().Add(time.Hour)}
		if err := cmp.Or(store.Save(ctx, rec), store.Delete(ctx, rec.ID)); err != nil {
			return err
		}
	}
	return nil
}

func ourDatabase(dialect sqlstore.Dialect) opener {
	return func(ctx context.Context, at place) (session.Store, []io.Closer, error) {
		db, err := openSQL(dialect, at)
		if err != nil {
			return nil, nil, err
		}
		store, err := sqlstore.New(db, sqlstore.Options{Dialect: dialect, Table: tableIn(at)})
		if err != nil {
			return nil, nil, errors.Join(err, db.Close())
		}
		return store, []io.Closer{store, db}, store.Migrate(ctx)
	}
}

func ourPool(ctx context.Context, at place) (session.Store, []io.Closer, error) {
	pool, err := openPool(ctx, at.postgres.dsn)
	if err != nil {
		return nil, nil, err
	}
	store, err := pgstore.New(pool, pgstore.Options{Table: tableIn(at)})
	if err != nil {
		return nil, []io.Closer{closing(pool.Close)}, err
	}
	return store, []io.Closer{closing(pool.Close)}, store.Migrate(ctx)
}

func ourSharedPool(ctx context.Context, at place) (session.Store, []io.Closer, error) {
	pool, err := openPool(ctx, at.postgres.dsn)
	if err != nil {
		return nil, nil, err
	}
	db := stdlib.OpenDBFromPool(pool)
	store, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.PostgreSQL, Table: tableIn(at)})
	if err != nil {
		return nil, []io.Closer{db, closing(pool.Close)}, err
	}
	return store, []io.Closer{store, db, closing(pool.Close)}, store.Migrate(ctx)
}

func tableIn(at place) string { return "coatcheck_" + filepath.Base(at.dir) }

func openSQL(dialect sqlstore.Dialect, at place) (*sql.DB, error) {
	driver, dsn := "sqlite", "file:"+filepath.Join(at.dir, "sessions.db")+sqliteOptions
	switch dialect {
	case sqlstore.PostgreSQL:
		driver, dsn = "pgx", at.postgres.dsn
	case sqlstore.MySQL:
		driver, dsn = "mysql", at.mysql.dsn
	}
	return openDB(driver, dsn)
}

func ourRedis(opts redisstore.Options) opener {
	return func(_ context.Context, at place) (session.Store, []io.Closer, error) {
		client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{at.redis.address},
			DisableCache: opts.CacheTTL == 0})
		if err != nil {
			return nil, nil, err
		}
		opts := opts
		opts.Prefix = filepath.Base(at.dir) + ":"
		store, err := redisstore.New(client, opts)
		return store, []io.Closer{closing(client.Close)}, err
	}
}

func (s *ourSite) on(h handler) entry {
	return httpEntry{s.m.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var failed error
		body := h(func() Values {
			found, err := s.m.Load(r.Context())
			failed = err
			return ourValues{found}
		})
		if failed != nil {
			http.Error(w, "the store failed", http.StatusServiceUnavailable)
			return
		}
		answer(w, body)
	}))}
}

func (s *ourSite) entries() (n int, err error) {
	for _, err := range s.m.All(context.Background()) {
		if errors.Is(err, session.ErrNotSupported) {
			return -1, nil
		}
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

func (s *ourSite) list(ctx context.Context, user string) (int, error) {
	infos, err := s.m.Sessions(ctx, user)
	return len(infos), err
}

func (s *ourSite) revoke(ctx context.Context, user string) (int, error) {
	return s.m.RevokeUser(ctx, user)
}

func (s *ourSite) close() error {
	err := s.m.Close()
	for _, c := range s.closers {
		err = errors.Join(err, c.Close())
	}
	return err
}

type ourValues struct{ s *session.Session }

func (v ourValues) Int(key string) int       { return session.Key[int](key).Or(v.s, 0) }
func (v ourValues) SetInt(key string, n int) { session.Key[int](key).Set(v.s, n) }
func (v ourValues) SetText(key, text string) { session.Key[string](key).Set(v.s, text) }
func (v ourValues) Login(user string)        { v.s.Login(user) }
func (v ourValues) Logout()                  { v.s.Logout() }

// Add is how this library counts: by an update that is repeated on conflict.
func (v ourValues) Add(key string) int {
	k := session.Key[int](key)
	k.Update(v.s, func(n int) int { return n + 1 })
	return k.Or(v.s, 0)
}
