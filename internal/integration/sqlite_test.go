package integration_test

import (
	"context"
	"database/sql"
	"errors"
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sqlstore"
)

// sqliteOptions are the ones that package sqlstore recommends.
const sqliteOptions = "?_pragma=busy_timeout(250)&_pragma=synchronous(NORMAL)"

func openSQLite(tb testing.TB, path string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("sqlite", "file:"+path+sqliteOptions)
	if err != nil {
		tb.Fatal(err)
	}
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	tb.Cleanup(func() { db.Close() })
	return db
}

func sqliteFile(tb testing.TB) string {
	tb.Helper()
	return filepath.Join(tb.TempDir(), "sessions.db")
}

// tableStore is what the stores in SQL databases can do.
type tableStore interface {
	session.Store
	session.Toucher
	session.Sweeper
	session.Lister
	session.Limiter
	session.Watcher
	Migrate(ctx context.Context) error
	Rollback(ctx context.Context) (bool, error)
	SchemaVersion(ctx context.Context) (at, known int, err error)
}

func newSQLite(tb testing.TB, db *sql.DB, table string) *sqlstore.Store {
	tb.Helper()
	store, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.SQLite, Table: table})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := store.Close(); err != nil {
			tb.Errorf("Close() = %v", err)
		}
	})
	return store
}

func migrated(tb testing.TB, db *sql.DB, table string) *sqlstore.Store {
	tb.Helper()
	store := newSQLite(tb, db, table)
	if err := store.Migrate(context.Background()); err != nil {
		tb.Fatal(err)
	}
	return store
}

func save(tb testing.TB, store session.Store, rec *session.Record) {
	tb.Helper()
	if err := store.Save(context.Background(), rec); err != nil {
		tb.Fatalf("Save(%v) = %v", rec, err)
	}
}

func loaded(tb testing.TB, store session.Store, id string) *session.Record {
	tb.Helper()
	rec, err := store.Load(context.Background(), id)
	if err != nil {
		tb.Fatalf("Load(%q) = %v", id, err)
	}
	return rec
}

// What happens to a session can be seen in the row, by anybody who knows SQL.
func TestSQLiteSessionIsARow(t *testing.T) {
	ctx := context.Background()
	db := openSQLite(t, sqliteFile(t))
	store := migrated(t, db, "")
	row := func(want string) {
		t.Helper()
		var got string
		const text = `SELECT coalesce(max(id || ' ' || user_id || ' ' || version || ' ' || seen_at || ' ' ||
			coalesce(expires_at, 'never')), 'none') FROM sessions`
		if err := db.QueryRow(text).Scan(&got); err != nil || got != want {
			t.Errorf("the row is %q, %v, want %q", got, err, want)
		}
	}
	row("none")
	rec := &session.Record{ID: "a", SeenAt: time.UnixMicro(5), ExpiresAt: time.UnixMicro(10)}
	save(t, store, rec)
	row("a  1 5 10")
	rec.Version, rec.User = 1, "ada"
	save(t, store, rec)
	row("a ada 2 5 10")
	if err := store.Touch(ctx, "a", 2, time.UnixMicro(6), time.UnixMicro(11)); err != nil {
		t.Fatal(err)
	}
	row("a ada 2 6 11")
	if n, err := store.Sweep(ctx, time.UnixMicro(12), 10); n != 1 || err != nil {
		t.Errorf("Sweep = %d, %v, want 1", n, err)
	}
	row("none")
	rec.Version, rec.ExpiresAt = 0, time.Time{}
	save(t, store, rec)
	row("a ada 1 5 never")
	if err := store.Delete(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	row("none")
}

// A session ends at the same microsecond here as in every other store.
func TestSQLiteSweepsStrictlyBeforeTheTimeGiven(t *testing.T) {
	ctx := context.Background()
	store := migrated(t, openSQLite(t, sqliteFile(t)), "")
	at := time.Date(2026, 2, 3, 4, 5, 6, 789_012_000, time.UTC)
	save(t, store, &session.Record{ID: "a", ExpiresAt: at})
	save(t, store, &session.Record{ID: "never"})
	for _, step := range []struct {
		before time.Time
		want   int
	}{{at.Add(-time.Second), 0}, {at, 0}, {at.Add(time.Microsecond), 1}, {time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC),
		0}} {
		if n, err := store.Sweep(ctx, step.before, 10); n != step.want || err != nil {
			t.Errorf("Sweep(%v) = %d, %v, want %d", step.before, n, err, step.want)
		}
	}
	loaded(t, store, "never")
}

