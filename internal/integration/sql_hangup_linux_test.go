package integration_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sqlstore"
)

// Drivers close a connection when the context ends on which it waits. Whoever sends requests and hangs up would cost a
// site its connections, one after the other.
func TestAClientThatHangsUpCostsNoConnection(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		db, by, table := s.open(t), s.open(t), s.table()
		db.SetMaxOpenConns(1)
		m := node(t, s.store(t, db, table))
		ada := signedIn(t, m, "ada")
		for { // until the machine was fast enough for a load, which has nearly five seconds
			begun, before := time.Now(), connectionID(t, db, s.dialect)
			user := hungUp(t, m, ada, by, s, table)
			after := connectionID(t, db, s.dialect)
			if time.Since(begun) > 4*time.Second {
				continue
			}
			if user != "ada" || after != before {
				t.Errorf("the handler saw %q, want ada; the connection was kept: %v", user, after == before)
			}
			return
		}
	})
}

// hungUp sends a request whose client hangs up while its session is loaded, and returns the user that the handler saw.
func hungUp(t *testing.T, m *session.Manager, b *browser, by opened, s server, table string) (user string) {
	t.Helper()
	locks, err := by.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer locks.Close()
	lock, unlock := "BEGIN; LOCK TABLE "+table, "ROLLBACK"
	waiting := "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
	if s.dialect == sqlstore.MySQL {
		lock, unlock = "LOCK TABLE "+table+" WRITE", "UNLOCK TABLES"
		waiting = "SELECT 1 FROM information_schema.processlist WHERE state LIKE 'Waiting for table%'"
	}
	mustExec(t, locks, lock)
	ctx, hangUp := context.WithCancel(t.Context())
	r := httptest.NewRequestWithContext(ctx, "GET", "https://app.example.com/", nil)
	for _, c := range b.jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
			user = s.User()
		}).ServeHTTP(httptest.NewRecorder(), r)
	}()
	var one int
	recovered(t, func() bool { return by.QueryRowContext(t.Context(), waiting).Scan(&one) == nil })
	hangUp()
	mustExec(t, locks, unlock)
	<-answered
	return user
}

func connectionID(t *testing.T, db opened, d sqlstore.Dialect) (id int64) {
	t.Helper()
	query := "SELECT pg_backend_pid()"
	if d == sqlstore.MySQL {
		query = "SELECT connection_id()"
	}
	if err := db.QueryRowContext(t.Context(), query).Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}
