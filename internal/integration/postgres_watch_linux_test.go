package integration_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/pglisten"
)

// listening are the stores in PostgreSQL that tell which sessions ended.
func listening() []server {
	s := sqlServers[0]
	s.listen = pglisten.Listen
	shared := s
	shared.name, shared.pooled = "PostgreSQL by a pool of pgx", true
	return []server{s, sqlServers[2], shared}
}

func TestPostgreSQLThatTellsKeepsTheContract(t *testing.T) {
	keepsTheContract(t, listening()[0])
}

// A table tells nothing of another one's sessions, and an id may be anything.
func TestPostgreSQLTellsOfTheTablesOwnSessions(t *testing.T) {
	eachOf(t, listening(), tellsOfItsOwn)
}

func tellsOfItsOwn(t *testing.T, s server) {
	db, table := s.open(t), s.table()
	own, other := s.store(t, db, table), s.store(t, db, table+"x")
	heard := make(chan string, 100)
	listens(t, own, func(id string) { heard <- id })
	end := func(store tableStore, id string) {
		save(t, store, &session.Record{ID: id})
		if err := store.Delete(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	ids := []string{"a b", "x", strings.Repeat("é", 1000), `quo'te"`}
	for _, id := range ids {
		end(other, id)
		end(own, id)
	}
	for _, id := range ids {
		if got := <-heard; got != id {
			t.Errorf("told of %q, want %q", got, id)
		}
	}
}

// listens has a store tell what ends, from when this returns until stop is called or the test is over.
func listens(t *testing.T, store session.Watcher, tell func(id string)) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	began, ended := make(chan struct{}), make(chan struct{})
	begin := sync.OnceFunc(func() { close(began) })
	var err error
	go func() {
		defer close(ended)
		err = store.Watch(ctx, func(id string) {
			if id == "" {
				begin()
				return
			}
			tell(id)
		})
	}()
	stop = func() error {
		cancel()
		<-ended
		return err
	}
	t.Cleanup(func() { _ = stop() })
	select {
	case <-began:
	case <-ended:
		t.Fatalf("Watch = %v before it has begun", err)
	}
	return stop
}

// A watch whose connection the server ends says so, and takes no connection of the pool with it.
func TestAWatchOfPostgreSQLEndsWithItsConnection(t *testing.T) {
	eachOf(t, listening(), endsWithItsConnection)
}

func endsWithItsConnection(t *testing.T, s server) {
	db := s.open(t)
	store := s.store(t, db, s.table())
	began, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- store.Watch(t.Context(), func(string) { close(began) }) }()
	select {
	case <-began:
	case err := <-ended:
		t.Fatalf("Watch = %v before it has begun", err)
	}
	const end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'"
	if _, err := db.Exec(end); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil || errors.Is(err, session.ErrNotSupported) {
		t.Errorf("Watch = %v, want the loss of the connection", err)
	}
	db.released(t)
	stop := listens(t, store, func(string) {})
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Errorf("Watch = %v, want the error of the context", err)
	}
	recovered(t, func() bool { // until the server has noticed
		const query = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN %' AND state = 'idle'"
		n := 0
		if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n == 0
	})
}

func TestAPoolOfOneConnectionIsNotWatched(t *testing.T) {
	eachOf(t, listening()[:2], func(t *testing.T, s server) {
		at, err := s.start()
		if err != nil {
			t.Fatal(err)
		}
		store := s.store(t, s.connect(t, at.DSN, 1), s.table())
		if err := store.Watch(t.Context(), func(string) {}); !errors.Is(err, session.ErrNotSupported) {
			t.Errorf("Watch = %v, want ErrNotSupported", err)
		}
		save(t, store, &session.Record{ID: "a"})
	})
}

