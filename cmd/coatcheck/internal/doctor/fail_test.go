package doctor

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
	_ "github.com/coatcheck/session/sessionconfig/sqlite" // the driver of the databases below
	"github.com/coatcheck/session/sqlstore"
)

// resultsOf are those of checks, by their names.
func resultsOf(checks []Check) map[string]string {
	got := map[string]string{}
	for _, c := range checks {
		got[c.Name] = c.Result
	}
	return got
}

// A check of the options that no configuration fails would be none.
func TestSomeConfigurationFailsEachCheckOfTheOptions(t *testing.T) {
	failed := map[string]string{}
	for _, row := range []struct{ store, keys string }{
		{"memory", "cookie: {insecure: true, script_access: true, path: /shop, same_site: lax}"},
		{"memory", "cookie: {domain: example.com}"},
		{"memory", "cookie: {same_site: none}"},
		{"memory", "idle_timeout: never\nlifetime: never\nsweep_every: never\nlog: {format: none}"},
		{"memory", "device_bound: {policy: prefer}"},
		{"cookies", ""},
	} {
		for _, c := range examineAt(t, row.store, row.keys) {
			if failed[c.Name] != Warn {
				failed[c.Name] = c.Result
			}
			if c.Result == Warn && strings.Contains(c.Detail, "Options.") {
				t.Errorf("%s names an option, not a key: %s", c.Name, c.Detail)
			}
		}
	}
	for _, name := range []string{"secrets", "store", "latency", "writes"} { // below, and in the scripts
		delete(failed, name)
	}
	maps.DeleteFunc(failed, func(_, result string) bool { return result == Warn })
	if len(failed) > 0 {
		t.Errorf("no configuration fails %v", slices.Sorted(maps.Keys(failed)))
	}
}

// examineTable is what doctor finds at a site with a file of SQLite that somebody has changed.
func examineTable(t *testing.T, change string) map[string]string {
	t.Helper()
	path := t.TempDir() + "/sessions.db"
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	store, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.SQLite})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if change == "roll back" {
		_, err = store.Rollback(t.Context())
	} else {
		_, err = db.ExecContext(t.Context(), change)
	}
	if err != nil {
		t.Fatal(err)
	}
	return resultsOf(examineAt(t, "database", "connections: {main: {driver: sqlite, path: "+path+"}}"))
}

func TestSomeChangeFailsEachCheckOfATable(t *testing.T) {
	for change, want := range map[string]map[string]string{
		"":                                   {"schema": Pass, "indexes": Pass, "journal": Pass, "store": Pass},
		"roll back":                          {"schema": Fail, "indexes": Warn, "journal": Pass, "writes": Pass},
		"DELETE FROM coatcheck_schema":       {"schema": Fail, "store": Pass},
		"DROP INDEX sessions_due_at":         {"schema": Pass, "indexes": Warn},
		"PRAGMA journal_mode = DELETE":       {"schema": Pass, "journal": Warn},
		"ALTER TABLE sessions RENAME TO old": {"store": Fail},
	} {
		got := examineTable(t, change)
		for name, result := range want {
			if got[name] != result {
				t.Errorf("after %q: %s is %q, want %q", change, name, got[name], result)
			}
		}
	}
}

// far is a store on a server that is far away, or fails.
type far struct {
	*memstore.Store
	away time.Duration
	err  error
}

func (f far) Load(ctx context.Context, id string) (*session.Record, error) {
	time.Sleep(f.away) // virtual
	if f.err != nil {
		return nil, f.err
	}
	return f.Store.Load(ctx, id)
}

func (f far) Delete(context.Context, string) error { return f.err }

func TestAStoreThatIsFarAwayIsWarnedOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, row := range []struct {
			away                    time.Duration
			err                     error
			wantLatency, wantWrites string
		}{
			{0, nil, Pass, Pass}, {slow - 1, nil, Pass, Pass}, {slow, nil, Warn, Pass},
			{0, errors.New("it is down"), Fail, Fail},
		} {
			store := far{memstore.New(memstore.Options{}), row.away, row.err}
			got := results(func(p *patient) { p.server(t.Context(), store) })
			if got["latency"] != row.wantLatency || got["writes"] != row.wantWrites {
				t.Errorf("%+v: the checks are %v", row, got)
			}
		}
	})
}

// lasting is a store whose server keeps what ends for ever.
type lasting struct {
	*memstore.Store
	left time.Duration
	err  error
}

func (l lasting) Remaining(context.Context, string) (time.Duration, error) { return l.left, l.err }

func TestRecordsWithoutATimeToLiveAreWarnedOf(t *testing.T) {
	for _, row := range []struct {
		store lasting
		want  string
	}{
		{lasting{left: time.Hour}, Pass}, {lasting{left: -1}, Warn}, {lasting{err: errors.New("NOPERM")}, Warn},
		{lasting{err: session.ErrNotFound}, Pass},
	} {
		row.store.Store = memstore.New(memstore.Options{})
		rec := &session.Record{ID: "a", ExpiresAt: time.Unix(1, 0)}
		if err := row.store.Save(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
		if got := results(func(p *patient) { p.endings(t.Context(), row.store) }); got["ttl"] != row.want {
			t.Errorf("%s, %v: the checks are %v, want %s", row.store.left, row.store.err, got, row.want)
		}
	}
}

func TestAServerWithoutAClockIsWarnedOf(t *testing.T) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, query := range []string{"SELECT NULL", "SELECT nothing", "SELECT 1"} {
		if got := results(func(p *patient) { p.clock(t.Context(), db, query) }); got["clock"] != Warn {
			t.Errorf("%s: the checks are %v, want a warning", query, got)
		}
	}
}

func TestPagesThatACrashMayTearAreWarnedOf(t *testing.T) {
	for value, want := range map[string]string{"on": Pass, "detect_and_recover": Pass, "off": Warn} {
		got := results(func(p *patient) { p.mysqlKeeps(map[string]string{"innodb_doublewrite": value}) })
		if got["doublewrite"] != want {
			t.Errorf("innodb_doublewrite %s: the checks are %v, want %s", value, got, want)
		}
	}
}