// No column is shorter than what the library allows in it, and no byte is changed on the way.
func TestSQLiteColumnsHoldWhatRecordsMayHold(t *testing.T) {
	store := migrated(t, openSQLite(t, sqliteFile(t)), "")
	every := make([]byte, 1<<20)
	for i := range every {
		every[i] = byte(i)
	}
	rec := &session.Record{
		ID: "a", User: strings.Repeat("ü", 127) + "u", Kind: session.KindAlias, Successor: strings.Repeat("s", 64),
		CreatedAt: time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC), SeenAt: time.Date(1969, 12, 31, 23, 59, 59, 999_999_000,
			time.UTC),
		LoginAt: time.Unix(0, 0).UTC(), ExpiresAt: time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
		RemoteIP: netip.MustParseAddr("fe80::1%eth0"), UserAgent: string(every[:256]), Persistent: true, Data: every,
	}
	save(t, store, rec)
	want := rec.Clone()
	want.Version = 1
	if got := loaded(t, store, "a"); !reflect.DeepEqual(got, want) {
		t.Errorf("Load = %+v %q, want %+v %q", *got, got.UserAgent, *want, want.UserAgent)
	}
	empty := &session.Record{ID: "b"}
	save(t, store, empty)
	got := loaded(t, store, "b")
	if got.Data = nil; !reflect.DeepEqual(got, &session.Record{ID: "b", Version: 1}) {
		t.Errorf("Load of an empty record = %+v", *got)
	}
}

