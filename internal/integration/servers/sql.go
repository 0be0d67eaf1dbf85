//go:build linux

package servers

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	_ "github.com/go-sql-driver/mysql" // the driver of the data source names below
	_ "github.com/jackc/pgx/v5/stdlib" // likewise
)

// Database is a server that speaks SQL, or one that the environment named.
type Database struct {
	*Server        // nil when the environment named it
	DSN     string // with everything that package sqlstore recommends
	Addr    string // host and port
	ready   func(context.Context) error
}

// Restart starts the server again after Stop or Kill, and waits for it. The children of a PostgreSQL that was killed
// end a moment later, and until then no other one takes their data.
func (d *Database) Restart() error {
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		err := d.Start(d.ready)
		if err == nil || !strings.Contains(err.Error(), "is still in use") || time.Now().After(end) {
			return err
		}
	}
}

// PostgreSQL returns the PostgreSQL server of this program, and starts it at the first call.
var PostgreSQL = sync.OnceValues(NewPostgreSQL)

// NewPostgreSQL starts another PostgreSQL server.
func NewPostgreSQL() (*Database, error) { return NewPostgreSQLWith() }

// NewPostgreSQLWith starts another PostgreSQL server. args are added to its command line, and win.
func NewPostgreSQLWith(args ...string) (*Database, error) {
	if dsn := os.Getenv("COATCHECK_POSTGRES"); dsn != "" {
		return &Database{DSN: dsn}, nil
	}
	program, err := find("/usr/lib/postgresql/*/bin/postgres", "postgres")
	if err != nil {
		return nil, err
	}
	s, err := newServer("postgres", "postgres")
	if err != nil {
		return nil, err
	}
	data, err := s.copyOf(postgreSQLData)
	if err != nil {
		return nil, err
	}
	db := &Database{Server: s, Addr: fmt.Sprintf("127.0.0.1:%d", s.Port)}
	db.DSN = fmt.Sprintf("postgres://postgres@%s/postgres?sslmode=disable", db.Addr)
	// Without fsync the data survive kill -9 of the server all the same, which is all that a test can do to it.
	db.ready = pings("pgx", db.DSN)
	args = append([]string{"-D", data, "-p", fmt.Sprint(s.Port), "-k", s.Dir,
		"-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=200"}, args...)
	return db, s.launch(db.ready, program, args...)
}

var postgreSQLData = prepared("postgres", func(s *Server, data string) error {
	initdb, err := find("/usr/lib/postgresql/*/bin/initdb", "initdb")
	if err != nil {
		return err
	}
	return s.run(initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
})

// MySQL returns the MariaDB or MySQL server of this program, and starts it at the first call.
var MySQL = sync.OnceValues(NewMySQL)

// NewMySQL starts another MariaDB server.
func NewMySQL() (*Database, error) { return NewMySQLWith() }

// NewMySQLWith starts another MariaDB server. args are added to its command line, and win.
func NewMySQLWith(args ...string) (*Database, error) {
	if dsn := os.Getenv("COATCHECK_MYSQL"); dsn != "" {
		return &Database{DSN: dsn}, nil
	}
	program, err := find("/usr/sbin/mariadbd", "mariadbd")
	if err != nil {
		return nil, err
	}
	s, err := newServer("mariadb", "mysql")
	if err != nil {
		return nil, err
	}
	data, err := s.copyOf(mariaDBData)
	if err != nil {
		return nil, err
	}
	socket := filepath.Join(s.Dir, "sock")
	db := &Database{Server: s, Addr: fmt.Sprintf("127.0.0.1:%d", s.Port)}
	db.DSN = fmt.Sprintf("coatcheck@tcp(%s)/coatcheck", db.Addr)
	db.ready = pings("mysql", "root@unix("+socket+")/")
	args = append([]string{"--no-defaults", "--datadir=" + data, "--socket=" + socket,
		"--port=" + fmt.Sprint(s.Port), "--bind-address=127.0.0.1", "--skip-name-resolve", "--max-connections=200",
		"--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=512M"}, args...)
	if err := s.launch(db.ready, program, args...); err != nil {
		return nil, err
	}
	return db, execute("mysql", "root@unix("+socket+")/", "CREATE DATABASE coatcheck",
		"CREATE USER coatcheck@'127.0.0.1'", "GRANT ALL ON coatcheck.* TO coatcheck@'127.0.0.1'")
}

var mariaDBData = prepared("mysql", func(s *Server, data string) error {
	install, err := find("mariadb-install-db")
	if err != nil {
		return err
	}
	return s.run(install, "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal",
		"--skip-test-db")
})

func pings(driver, dsn string) func(context.Context) error {
	return func(ctx context.Context) error {
		db, err := sql.Open(driver, dsn)
		if err != nil {
			return err
		}
		defer db.Close()
		return db.PingContext(ctx)
	}
}

func execute(driver, dsn string, statements ...string) error {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, text := range statements {
		if _, err := db.Exec(text); err != nil {
			return err
		}
	}
	return nil
}
