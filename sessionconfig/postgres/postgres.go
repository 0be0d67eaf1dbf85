// Package postgres lets a configuration name databases of PostgreSQL. Import it for that alone:
//
//	import _ "github.com/coatcheck/session/sessionconfig/postgres"
//
// The driver is [github.com/jackc/pgx/v5]. All nodes hear at once of a session that ends, by package pglisten.
package postgres

import (
	"database/sql"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/coatcheck/session/pglisten"
	"github.com/coatcheck/session/sessionconfig/internal/driver"
	"github.com/coatcheck/session/sqlstore"
)

func init() {
	driver.RegisterDatabase(driver.PostgreSQL,
		driver.Database{Dialect: sqlstore.PostgreSQL, Listen: pglisten.Listen, Open: open})
}

func open(at driver.Place) (*sql.DB, error) {
	config, err := pgx.ParseConfig(strings.TrimSpace(at.DSN))
	if err != nil {
		return nil, fmt.Errorf("%w: postgres://user:password@host/database is one", driver.ErrDSN)
	}
	return stdlib.OpenDB(*config), nil
}