// Nobody can ask database/sql how many connections there are in a pool that pgx keeps for it, whatever it allows
// itself.
func TestAWatchDoesNotKeepTheOnlyConnectionOfAPool(t *testing.T) {
	s := listening()[2]
	at, err := s.start()
	if err != nil {
		t.Fatal(err)
	}
	for _, allowed := range []int{0, 8} {
		db := s.connect(t, at.DSN, 1)
		db.SetMaxOpenConns(allowed)
		store := s.store(t, db, s.table())
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err = store.Watch(ctx, func(string) {})
		if ctx.Err() != nil || errors.Is(err, session.ErrNotSupported) ||
			!strings.Contains(err.Error(), "pool_max_conns") {
			t.Errorf("Watch = %v with SetMaxOpenConns(%d), want an error that names pool_max_conns", err, allowed)
		}
		save(t, store, &session.Record{ID: "a"})
	}
}

// The program goes on with the pool when nobody waits for ends any more. A connection that listened must be of no use
// to anybody then: database/sql and the pool would both give it away, and it would collect what nobody reads.
func TestAConnectionThatListenedIsGivenToNobody(t *testing.T) {
	s := listening()[2]
	at, err := s.start()
	if err != nil {
		t.Fatal(err)
	}
	db := s.connect(t, at.DSN, 4)
	db.SetMaxIdleConns(2)
	_ = listens(t, s.store(t, db, s.table()), func(string) {})() // it says that it was stopped
	const query = "SELECT pg_backend_pid(), (SELECT count(*) FROM pg_listening_channels())"
	var pids, channels [3]int
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.QueryRowContext(t.Context(), query).Scan(&pids[0], &channels[0]); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		conn, err := db.pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Release()
		if err := conn.QueryRow(t.Context(), query).Scan(&pids[i+1], &channels[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if pids[0] == pids[1] || pids[0] == pids[2] || channels != [3]int{} {
		t.Errorf("database/sql and the pool have the connections %d, with %d channels", pids, channels)
	}
}

// Behind a pooler that gives each transaction another connection, whoever listens hears nothing, and is to know it.
func TestPgBouncerThatPoolsTransactionsIsRefusedToListenThrough(t *testing.T) {
	eachOf(t, listening(), func(t *testing.T, s server) {
		t.Parallel()
		s.start = servers.PgBouncer
		s.params = "&default_query_exec_mode=exec"
		err := s.store(t, s.open(t), s.table()).Watch(t.Context(), func(string) {})
		if !errors.Is(err, session.ErrNotSupported) || !strings.Contains(err.Error(), "Options.") {
			t.Errorf("Watch = %v, want ErrNotSupported with what to set", err)
		}
	})
}

func TestPgBouncerThatPoolsSessionsTells(t *testing.T) {
	eachOf(t, listening(), tellsBehindPgBouncer)
}

func tellsBehindPgBouncer(t *testing.T, s server) {
	s.start = func() (*servers.Database, error) { return servers.NewPgBouncer("session") }
	store := s.store(t, s.open(t), s.table())
	heard := make(chan string, 100)
	listens(t, store, func(id string) { heard <- id })
	save(t, store, &session.Record{ID: "b"})
	if err := store.Delete(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	if got := <-heard; got != "b" {
		t.Errorf("told of %q, want b", got)
	}
}

// A site that changes from one store to the other has both for a while, and a logout on either is heard on the other.
func TestBothStoresInPostgreSQLTellEachOther(t *testing.T) {
	list := listening()[:2]
	table := list[0].table()
	var stores [2]tableStore
	for i, s := range list {
		stores[i] = s.store(t, s.open(t), table)
	}
	for i, watching := range stores {
		heard := make(chan string, 100)
		stop := listens(t, watching, func(id string) { heard <- id })
		other, deleted, retired := stores[1-i], fmt.Sprint("deleted ", i), fmt.Sprint("retired ", i)
		save(t, other, &session.Record{ID: deleted})
		if err := other.Delete(t.Context(), deleted); err != nil {
			t.Fatal(err)
		}
		save(t, other, &session.Record{ID: retired})
		save(t, other, &session.Record{ID: retired, Version: 1, Kind: session.KindTombstone})
		for _, want := range []string{deleted, retired} {
			if got := <-heard; got != want {
				t.Errorf("told of %q, want %q", got, want)
			}
		}
		_ = stop() // it says that it was stopped
	}
}
