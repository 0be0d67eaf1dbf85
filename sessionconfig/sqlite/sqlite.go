// Package sqlite lets a configuration name databases of SQLite. Import it for that alone:
//
//	import _ "github.com/coatcheck/session/sessionconfig/sqlite"
//
// The driver is [modernc.org/sqlite], which needs no C compiler. Package database/sql knows it as "sqlite".
package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/coatcheck/session/sessionconfig/internal/driver"
	"github.com/coatcheck/session/sqlstore"
)

func init() {
	driver.RegisterDatabase(driver.SQLite, driver.Database{Dialect: sqlstore.SQLite, Open: open})
}

func open(at driver.Place) (*sql.DB, error) {
	if at.Path == "" {
		if file, made := driver.FileOf(at.DSN); made {
			if err := touch(file); err != nil {
				return nil, fmt.Errorf("dsn: %w", err)
			}
		}
		return sql.Open("sqlite", strings.TrimSpace(at.DSN))
	}
	abs, err := filepath.Abs(at.Path)
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
