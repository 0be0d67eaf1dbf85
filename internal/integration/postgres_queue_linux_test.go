package integration_test

import (
	"errors"
	"testing"

	"github.com/coatcheck/session"
)

// A server whose queue of notifications is full undoes every transaction that notifies, when that commits. It takes
// gigabytes to fill the queue, so that a pg_notify of the test's own stands before the server's.
var fullQueue = []string{
	`CREATE SCHEMA full_queue`,
	`CREATE TABLE full_queue.notifications (payload text)`,
	`CREATE FUNCTION full_queue.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		RAISE EXCEPTION 'too many notifications in the NOTIFY queue' USING ERRCODE = '54000'; END $$`,
	`CREATE CONSTRAINT TRIGGER refused AFTER INSERT ON full_queue.notifications DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION full_queue.refuse()`,
	`CREATE FUNCTION full_queue.pg_notify(text, text) RETURNS void LANGUAGE sql
		AS 'INSERT INTO full_queue.notifications VALUES ($2)'`,
}

// Any program on the server can fill the queue, with a transaction that it leaves open. Who ends a session then ends
// it, and nodes that were not told ask at their interval.
func TestASessionEndsWhenTheQueueOfNotificationsIsFull(t *testing.T) {
	db := sqlServers[0].open(t)
	for _, text := range fullQueue {
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if _, err := db.Exec("DROP SCHEMA full_queue CASCADE"); err != nil {
			t.Error(err)
		}
	})
	eachOf(t, listening(), func(t *testing.T, s server) {
		for _, mode := range []string{"cache_statement", "exec", "simple_protocol"} {
			s.params = "&search_path=public,full_queue,pg_catalog&default_query_exec_mode=" + mode
			t.Run(mode, func(t *testing.T) { endsUntold(t, s.store(t, s.open(t), s.table())) })
		}
	})
}

func endsUntold(t *testing.T, store tableStore) {
	for _, id := range []string{"deleted", "retired"} {
		save(t, store, &session.Record{ID: id})
	}
	if err := store.Delete(t.Context(), "deleted"); err != nil {
		t.Errorf("Delete = %v", err)
	}
	if _, err := store.Load(t.Context(), "deleted"); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("Load = %v after Delete, want ErrNotFound", err)
	}
	save(t, store, &session.Record{ID: "retired", Version: 1, Kind: session.KindTombstone})
	if rec := loaded(t, store, "retired"); rec.Kind != session.KindTombstone || rec.Version != 2 {
		t.Errorf("the record is %v, want a tombstone of version 2", rec)
	}
	err := store.Save(t.Context(), &session.Record{ID: "retired", Version: 1, Kind: session.KindTombstone})
	if !errors.Is(err, session.ErrConflict) {
		t.Errorf("Save of an old version = %v, want a conflict", err)
	}
}