func TestSQLiteComparesBytesAndNothingElse(t *testing.T) {
	ctx := context.Background()
	store := migrated(t, openSQLite(t, sqliteFile(t)), "")
	names := []string{"a", "A", "a ", " a", "a\x00", "a\x00b", "\x00", "á", "a\u0301", "\xff", "\xff\xfe",
		"\xed\xa0\x80", "1", "01", "1.0", "' OR 1=1 --"}
	for _, name := range names {
		save(t, store, &session.Record{ID: name, User: name, Data: []byte(name)})
	}
	for _, name := range names {
		if got := loaded(t, store, name); got.ID != name || string(got.Data) != name {
			t.Errorf("Load(%q) = record %q with %q", name, got.ID, got.Data)
		}
		recs, err := store.ByUser(ctx, name)
		if err != nil || len(recs) != 1 || recs[0].ID != name {
			t.Errorf("ByUser(%q) = %v, %v", name, recs, err)
		}
	}
	var paged []string
	for after := ""; len(paged) <= len(names); {
		recs, err := store.Page(ctx, after, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(recs) == 0 {
			break
		}
		after = recs[0].ID
		paged = append(paged, after)
	}
	if len(paged) != len(names) {
		t.Errorf("Page walked over %q, want each of %q once", paged, names)
	}
}

// Whoever can write to the table can write anything, but not make the store call a session lost that is there.
func TestSQLiteReadsAnEditedRowOrSaysWhyNot(t *testing.T) {
	ctx := context.Background()
	db := openSQLite(t, sqliteFile(t))
	store := migrated(t, db, "")
	save(t, store, &session.Record{ID: "a", RemoteIP: netip.MustParseAddr("192.0.2.1")})
	edit := func(assignment string) {
		t.Helper()
		if _, err := db.Exec("UPDATE sessions SET " + assignment); err != nil {
			t.Fatal(err)
		}
	}
	edit("remote_ip = '<script>'")
	if rec := loaded(t, store, "a"); rec.RemoteIP.IsValid() {
		t.Errorf("the address is %v", rec.RemoteIP)
	}
	for _, id := range []string{"b", "c"} {
		save(t, store, &session.Record{ID: id})
	}
	for _, assignment := range []string{"kind = 256", "kind = -1", "version = -1", "persistent = 7"} {
		edit("kind = 0, version = 1, persistent = 0")
		edit(assignment + " WHERE id <> 'c'")
		if rec, err := store.Load(ctx, "a"); !errors.Is(err, session.ErrCorrupt) ||
			errors.Is(err, session.ErrNotFound) {
			t.Errorf("Load after %s = %v, %v, want ErrCorrupt", assignment, rec, err)
		}
		// A page that were shorter for it would end the walk too early.
		for _, limit := range []int{1, 2, 10} {
			if recs, err := store.Page(ctx, "", limit); err != nil || len(recs) != 1 || recs[0].ID != "c" {
				t.Errorf("Page after %s = %v, %v, want the row that can be read", assignment, recs, err)
			}
		}
	}
}

func TestSQLiteRefusesARecordWithoutID(t *testing.T) {
	ctx := context.Background()
	store := migrated(t, openSQLite(t, sqliteFile(t)), "")
	if err := store.Save(ctx, &session.Record{}); err == nil {
		t.Error("Save of a record without an id succeeded")
	}
	if _, err := store.Load(ctx, ""); !errors.Is(err, session.ErrNotFound) {
		t.Errorf(`Load("") = %v, want ErrNotFound`, err)
	}
}

// The name of the table is used in everything, so two tables are two worlds, also in one file.
func TestSQLiteTablesDoNotSeeEachOther(t *testing.T) {
	ctx := context.Background()
	db := openSQLite(t, sqliteFile(t))
	longest := strings.Repeat("x", 63)
	names := []string{"", "select", "_", "Staff2", longest}
	for _, name := range names {
		store := migrated(t, db, name)
		save(t, store, &session.Record{ID: "same", User: "ada", ExpiresAt: time.UnixMicro(5), Data: []byte(name)})
	}
	gone := newSQLite(t, db, "select")
	if n, err := gone.Sweep(ctx, time.UnixMicro(6), 10); n != 1 || err != nil {
		t.Errorf("Sweep = %d, %v, want 1", n, err)
	}
	for _, name := range names {
		recs, err := newSQLite(t, db, name).ByUser(ctx, "ada")
		if want := name != "select"; err != nil || len(recs) == 1 != want {
			t.Errorf("table %q: ByUser = %v, %v, want one record: %t", name, recs, err, want)
		}
	}
}

func TestSQLiteWithoutTheDatabaseIsNeverNotFound(t *testing.T) {
	ctx := context.Background()
	closed := openSQLite(t, sqliteFile(t))
	closed.Close()
	done := migrated(t, openSQLite(t, sqliteFile(t)), "")
	done.Close()
	for name, store := range map[string]*sqlstore.Store{"database": newSQLite(t, closed, ""), "store": done} {
		t.Run("closed "+name, func(t *testing.T) {
			for call, err := range everyCall(ctx, store) {
				if err == nil || errors.Is(err, session.ErrNotFound) || errors.Is(err, session.ErrConflict) {
					t.Errorf("%s = %v, want an error that is neither ErrNotFound nor ErrConflict", call, err)
				}
			}
		})
	}
}

// everyCall calls each method once and returns its errors.
func everyCall(ctx context.Context, store tableStore) map[string]error {
	errs := map[string]error{
		"create":  store.Save(ctx, &session.Record{ID: "a"}),
		"replace": store.Save(ctx, &session.Record{ID: "a", Version: 1}),
		"Delete":  store.Delete(ctx, "a"),
		"Touch":   store.Touch(ctx, "a", 1, time.UnixMicro(1), time.UnixMicro(2)),
	}
	errs["SaveWithin"] = store.SaveWithin(ctx, &session.Record{ID: "b"}, session.Limit{Max: 1})
	_, errs["Load"] = store.Load(ctx, "a")
	_, errs["Sweep"] = store.Sweep(ctx, time.UnixMicro(1), 1)
	_, errs["ByUser"] = store.ByUser(ctx, "ada")
	_, errs["Page"] = store.Page(ctx, "", 1)
	return errs
}
