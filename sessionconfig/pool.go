package sessionconfig

import (
	"cmp"
	"database/sql"
	"strings"
	"time"

	"github.com/coatcheck/session/sessionconfig/internal/driver"
)

// pool is how many connections there are to a database, and how long each is used.
type pool struct {
	open, idle         int
	idleTime, lifetime time.Duration // negative: no limit
	pgx                bool          // the pool is one of pgx, not of database/sql
}

// limit sets them. A database in memory lives as long as its one connection: a second one would be a database of its
// own.
func (p pool) limit(db *sql.DB, inMemory bool) {
	open := cmp.Or(p.open, defaultOpen)
	if inMemory {
		open, p.idle, p.idleTime, p.lifetime = 1, 1, -1, -1
	}
	db.SetMaxOpenConns(open)
	db.SetMaxIdleConns(cmp.Or(p.idle, open))
	db.SetConnMaxIdleTime(cmp.Or(p.idleTime, defaultIdleTime))
	db.SetConnMaxLifetime(p.lifetime)
}

// inMemory reports whether a DSN names a database of SQLite that ends with its connection.
func inMemory(dsn string) bool {
	return strings.Contains(dsn, ":memory:") || strings.Contains(dsn, "mode=memory")
}

// limits are those for a pool of pgx.
func (p pool) limits() driver.Limits {
	return driver.Limits{Open: cmp.Or(p.open, defaultOpen), MaxIdleTime: cmp.Or(p.idleTime, defaultIdleTime),
		Lifetime: p.lifetime}
}

// Connection describes what a store is connected to, for messages.
type Connection struct {
	Name                     string        // "" for a store that uses none
	Driver                   string        // sqlite, postgresql, mysql or redis
	MaxIdleTime, MaxLifetime time.Duration // of a connection to a database. Negative or 0: no limit
}

// Connection describes the connection that the store uses.
func (c *Config) Connection() Connection {
	name := ""
	switch c.Store {
	case storeDatabase:
		name = c.databaseConnection()
	case storeRedis:
		name = c.redisConnection()
	}
	if name == "" || c.connections[name] == nil {
		return Connection{}
	}
	conn := c.connections[name]
	return Connection{name, conn.driver, cmp.Or(conn.pool.idleTime, defaultIdleTime), conn.pool.lifetime}
}
