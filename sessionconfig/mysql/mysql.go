// Package mysql lets a configuration name databases of MySQL and MariaDB. Import it for that alone:
//
//	import _ "github.com/coatcheck/session/sessionconfig/mysql"
//
// The driver is [github.com/go-sql-driver/mysql]. What it has to say goes to the logger of the configuration.
package mysql

import (
	"database/sql"
	"fmt"
	"log/slog"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/coatcheck/session/sessionconfig/internal/driver"
	"github.com/coatcheck/session/sqlstore"
)

func init() {
	driver.RegisterDatabase(driver.MySQL, driver.Database{Dialect: sqlstore.MySQL, Open: open})
}

func open(at driver.Place) (*sql.DB, error) {
	config, err := mysql.ParseDSN(strings.TrimSpace(at.DSN))
	if err != nil {
		return nil, fmt.Errorf("%w: write it as user:password@tcp(host:3306)/database", driver.ErrDSN)
	}
	config.Logger = logger{at.Log}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, driver.ErrDSN
	}
	return sql.OpenDB(connector), nil
}

// logger is where the driver reports broken connections, which are not failures yet.
type logger struct{ log *slog.Logger }

// Print implements [mysql.Logger].
func (l logger) Print(v ...any) { l.log.Warn("session: mysql", "message", fmt.Sprint(v...)) }
