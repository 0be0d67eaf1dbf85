package sessionconfig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/filestore"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/nullstore"
	"github.com/coatcheck/session/sessionconfig/internal/driver"
	"github.com/coatcheck/session/sqlstore"
)

// Open reads the secrets, opens the store, makes sure that it answers, and returns a manager on it. The closer stops
// the manager's sweeper and closes what Open opened, in that order; it may be called more than once.
func (c *Config) Open(ctx context.Context) (*session.Manager, io.Closer, error) {
	opts := c.Options
	secrets, err := c.Secrets(ctx)
	if err != nil {
		return nil, nil, err
	}
	if opts.SecretSource == nil {
		opts.Secrets = secrets
	}
	store, closer, err := c.OpenStore(ctx)
	if err != nil {
		return nil, nil, err
	}
	m, err := session.New(store, opts)
	if err != nil {
		return nil, nil, errors.Join(err, closer.Close())
	}
	c.warn(ctx, c.log())
	return m, newCloser(m, closer), nil
}

// OpenStore opens the store alone, for a manager of your own: give that one Options, with Options.Secrets set to what
// [Config.Secrets] returns. With secrets.reload, Options.SecretSource is set and Secrets stays empty.
func (c *Config) OpenStore(ctx context.Context) (session.Store, io.Closer, error) {
	switch c.Store {
	case "":
		return nil, nil, wrong("", "the key store is not set: choose %s", oneOf(storeNames))
	case storeMemory:
		return memstore.New(memstore.Options{MaxSessions: c.memory.max}), newCloser(), nil
	case storeNull:
		return nullstore.New(), newCloser(), nil
	case storeFile:
		return c.openFiles()
	case storeDatabase:
		return c.openDatabaseStore(ctx)
	case storeRedis:
		return c.openRedis(ctx)
	case storeCookies:
		return c.openCookies(ctx)
	}
	return c.openOwn(ctx)
}

func (c *Config) openFiles() (session.Store, io.Closer, error) {
	store, err := filestore.New(c.file.path, filestore.Options{NoSync: c.file.noSync})
	if err != nil {
		return nil, nil, fmt.Errorf("sessionconfig: stores.file.path: %w", err)
	}
	return store, newCloser(store), nil
}

func (c *Config) openDatabaseStore(ctx context.Context) (session.Store, io.Closer, error) {
	store, closer, err := c.openTable(ctx)
	if err != nil {
		return nil, nil, err
	}
	if c.database.migrate {
		err = store.Migrate(ctx)
	}
	if err == nil {
		err = probe(ctx, store)
	}
	if err == nil {
		err = outdated(ctx, store)
	}
	if err != nil {
		err = explainTable(ctx, store, err)
		err = fmt.Errorf("sessionconfig: the store database, connection %q: %w", c.databaseConnection(), err)
		return nil, nil, errors.Join(err, closer.Close())
	}
	return store, closer, nil
}

// openTable makes the store of a table that need not be there.
func (c *Config) openTable(ctx context.Context) (driver.Table, io.Closer, error) {
	if name := c.databaseConnection(); c.connections[name] != nil && c.connections[name].pool.pgx {
		return c.openPool(ctx, name)
	}
	db, opts, err := c.OpenDatabase(ctx)
	if err != nil {
		return nil, nil, err
	}
	store, err := sqlstore.New(db, opts)
	if err != nil {
		return nil, nil, errors.Join(wrong("stores.database.table", "%s", err), db.Close())
	}
	return store, newCloser(store, db), nil
}

func (c *Config) openPool(ctx context.Context, name string) (driver.Table, io.Closer, error) {
	kind, at, err := c.findDatabase(ctx)
	if err != nil {
		return nil, nil, err
	}
	pool, err := kind.OpenPool(ctx, at, c.connections[name].pool.limits())
	if err != nil {
		return nil, nil, unopened(name, err)
	}
	store, err := pool.Table(c.database.table)
	if err != nil {
		pool.Close()
		return nil, nil, wrong("stores.database.table", "%s", err)
	}
	return store, newCloser(closeFunc(pool.Close)), nil
}

// explainTable says what to do about a table that is not there, or is somebody else's.
func explainTable(ctx context.Context, store driver.Table, err error) error {
	var down net.Error
	if errors.As(err, &down) {
		return err
	}
	const option, key = "Options.Table: ", "stores.database.table: "
	at, _, failed := store.SchemaVersion(ctx)
	switch {
	case failed == nil && at == 0:
		return fmt.Errorf("%w; coatcheck db migrate creates the table, and so does stores.database.migrate: true", err)
	case failed != nil && strings.Contains(failed.Error(), option):
		return errors.New(strings.Replace(failed.Error(), option, key, 1) + "; choose another name")
	}
	return err
}

// outdated says what to do about a table that an older release made, which every save would trip over. Whoever may
// not read the version is let through.
func outdated(ctx context.Context, store driver.Table) error {
	at, known, err := store.SchemaVersion(ctx)
	if err != nil || at == 0 || at >= known {
		return nil
	}
	return fmt.Errorf("the table is at step %d of %d: coatcheck db migrate applies the others, and so does "+
		"stores.database.migrate: true", at, known)
}

