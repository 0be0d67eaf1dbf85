// Package postgres lets a configuration name databases of PostgreSQL. Import it for that alone:
//
//	import _ "github.com/coatcheck/session/sessionconfig/postgres"
//
// The driver is [github.com/jackc/pgx/v5]. All nodes hear at once of a session that ends. The store is that of package
// sqlstore, or that of package pgstore for a connection with pool: pgx.
package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/coatcheck/session/pglisten"
	"github.com/coatcheck/session/pgstore"
	"github.com/coatcheck/session/sessionconfig/internal/driver"
	"github.com/coatcheck/session/sqlstore"
)

func init() {
	driver.RegisterDatabase(driver.PostgreSQL,
		driver.Database{Dialect: sqlstore.PostgreSQL, Listen: pglisten.Listen, Open: open, OpenPool: openPool})
}

func open(at driver.Place) (*sql.DB, error) {
	config, err := parse(at.DSN)
	if err != nil {
		return nil, err
	}
	return stdlib.OpenDB(*config), nil
}

// parse reads a dsn. pgx has parameters for the size of its own pool, which a configuration has keys for.
func parse(dsn string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(strings.TrimSpace(dsn))
	if err != nil {
		return nil, fmt.Errorf("%w: write it as postgres://user:password@host/database", driver.ErrDSN)
	}
	for name := range config.RuntimeParams {
		if strings.HasPrefix(name, "pool_") {
			return nil, fmt.Errorf("the dsn sets %s: take it out, and use the keys max_open, max_idle_time and "+
				"max_lifetime", name)
		}
	}
	return config, nil
}

func openPool(ctx context.Context, at driver.Place, limits driver.Limits) (driver.Pool, error) {
	if _, err := parse(at.DSN); err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(strings.TrimSpace(at.DSN))
	if err != nil {
		return nil, driver.ErrDSN
	}
	config.MaxConns = int32(min(limits.Open, math.MaxInt32))
	config.MaxConnIdleTime, config.MaxConnLifetime = orNever(limits.MaxIdleTime), orNever(limits.Lifetime)
	p, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	return pool{p}, nil
}

// orNever is a limit as pgx wants it, to which a connection is too old at once with 0.
func orNever(limit time.Duration) time.Duration {
	if limit <= 0 {
		return math.MaxInt64
	}
	return limit
}

type pool struct{ *pgxpool.Pool }

func (p pool) Table(name string) (driver.Table, error) {
	return pgstore.New(p.Pool, pgstore.Options{Table: name})
}
