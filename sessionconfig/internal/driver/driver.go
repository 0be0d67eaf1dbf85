// Package driver is where the packages beside it leave what opens a kind of server, and where sessionconfig finds it. A
// program links those that it imports, and no other.
package driver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sqlstore"
)

// The kinds of server, as the key connections.*.driver names them.
const (
	SQLite     = "sqlite"
	PostgreSQL = "postgresql"
	MySQL      = "mysql"
	Redis      = "redis"
)

// packages are the names of the packages that bring a driver.
var packages = map[string]string{SQLite: "sqlite", PostgreSQL: "postgres", MySQL: "mysql", Redis: "redis"}

// ErrDSN stands for what drivers say of a dsn they cannot read: they repeat it, and it may hold a password.
var ErrDSN = errors.New("the driver cannot read this dsn")

// Database opens databases of one kind.
type Database struct {
	Dialect sqlstore.Dialect
	Listen  sqlstore.Listener // nil for a server that announces nothing
	Open    func(Place) (*sql.DB, error)
	// OpenPool does without database/sql. nil for a driver that knows no other way.
	OpenPool func(context.Context, Place, Limits) (Pool, error)
}

// Limits are how many connections there are, and how long each is used.
type Limits struct {
	Open                  int
	MaxIdleTime, Lifetime time.Duration // negative or 0: no limit
}

// Pool is connections that are not those of database/sql.
type Pool interface {
	Table(name string) (Table, error)
	Close()
}

// Table is a store in a table.
type Table interface {
	session.Store
	Migrate(context.Context) error
	SchemaVersion(context.Context) (at, known int, err error)
}

// Place is where a database is.
type Place struct {
	Path string // of a file of SQLite; "" when there is a dsn
	DSN  string
	Log  *slog.Logger // for what the driver has to say
}

// Server connects to Redis, and makes a store of the connection.
type Server struct {
	Connect func(dsn string, cache bool) (Client, error)
	Store   func(client Client, prefix string, cacheTTL time.Duration) (session.Store, error)
}

// Client is a connection to Redis. The driver alone knows what else it is.
type Client = interface{ Close() }

// What was registered. Packages are initialized one after the other, before anybody asks, so no lock is needed.
var (
	databases = map[string]Database{}
	servers   = map[string]Server{}
)

// RegisterDatabase is for the init of a package.
func RegisterDatabase(kind string, d Database) { databases[kind] = d }

// RegisterServer is for the init of a package.
func RegisterServer(kind string, s Server) { servers[kind] = s }

// DatabaseFor returns what opens databases of a kind, or an error that says which package to import.
func DatabaseFor(kind string) (Database, error) { return find(databases, kind) }

// ServerFor returns what connects to servers of a kind, or an error that says which package to import.
func ServerFor(kind string) (Server, error) { return find(servers, kind) }

func find[T any](linked map[string]T, kind string) (T, error) {
	found, ok := linked[kind]
	if !ok {
		const parent = "github.com/coatcheck/session/sessionconfig/"
		return found, fmt.Errorf("this program has no driver for %s: add the line import _ %q, or %q for every kind",
			kind, parent+packages[kind], parent+"all")
	}
	return found, nil
}
