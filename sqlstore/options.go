package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/coatcheck/session/internal/sqltable"
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
	table, err := sqltable.Table(o.Table, d.reserved)
	if err != nil {
		return nil, "", fmt.Errorf("sqlstore: %w", err)
	}
	return d, table, nil
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
