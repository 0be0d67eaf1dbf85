//go:build drivers && linux

package drivers_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver"
	_ "modernc.org/sqlite"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sqlstore"
)

// linked are the drivers, each with the options that docs/stores/sqlite.md recommends, in its own words.
var linked = []struct{ module, driver, options string }{
	{"modernc.org/sqlite", "sqlite", "?_pragma=busy_timeout(250)&_pragma=synchronous(NORMAL)"},
	{"ncruces/go-sqlite3", "sqlite3", "?_pragma=busy_timeout(250)&_pragma=synchronous(NORMAL)"},
}

// sessions is how many the table has.
const sessions = 1000

// BenchmarkDrivers loads and saves by the store, and by the same two statements without it, with a context that can
// end, as that of a request. All take turns, so that whatever else the machine does meets them alike, and what is
// reported is the processor time of a call.
func BenchmarkDrivers(b *testing.B) {
	var all []*statements
	for _, d := range linked {
		all = append(all, open(b, d.module, d.driver, "file:"+filepath.Join(b.TempDir(), "sessions.db")+d.options))
	}
	b.Run("load", func(b *testing.B) { inTurns(b, all, "load") })
	b.Run("save", func(b *testing.B) { inTurns(b, all, "save") })
}

// statements are what one driver is asked to do.
type statements struct {
	module   string
	do       map[string]func(ctx context.Context, i int) error // such as "load by hand"
	versions []uint64
}

func open(b *testing.B, module, driver, dsn string) *statements {
	b.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	store, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.SQLite})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	if err := store.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	s := &statements{module: module, versions: make([]uint64, sessions)}
	for i := range sessions {
		if err := store.Save(b.Context(), record(i, 0)); err != nil {
			b.Fatal(err)
		}
		s.versions[i] = 1
	}
	load, save := raw(b, db)
	s.do = map[string]func(ctx context.Context, i int) error{
		"load by hand":     func(ctx context.Context, i int) error { return load(ctx, id(i)) },
		"load by sqlstore": func(ctx context.Context, i int) error { _, err := store.Load(ctx, id(i)); return err },
		"save by hand": func(ctx context.Context, i int) error {
			s.versions[i]++
			return save(ctx, id(i))
		},
		"save by sqlstore": func(ctx context.Context, i int) error {
			rec := record(i, s.versions[i])
			s.versions[i]++
			return store.Save(ctx, rec)
		},
	}
	return s
}

// inTurns has each driver do something, by hand and by the store, some thousandths of a second each.
func inTurns(b *testing.B, all []*statements, what string) {
	const turn = 50
	took, turns := map[string]time.Duration{}, max(b.N/turn, 1)
	for n := range turns {
		for _, s := range all {
			for _, by := range []string{"hand", "sqlstore"} {
				before := processorTime()
				for i := range turn {
					call(b, s.do[what+" by "+by], (n*turn+i)*31%sessions)
				}
				took[s.module+"-"+by] += processorTime() - before
			}
		}
	}
	for name, d := range took {
		b.ReportMetric(float64(d.Nanoseconds())/float64(turns*turn), name+"-cpu-ns/call")
	}
}

func call(b *testing.B, do func(ctx context.Context, i int) error, i int) {
	ctx, cancel := context.WithTimeout(b.Context(), 5*time.Second)
	defer cancel()
	if err := do(ctx, i); err != nil {
		b.Fatal(err)
	}
}

// processorTime is what this process has used so far.
func processorTime() time.Duration {
	var use syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &use) != nil {
		return 0
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

func id(i int) string { return fmt.Sprintf("%064d", i) }

func record(i int, version uint64) *session.Record {
	now := time.Now()
	return &session.Record{ID: id(i), User: "ada", Version: version, CreatedAt: now, SeenAt: now, LoginAt: now,
		ExpiresAt: now.Add(24 * time.Hour), UserAgent: "agent", Data: make([]byte, 400)}
}

// raw are a program's own statements: the row of a session is read whole by its id, and its data are written back.
func raw(b *testing.B, db *sql.DB) (load, save func(ctx context.Context, id string) error) {
	get, err := db.Prepare("SELECT * FROM sessions WHERE id = ?")
	if err != nil {
		b.Fatal(err)
	}
	put, err := db.Prepare("UPDATE sessions SET data = ?, seen_at = ?, expires_at = ?, version = version + 1 " +
		"WHERE id = ?")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { get.Close(); put.Close() })
	data := make([]byte, 400)
	return func(ctx context.Context, id string) error {
			row := make([]any, 14)
			into := make([]any, len(row))
			for i := range row {
				into[i] = &row[i]
			}
			return get.QueryRowContext(ctx, id).Scan(into...)
		}, func(ctx context.Context, id string) error {
			now := time.Now().UnixMicro()
			_, err := put.ExecContext(ctx, data, now, now, id)
			return err
		}
}
