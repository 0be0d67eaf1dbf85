package integration_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// A server that takes no writes goes on with reads, and what is refused says so, a logout among it.
func TestAPostgreSQLThatIsReadOnlySaysSo(t *testing.T) {
	eachOf(t, []server{sqlServers[0], sqlServers[2]}, func(t *testing.T, s server) {
		table := s.table()
		save(t, s.store(t, s.open(t), table), &session.Record{ID: "a", User: "ada"})
		s.params = "&default_transaction_read_only=on"
		checkReadOnly(t, s.newStore(t, s.open(t), table), "give the store the primary")
	})
}

func TestAMySQLThatIsReadOnlySaysSo(t *testing.T) {
	s, at := ownMySQL(t)
	store := s.store(t, s.open(t), s.table())
	save(t, store, &session.Record{ID: "a", User: "ada"})
	root, err := sql.Open("mysql", "root@unix("+filepath.Join(at.Dir, "sock")+")/")
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if _, err := root.Exec("SET GLOBAL read_only = 1"); err != nil {
		t.Fatal(err)
	}
	checkReadOnly(t, store, "give the store the primary")
}

func TestASQLiteThatIsReadOnlySaysSo(t *testing.T) {
	path := sqliteFile(t)
	save(t, migrated(t, openSQLite(t, path), ""), &session.Record{ID: "a", User: "ada"})
	db, err := sql.Open("sqlite", "file:"+path+sqliteOptions+"&mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	checkReadOnly(t, newSQLite(t, db, ""), "do not open it read-only")
}

func checkReadOnly(t *testing.T, store tableStore, want string) {
	t.Helper()
	rec := loaded(t, store, "a")
	for call, err := range everyWrite(t.Context(), store, rec) {
		if err == nil || errors.Is(err, session.ErrNotFound) || errors.Is(err, session.ErrConflict) ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s = %v, want an error that says %q", call, err, want)
		}
	}
	if recs, err := store.ByUser(t.Context(), "ada"); err != nil || len(recs) != 1 {
		t.Errorf("ByUser = %d records, %v, want the one", len(recs), err)
	}
}

// everyWrite calls each method that writes and returns its errors. rec is there.
func everyWrite(ctx context.Context, store tableStore, rec *session.Record) map[string]error {
	retired := rec.Clone()
	retired.Kind = session.KindTombstone
	errs := map[string]error{
		"create":     store.Save(ctx, &session.Record{ID: "b"}),
		"replace":    store.Save(ctx, rec),
		"retire":     store.Save(ctx, retired),
		"Delete":     store.Delete(ctx, rec.ID),
		"Touch":      store.Touch(ctx, rec.ID, rec.Version, time.UnixMicro(1), time.UnixMicro(2)),
		"SaveWithin": store.SaveWithin(ctx, &session.Record{ID: "c", User: "ada"}, session.Limit{Max: 9}),
	}
	_, errs["Sweep"] = store.Sweep(ctx, time.UnixMicro(1), 1)
	return errs
}
