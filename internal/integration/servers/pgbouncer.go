//go:build linux

package servers

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// PgBouncer returns the PgBouncer of this program, in front of its PostgreSQL server, and starts both at the first
// call. It pools by transaction: one after another may run on another of its few connections.
var PgBouncer = sync.OnceValues(func() (*Database, error) { return NewPgBouncer("transaction") })

const pgbouncerConfig = `[databases]
postgres = host=127.0.0.1 port=%d user=postgres

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = %s
default_pool_size = 4
max_client_conn = 1000
`

// NewPgBouncer starts another PgBouncer in front of the PostgreSQL server. mode is "transaction" or "session".
func NewPgBouncer(mode string) (*Database, error) {
	behind, err := PostgreSQL()
	if err != nil {
		return nil, err
	}
	if behind.Server == nil {
		return nil, fmt.Errorf("pgbouncer stands in front of a server of its own: unset COATCHECK_POSTGRES")
	}
	program, err := find("/usr/sbin/pgbouncer", "pgbouncer")
	if err != nil {
		return nil, err
	}
	s, err := newServer("pgbouncer", "postgres")
	if err != nil {
		return nil, err
	}
	config := filepath.Join(s.Dir, "pgbouncer.ini")
	if err := os.WriteFile(config, fmt.Appendf(nil, pgbouncerConfig, behind.Port, s.Port, mode), 0o644); err != nil {
		return nil, err
	}
	front, err := withoutCancels(fmt.Sprintf("127.0.0.1:%d", s.Port))
	if err != nil {
		return nil, err
	}
	db := &Database{Server: s, Addr: front}
	db.DSN = fmt.Sprintf("postgres://postgres@%s/postgres?sslmode=disable", db.Addr)
	db.ready = pings("pgx", db.DSN)
	return db, s.launch(db.ready, program, config)
}