func (c *Config) openRedis(ctx context.Context) (session.Store, io.Closer, error) {
	client, kind, err := c.connectRedis(ctx)
	if err != nil {
		return nil, nil, err
	}
	closer := newCloser(closeFunc(client.Close))
	store, err := kind.Store(client, c.redis.prefix, c.redis.cacheTTL)
	if err == nil {
		err = probe(ctx, store)
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("sessionconfig: the store redis: %w", err), closer.Close())
	}
	return store, closer, nil
}

func (c *Config) openOwn(ctx context.Context) (session.Store, io.Closer, error) {
	open := registered(c.Store)
	if open == nil {
		return nil, nil, fmt.Errorf("sessionconfig: there is no store %q: choose %s, or Register it", cut(c.Store),
			oneOf(storeNames))
	}
	store, err := open(ctx, c.own[c.Store])
	if err == nil && store == nil {
		err = errors.New("the opener returned no store")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("sessionconfig: open the store %q: %w", c.Store, err)
	}
	if closer, ok := store.(io.Closer); ok {
		return store, newCloser(closer), nil
	}
	return store, newCloser(), nil
}

// probe asks for a record that cannot be there.
func probe(ctx context.Context, store session.Store) error {
	_, err := store.Load(ctx, "sessionconfig probe")
	if errors.Is(err, session.ErrNotFound) {
		return nil
	}
	return err
}

// WithStore returns a copy of the configuration that uses another of its stores. After a colon you may name the
// connection for the store database or redis, as in "database:production", or the folder for the store file.
func (c *Config) WithStore(name string) (*Config, error) {
	word, which, given := strings.Cut(name, ":")
	kind, err := storeName(word)
	if err != nil {
		return nil, fmt.Errorf("sessionconfig: there is no store %q; %wchoose %s", cut(word), err, oneOf(storeNames))
	}
	other := *c
	other.Store, other.warned = kind, false
	switch {
	case !given:
	case kind == storeDatabase:
		other.database.connection = which
	case kind == storeRedis:
		other.redis.connection = which
	case kind == storeFile:
		other.file.path, other.file.given = which, true
	default:
		return nil, fmt.Errorf("sessionconfig: the store %s has no connections; leave out what follows its name", kind)
	}
	b := &builder{cfg: &other}
	b.checkStore()
	if len(b.problems) > 0 {
		return nil, join(b.problems)
	}
	return &other, nil
}

// checkStore refuses a store that lacks what it needs.
func (b *builder) checkStore() {
	const configuration = "the configuration"
	switch c := b.cfg; c.Store {
	case storeFile:
		if c.file.path == "" {
			b.refuse(configuration, "stores.file.path", "", "the store file needs a folder")
		}
	case storeDatabase:
		b.checkConnection("stores.database.connection", c.databaseConnection(), driverSQLite, driverPostgreSQL,
			driverMySQL)
	case storeCookies:
		b.checkRevocations()
	case storeRedis:
		b.checkConnection("stores.redis.connection", c.redisConnection(), driverRedis)
	}
}

// fitting lists the connections with one of these drivers.
func (c *Config) fitting(drivers []string) []string {
	return slices.DeleteFunc(c.Connections(), func(name string) bool {
		return !slices.Contains(drivers, c.connections[name].driver)
	})
}

// checkConnection refuses a name that is not configured, and tells those that are.
func (b *builder) checkConnection(key, name string, fit ...string) {
	c := b.cfg
	at := b.from[key]
	if at.From == "" {
		at.From = "the configuration"
	}
	conn := c.connections[name]
	switch {
	case conn == nil && len(c.connections) == 0:
		b.refuse(at.From, key, "", "there are no connections: add one under connections")
	case conn == nil && name == "" && len(c.fitting(fit)) == 0:
		b.refuse(at.From, key, "", "no connection fits this store: add one with the driver "+oneOf(fit))
	case conn == nil && name == "":
		b.refuse(at.From, key, "", "choose one of the connections "+oneOf(c.fitting(fit)))
	case conn == nil:
		b.refuse(at.From, key, show(name), "there is no such connection; "+suggest(name, c.Connections())+
			"choose "+oneOf(c.Connections()))
	case !slices.Contains(fit, conn.driver):
		b.refuse(at.From, "connections."+name+".driver", show(conn.driver), "this store needs "+oneOf(fit))
	case conn.path == "" && len(conn.dsn.ways()) == 0:
		b.refuse(at.From, "connections."+name, "", "set dsn, dsn_env, dsn_file or dsn_command, or path for a "+
			"SQLite file")
	case conn.pool.pgx && conn.driver != driverPostgreSQL:
		b.refuse(at.From, "connections."+name+".pool", `"pgx"`, "only postgresql has it; leave it out")
	case conn.pool.pgx && conn.pool.idle != 0:
		b.refuse(at.From, "connections."+name+".max_idle", "", "a pool of pgx keeps every connection until its "+
			"max_idle_time; leave it out")
	case conn.path != "" && (conn.driver != driverSQLite || len(conn.dsn.ways()) > 0):
		b.refuse(at.From, "connections."+name+".path", "", "only SQLite takes a path, and takes no dsn with it")
	}
}
