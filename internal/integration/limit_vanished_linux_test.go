package integration_test

import (
	"context"
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/internal/sqltable"
)

// A machine that loses its power in the middle of a login closes no connection, and the server keeps what it had.
func TestANodeThatVanishesInALoginKeepsItsUserOutForAMoment(t *testing.T) {
	s, table := sqlServers[0], sqlServers[0].table()
	store, _, proxy, left := s.hangingAfter(t, table)
	limit := session.Limit{Max: 3}
	if err := store.SaveWithin(t.Context(), &session.Record{ID: "a", User: "ada"}, limit); err != nil {
		t.Fatal(err)
	}
	left.Store(1) // the first message takes the lock
	vanished := make(chan error, 1)
	go func() { vanished <- store.SaveWithin(t.Context(), &session.Record{ID: "b", User: "ada"}, limit) }()
	db := s.open(t)
	other := s.store(t, db, table)
	recovered(t, func() bool {
		free, number := false, sqltable.LockNumber(table, "ada")
		if err := db.QueryRow("SELECT pg_try_advisory_xact_lock($1)", number).Scan(&free); err != nil {
			t.Fatal(err)
		}
		return !free
	})
	recovered(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		return other.SaveWithin(ctx, &session.Record{ID: "c", User: "ada"}, limit) == nil
	})
	proxy.Set(servers.None)
	if err := <-vanished; err == nil {
		t.Error("the login that the server has given up was answered with success")
	}
}

// MySQL has nothing that ends such a lock. A login gives up before its time is over, which is longer here than that of
// a request, so that its connection is of use to others. The error names the lock, and says what to do.
func TestALockOfMySQLThatStaysIsNamed(t *testing.T) {
	s, table := sqlServers[1], sqlServers[1].table()
	db := s.open(t)
	store := s.store(t, db, table)
	lock := fmt.Sprintf("coatcheck_%x", sqltable.LockNumber(table, "ada"))
	holder, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	if _, err := holder.ExecContext(t.Context(), "DO get_lock('"+lock+"', 0)"); err != nil {
		t.Fatal(err)
	}
	login := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		return store.SaveWithin(ctx, &session.Record{ID: "a", User: "ada"}, session.Limit{Max: 3})
	}
	err = login()
	if err == nil {
		t.Fatal("a login while another connection has the lock is no error")
	}
	query := regexp.MustCompile(`SELECT is_used_lock\('` + lock + `'\)`).FindString(err.Error())
	if query == "" {
		t.Fatalf("SaveWithin = %v, want a query for who has the lock %s", err, lock)
	}
	var id int
	if err := db.QueryRow(query).Scan(&id); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(fmt.Sprint("KILL ", id)); err != nil {
		t.Fatal(err)
	}
	if err := login(); err != nil {
		t.Errorf("SaveWithin = %v after what the error advised", err)
	}
}
