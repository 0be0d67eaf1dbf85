package sessionconfig

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/coatcheck/session/sessionconfig/internal/driver"
	"github.com/coatcheck/session/sqlstore"
)

const (
	driverSQLite     = driver.SQLite
	driverPostgreSQL = driver.PostgreSQL
	driverMySQL      = driver.MySQL
	driverRedis      = driver.Redis

	defaultOpen = 8
	// Firewalls and proxies drop what has been silent for longer, and a server at the end of its wait_timeout. Nobody
	// is told.
	defaultIdleTime = 5 * time.Minute
)

// only is the connection that a store means when it names none: the one that fits.
func (c *Config) only(named string, fit func(driver string) bool) string {
	if named != "" {
		return named
	}
	found := ""
	for _, name := range c.Connections() {
		if !fit(c.connections[name].driver) {
			continue
		}
		if found != "" {
			return "" // which?
		}
		found = name
	}
	return found
}

func (c *Config) databaseConnection() string {
	return c.only(c.database.connection, func(driver string) bool { return driver != driverRedis })
}

func (c *Config) redisConnection() string {
	return c.only(c.redis.connection, func(driver string) bool { return driver == driverRedis })
}

// OpenDatabase opens the database that the store "database" uses. The table need not exist yet. The program must import
// the package of its driver, as the package comment says. The pool is one of database/sql, whatever the key pool says.
func (c *Config) OpenDatabase(ctx context.Context) (*sql.DB, sqlstore.Options, error) {
	opts := sqlstore.Options{Table: c.database.table}
	kind, at, err := c.findDatabase(ctx)
	if err != nil {
		return nil, opts, err
	}
	opts.Dialect, opts.Listen = kind.Dialect, kind.Listen
	name := c.databaseConnection()
	db, err := kind.Open(at)
	if err != nil {
		return nil, opts, unopened(name, err)
	}
	c.connections[name].pool.limit(db, inMemory(at.DSN))
	return db, opts, nil
}

// findDatabase returns what opens the database of the store database, and where that is.
func (c *Config) findDatabase(ctx context.Context) (kind driver.Database, at driver.Place, err error) {
	b := &builder{cfg: c}
	b.checkConnection("stores.database.connection", c.databaseConnection(), driverSQLite, driverPostgreSQL, driverMySQL)
	if len(b.problems) > 0 {
		return kind, at, join(b.problems)
	}
	name := c.databaseConnection()
	conn := c.connections[name]
	if kind, err = driver.DatabaseFor(conn.driver); err != nil {
		return kind, at, fmt.Errorf("sessionconfig: connections.%s.driver: %w", name, err)
	}
	at = driver.Place{Path: conn.path, Log: c.log()}
	at.DSN, err = conn.dsn.read(ctx, "connections."+name+".dsn_")
	return kind, at, err
}

// OpenRedis connects to the server that the store "redis" uses. The client can only be closed; Open of package
// sessionconfig/redis returns it as a rueidis.Client.
func (c *Config) OpenRedis(ctx context.Context) (interface{ Close() }, error) {
	client, _, err := c.connectRedis(ctx)
	return client, err
}

func (c *Config) connectRedis(ctx context.Context) (client driver.Client, kind driver.Server, err error) {
	b := &builder{cfg: c}
	b.checkConnection("stores.redis.connection", c.redisConnection(), driverRedis)
	if len(b.problems) > 0 {
		return nil, kind, join(b.problems)
	}
	name := c.redisConnection()
	if kind, err = driver.ServerFor(driverRedis); err != nil {
		return nil, kind, fmt.Errorf("sessionconfig: connections.%s.driver: %w", name, err)
	}
	dsn, err := c.connections[name].dsn.read(ctx, "connections."+name+".dsn_")
	if err != nil {
		return nil, kind, err
	}
	if client, err = kind.Connect(dsn, c.redis.cacheTTL != 0); err != nil {
		return nil, kind, unopened(name, err)
	}
	return client, kind, nil
}

// unopened is why there is no connection: a server that does not answer, or a dsn that nobody can read.
func unopened(name string, err error) error {
	if errors.Is(err, driver.ErrDSN) {
		return wrong("connections."+name, "%s", err)
	}
	return fmt.Errorf("sessionconfig: connections.%s: %w", name, err)
}

// closer closes several things in turn, once.
type closer struct {
	once sync.Once
	list []io.Closer
	err  error
}

func newCloser(list ...io.Closer) io.Closer { return &closer{list: list} }

func (c *closer) Close() error {
	c.once.Do(func() {
		for _, one := range c.list {
			c.err = errors.Join(c.err, one.Close())
		}
	})
	return c.err
}

// closeFunc is a Close without an error.
type closeFunc func()

func (f closeFunc) Close() error {
	f()
	return nil
}
