package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Options say which database and which table. Dialect is required.
type Options struct {
	// Dialect is the kind of database.
	Dialect Dialect

	// Table is the name of the table of sessions: a letter or underscore, then at most 62 letters, digits and
	// underscores. If the database has several schemas, the connection decides where to look for it. "": "sessions".
	Table string

	// Listen, with PostgreSQL, makes the store a [session.Watcher]: all nodes hear at once of a session that ends. Set
	// it on every node, because a node without it does not announce anything either. nil: the manager asks at an
	// interval.
	Listen Listener
}

// Listener listens on a channel of the database, with a connection of its own, and calls heard with the payload of each
// notification until the context ends or the connection is lost. It may call heard with "" when it has begun to listen,
// so that the manager asks for what ended before. Its error is never nil. The module pglisten has the one for pgx.
type Listener func(ctx context.Context, db *sql.DB, channel string, heard func(payload string)) error

// Dialect is a kind of database.
type Dialect uint8

// The dialects.
const (
	SQLite Dialect = iota + 1
	PostgreSQL
	MySQL // and MariaDB
)

// String returns "SQLite", "PostgreSQL" or "MySQL".
func (d Dialect) String() string {
	switch d {
	case SQLite:
		return "SQLite"
	case PostgreSQL:
		return "PostgreSQL"
	case MySQL:
		return "MySQL"
	}
	return fmt.Sprintf("dialect %d", uint8(d))
}

const defaultTable = "sessions"

// An identifier cannot be a parameter of a statement, so that nothing but this expression stands between the option and
// the text of every query. 63 bytes is what PostgreSQL keeps of a name, and less than the 64 of MySQL.
var identifier = regexp.MustCompile(`\A[A-Za-z_][A-Za-z0-9_]{0,62}\z`)

// resolve returns the dialect and the table that the options mean.
func (o Options) resolve() (*dialect, string, error) {
	d, err := o.Dialect.lookup()
	if err != nil {
		return nil, "", err
	}
	if o.Listen != nil && o.Dialect != PostgreSQL {
		return nil, "", fmt.Errorf("sqlstore: Options.Listen works with PostgreSQL, and Options.Dialect is %s",
			o.Dialect)
	}
	if o.Table == "" {
		return d, defaultTable, nil
	}
	if !identifier.MatchString(o.Table) {
		return nil, "", fmt.Errorf("sqlstore: Options.Table %.80q is not a name of letters, digits and underscores",
			o.Table)
	}
	if d.reserved(strings.ToLower(o.Table)) {
		return nil, "", fmt.Errorf("sqlstore: Options.Table %q is reserved", o.Table)
	}
	return d, o.Table, nil
}

func (d Dialect) lookup() (*dialect, error) {
	switch d {
	case SQLite:
		return &sqlite, nil
	case PostgreSQL:
		return &postgresql, nil
	case MySQL:
		return &mysql, nil
	case 0:
		return nil, errors.New("sqlstore: Options.Dialect is not set: there are SQLite, PostgreSQL and MySQL")
	}
	return nil, fmt.Errorf("sqlstore: Options.Dialect is %s, which is none: there are SQLite, PostgreSQL and MySQL", d)
}
