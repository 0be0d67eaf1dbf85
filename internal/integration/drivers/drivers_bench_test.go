//go:build drivers

package drivers_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
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
// end, as that of a request.
func BenchmarkDrivers(b *testing.B) {
	for _, d := range linked {
		b.Run("driver="+filepath.Base(filepath.Dir(d.module))+"_"+filepath.Base(d.module), func(b *testing.B) {
			bench(b, d.driver, "file:"+filepath.Join(b.TempDir(), "sessions.db")+d.options)
		})
	}
}

func bench(b *testing.B, driver, dsn string) {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	store, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.SQLite})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	if err := store.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	for i := range sessions {
		if err := store.Save(b.Context(), record(i, 0)); err != nil {
			b.Fatal(err)
		}
	}
	versions := make([]uint64, sessions)
	for i := range versions {
		versions[i] = 1
	}
	load, save := raw(b, db)
	each(b, "load/by=hand", func(ctx context.Context, i int) error { return load(ctx, id(i)) })
	each(b, "load/by=sqlstore", func(ctx context.Context, i int) error {
		_, err := store.Load(ctx, id(i))
		return err
	})
	each(b, "save/by=hand", func(ctx context.Context, i int) error {
		versions[i]++
		return save(ctx, id(i))
	})
	each(b, "save/by=sqlstore", func(ctx context.Context, i int) error {
		rec := record(i, versions[i])
		versions[i]++
		return store.Save(ctx, rec)
	})
}

// each walks over the sessions in a scattered order.
func each(b *testing.B, name string, do func(ctx context.Context, i int) error) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			ctx, cancel := context.WithTimeout(b.Context(), 5*time.Second)
			err := do(ctx, n*31%sessions)
			cancel()
			if err != nil {
				b.Fatal(err)
			}
		}
	})
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
			row := make([]any, 13)
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
