package integration_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sqlstore"
)

// A server that ends every connection, as a restart or an operator does, costs no read: each is done on another
// connection.
func TestServerReadsOutliveTheirConnections(t *testing.T) {
	eachWay(t, func(t *testing.T, s server) {
		db, admin := s.open(t), sqlServers[0]
		if s.dialect == sqlstore.MySQL {
			admin = sqlServers[1]
		}
		store, by := s.store(t, db, s.table()), admin.open(t)
		save(t, store, &session.Record{ID: "a", User: "ada"})
		ctx := t.Context()
		for range 2 {
			for name, read := range map[string]func() (int, error){
				"Load":   func() (int, error) { _, err := store.Load(ctx, "a"); return 1, err },
				"ByUser": func() (int, error) { recs, err := store.ByUser(ctx, "ada"); return len(recs), err },
				"Page":   func() (int, error) { recs, err := store.Page(ctx, "", 10); return len(recs), err },
			} {
				warm(t, db, 8)
				endConnections(t, by.DB, s.dialect)
				if n, err := read(); err != nil || n != 1 {
					t.Errorf("%s on connections that were ended = %d records, %v, want 1", name, n, err)
				}
			}
		}
	})
}

// warm fills a pool with connections that work.
func warm(t *testing.T, db opened, n int) {
	t.Helper()
	for range n {
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := conn.PingContext(t.Context()); err != nil {
			_ = conn.Close()
		}
	}
}

// endConnections ends all connections of the server but the one that it uses.
func endConnections(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
	t.Helper()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if d == sqlstore.PostgreSQL {
		_, err = conn.ExecContext(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'`)
	} else {
		err = killAll(t.Context(), conn)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func killAll(ctx context.Context, conn *sql.Conn) error {
	rows, err := conn.QueryContext(ctx, "SELECT concat('KILL ', id) FROM information_schema.processlist WHERE id <> "+
		"connection_id()")
	if err != nil {
		return err
	}
	defer rows.Close()
	var kills []string
	for rows.Next() {
		var kill string
		if err := rows.Scan(&kill); err != nil {
			return err
		}
		kills = append(kills, kill)
	}
	for _, kill := range kills {
		_, _ = conn.ExecContext(ctx, kill) // it may have ended by itself
	}
	return rows.Err()
}

// A read whose connection is ended while the server works on it is done again.
func TestServerReadsOutliveTheConnectionThatRunsThem(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		db, by, table := s.open(t), s.open(t), s.table()
		store := s.store(t, db, table)
		save(t, store, &session.Record{ID: "a"})
		locks, err := by.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer locks.Close()
		lock, unlock := "BEGIN; LOCK TABLE "+table, "ROLLBACK"
		waiting := "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
		end := "SELECT pg_terminate_backend(%d)"
		if s.dialect == sqlstore.MySQL {
			lock, unlock = "LOCK TABLE "+table+" WRITE", "UNLOCK TABLES"
			waiting, end = "SELECT id FROM information_schema.processlist WHERE state LIKE 'Waiting for table%'",
				"KILL %d"
		}
		mustExec(t, locks, lock)
		loads := make(chan error)
		go func() { _, err := store.Load(t.Context(), "a"); loads <- err }()
		var id int
		recovered(t, func() bool { return by.QueryRowContext(t.Context(), waiting).Scan(&id) == nil })
		mustExec(t, locks, fmt.Sprintf(end, id))
		mustExec(t, locks, unlock)
		if err := <-loads; err != nil {
			t.Error(err)
		}
	})
}

func mustExec(t *testing.T, conn *sql.Conn, text string) {
	t.Helper()
	if _, err := conn.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}
