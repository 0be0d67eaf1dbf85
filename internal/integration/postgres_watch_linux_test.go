package integration_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
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
	return []server{s, sqlServers[2]}
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
	heard, began := make(chan string, 100), make(chan struct{})
	go own.Watch(t.Context(), func(id string) {
		switch id {
		case "": // it has begun
		case "first":
			close(began)
		default:
			heard <- id
		}
	})
	end := func(store tableStore, id string) {
		save(t, store, &session.Record{ID: id})
		if err := store.Delete(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	untilListening(t, db.DB, 1)
	end(own, "first")
	<-began
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

// A watch whose connection the server ends says so, and takes no connection of the pool with it.
func TestAWatchOfPostgreSQLEndsWithItsConnection(t *testing.T) {
	eachOf(t, listening(), endsWithItsConnection)
}

func endsWithItsConnection(t *testing.T, s server) {
	db := s.open(t)
	store := s.store(t, db, s.table())
	ended := make(chan error)
	go func() { ended <- store.Watch(t.Context(), func(string) {}) }()
	untilListening(t, db.DB, 1)
	const end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'"
	if _, err := db.Exec(end); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil || errors.Is(err, session.ErrNotSupported) {
		t.Errorf("Watch = %v, want the loss of the connection", err)
	}
	db.released(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- store.Watch(ctx, func(string) {}) }()
	untilListening(t, db.DB, 1)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Watch = %v, want the error of the context", err)
	}
	untilListening(t, db.DB, 0)
}

// untilListening waits until so many connections listen. Tests that do it run one after the other.
func untilListening(t *testing.T, db *sql.DB, want int) {
	t.Helper()
	for got := -1; got != want; {
		const query = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN %' AND state = 'idle'"
		if err := db.QueryRowContext(t.Context(), query).Scan(&got); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestAPoolOfOneConnectionIsNotWatched(t *testing.T) {
	eachOf(t, listening(), func(t *testing.T, s server) {
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

// Behind a pooler that gives each transaction another connection, whoever listens hears nothing, and is to know it.
func TestPgBouncerThatPoolsTransactionsIsRefusedToListenThrough(t *testing.T) {
	eachOf(t, listening(), func(t *testing.T, s server) {
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
	go store.Watch(t.Context(), func(id string) {
		if id != "" { // it has begun
			heard <- id
		}
	})
	recovered(t, func() bool { // until it listens
		save(t, store, &session.Record{ID: "b"})
		if err := store.Delete(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
		return len(heard) > 0
	})
	if got := <-heard; got != "b" {
		t.Errorf("told of %q, want b", got)
	}
}

// A site that changes from one store to the other has both for a while, and a logout on either is heard on the other.
func TestBothStoresInPostgreSQLTellEachOther(t *testing.T) {
	list := listening()
	table := list[0].table()
	var dbs [2]opened
	var stores [2]tableStore
	for i, s := range list {
		dbs[i] = s.open(t)
		stores[i] = s.store(t, dbs[i], table)
	}
	for i, watching := range stores {
		ctx, cancel := context.WithCancel(t.Context())
		heard, ended := make(chan string, 100), make(chan error, 1)
		go func() {
			ended <- watching.Watch(ctx, func(id string) {
				if id != "" { // it has begun
					heard <- id
				}
			})
		}()
		untilListening(t, dbs[i].DB, 1)
		other := stores[1-i]
		recovered(t, func() bool { // until it listens
			save(t, other, &session.Record{ID: "deleted"})
			if err := other.Delete(t.Context(), "deleted"); err != nil {
				t.Fatal(err)
			}
			return len(heard) > 0
		})
		id := fmt.Sprint("retired ", i)
		save(t, other, &session.Record{ID: id})
		save(t, other, &session.Record{ID: id, Version: 1, Kind: session.KindTombstone})
		for got := ""; got != id; {
			if got = <-heard; got != "deleted" && got != id {
				t.Errorf("told of %q, want deleted and %q", got, id)
			}
		}
		cancel()
		<-ended
		untilListening(t, dbs[i].DB, 0)
	}
}
