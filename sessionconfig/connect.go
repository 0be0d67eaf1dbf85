package sessionconfig

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/rueidis"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/coatcheck/session/pglisten"
	"github.com/coatcheck/session/sqlstore"
)

const (
	driverSQLite     = "sqlite"
	driverPostgreSQL = "postgresql"
	driverMySQL      = "mysql"
	driverRedis      = "redis"

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

// OpenDatabase opens the database of the store database. Its table need not exist yet.
func (c *Config) OpenDatabase(ctx context.Context) (*sql.DB, sqlstore.Options, error) {
	opts := sqlstore.Options{Table: c.database.table}
	b := &builder{cfg: c}
	b.checkConnection("stores.database.connection", c.databaseConnection(), driverSQLite, driverPostgreSQL, driverMySQL)
	if len(b.problems) > 0 {
		return nil, opts, join(b.problems)
	}
	name := c.databaseConnection()
	conn := c.connections[name]
	dsn, err := conn.dsn.read(ctx, "connections."+name+".dsn_")
	if err != nil {
		return nil, opts, err
	}
	var db *sql.DB
	switch conn.driver {
	case driverSQLite:
		opts.Dialect = sqlstore.SQLite
		db, err = openSQLite(conn.path, dsn)
	case driverPostgreSQL:
		opts.Dialect, opts.Listen = sqlstore.PostgreSQL, pglisten.Listen
		db, err = openPostgreSQL(dsn)
	case driverMySQL:
		opts.Dialect = sqlstore.MySQL
		db, err = openMySQL(dsn, c.log())
	}
	if err != nil {
		return nil, opts, fmt.Errorf("sessionconfig: connections.%s: %w", name, err)
	}
	conn.pool.limit(db, strings.Contains(dsn, ":memory:"))
	return db, opts, nil
}

func openSQLite(path, dsn string) (*sql.DB, error) {
	if path == "" {
		return sql.Open("sqlite", strings.TrimSpace(dsn))
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := touch(abs); err != nil {
		return nil, fmt.Errorf("path: %w", err)
	}
	// As a URL, because a question mark or a per cent sign in the path of the file means something else to SQLite.
	uri := url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(filepath.ToSlash(abs), "/"),
		RawQuery: "_pragma=busy_timeout(250)"}
	return sql.Open("sqlite", uri.String())
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

// errDSN stands for what the drivers say of a dsn they cannot read: they repeat it, and it holds a password.
var errDSN = errors.New("the dsn is not one of this driver's")

func openPostgreSQL(dsn string) (*sql.DB, error) {
	config, err := pgx.ParseConfig(strings.TrimSpace(dsn))
	if err != nil {
		return nil, fmt.Errorf("%w: postgres://user:password@host/database is one", errDSN)
	}
	return stdlib.OpenDB(*config), nil
}

func openMySQL(dsn string, log *slog.Logger) (*sql.DB, error) {
	config, err := mysql.ParseDSN(strings.TrimSpace(dsn))
	if err != nil {
		return nil, fmt.Errorf("%w: user:password@tcp(host:3306)/database is one", errDSN)
	}
	config.Logger = driverLog{log}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, errDSN
	}
	return sql.OpenDB(connector), nil
}

// driverLog is where the MySQL driver reports broken connections, which are not failures yet.
type driverLog struct{ log *slog.Logger }

// Print implements [mysql.Logger].
func (l driverLog) Print(v ...any) { l.log.Warn("session: mysql", "message", fmt.Sprint(v...)) }

// OpenRedis connects to the server of the store redis.
func (c *Config) OpenRedis(ctx context.Context) (rueidis.Client, error) {
	b := &builder{cfg: c}
	b.checkConnection("stores.redis.connection", c.redisConnection(), driverRedis)
	if len(b.problems) > 0 {
		return nil, join(b.problems)
	}
	name := c.redisConnection()
	dsn, err := c.connections[name].dsn.read(ctx, "connections."+name+".dsn_")
	if err != nil {
		return nil, err
	}
	opts, err := redisOptions(dsn)
	if err != nil {
		return nil, fmt.Errorf("sessionconfig: connections.%s: %w", name, err)
	}
	opts.DisableCache = c.redis.cacheTTL == 0
	client, err := rueidis.NewClient(opts)
	if err != nil {
		return nil, fmt.Errorf("sessionconfig: connections.%s: %w", name, err)
	}
	return client, nil
}

// askSentinel is how often Sentinel is asked which server is the primary. Its own message at a failover may be missed.
const askSentinel = 5 * time.Second

func redisOptions(dsn string) (rueidis.ClientOption, error) {
	opts, err := rueidis.ParseURL(strings.TrimSpace(dsn))
	if err != nil {
		return opts, fmt.Errorf("%w: redis://user:password@host:6379/0 is one", errDSN)
	}
	if opts.Sentinel.MasterSet != "" {
		opts.Sentinel.TopologyRefreshInterval = askSentinel
	}
	return opts, nil
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
