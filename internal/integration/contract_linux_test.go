package integration_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessiontest"
)

// place is where a store of a test lies.
type place struct {
	db    opened
	table string
}

func TestServerKeepsTheContract(t *testing.T) {
	eachServer(t, keepsTheContract)
}

func keepsTheContract(t *testing.T, s server) {
	t.Parallel() // each has tables of its own, and waits for its server most of the time
	var places sync.Map
	open := func(t *testing.T, pool *pool, table string) session.Store {
		db := pool.get(t)
		store := s.store(t, db, table)
		places.Store(store, place{db, table})
		return store
	}
	at := func(s session.Store) place { p, _ := places.Load(s); return p.(place) }
	own, others := &pool{whole: t, server: s}, &pool{whole: t, server: s}
	sessiontest.Run(t, func(t *testing.T) session.Store { return open(t, own, s.table()) }, sessiontest.Options{
		Peer:  func(t *testing.T, s session.Store) session.Store { return open(t, others, at(s).table) },
		Break: func(_ *testing.T, s session.Store) { at(s).db.Close() },
		Corrupt: func(t *testing.T, store session.Store, id string) {
			if _, err := at(store).db.Exec(fmt.Sprintf(s.spoil, at(store).table), id); err != nil {
				t.Fatal(err)
			}
		},
	})
}

// pool is shared by the rules of one contract: each connection costs PostgreSQL a process, and those of a pool for each
// rule took two thirds of the time. A pool that a rule has closed is opened anew.
type pool struct {
	whole  *testing.T
	server server
	db     opened
}

func (p *pool) get(t *testing.T) opened {
	t.Helper()
	if p.db.DB == nil || p.db.PingContext(t.Context()) != nil {
		p.db = p.server.open(p.whole)
	}
	return p.db
}
