package integration_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// docs/stores/postgresql.md says what a site gains that drops the index of the ends, and that it may.
func TestPostgreSQLSavesInPlaceWithoutTheIndexOfTheEnds(t *testing.T) {
	s := sqlServers[0]
	db := s.open(t)
	db.SetMaxOpenConns(1) // the server counts what a connection did, and is told when it has nothing to do
	table := s.table()
	store := s.store(t, db, table)
	if _, err := db.Exec("DROP INDEX " + table + "_expires_at_idx"); err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	const saves = 20
	for n := range saves + 1 {
		end := time.UnixMicro(int64(n + 1))
		save(t, store, &session.Record{ID: "a", Version: uint64(n), ExpiresAt: end, Data: fmt.Append(nil, n)})
	}
	if _, err := db.Exec("SELECT pg_stat_force_next_flush()"); err != nil {
		t.Fatal(err)
	}
	var updates, inPlace int
	err := db.QueryRow("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = '"+table+"'").
		Scan(&updates, &inPlace)
	if err != nil || updates != saves || inPlace != saves {
		t.Errorf("%d of %d updates are in place, %v, want %d", inPlace, updates, err, saves)
	}
	if n, err := store.Sweep(t.Context(), time.UnixMicro(saves+2), 10); n != 1 || err != nil {
		t.Errorf("Sweep = %d, %v, want 1", n, err)
	}
}
