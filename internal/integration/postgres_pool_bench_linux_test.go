package integration_test

import (
	"context"
	"database/sql"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/sqlstore"
)

// BenchmarkPostgreSQLPool loads and replaces a record through database/sql, as sqlstore does, and through the pool that
// pgx has of its own with the same statements, each with a deadline, as requests have one: docs/decisions/0006 and 0029
// say what follows from the difference. It also reports the processor time of this process.
func BenchmarkPostgreSQLPool(b *testing.B) {
	at, err := servers.PostgreSQL()
	if err != nil {
		b.Fatal(err)
	}
	db, err := sql.Open("pgx", at.DSN)
	if err != nil {
		b.Fatal(err)
	}
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	b.Cleanup(func() { db.Close() })
	store, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.PostgreSQL, Table: "pool_bench"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	ctx := context.Background()
	if err := store.Migrate(ctx); err != nil {
		b.Fatal(err)
	}
	for i := range 64 {
		_ = store.Delete(ctx, fmt.Sprint("id", i))
		save(b, store, &session.Record{ID: fmt.Sprint("id", i), User: "ada", Data: make([]byte, 300)})
	}
	pool, err := pgxpool.New(ctx, at.DSN+"&pool_max_conns=8")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	const columns = "id, user_id, kind, successor, version, created_at, seen_at, login_at, expires_at, remote_ip, " +
		"user_agent, persistent, data"
	each := func(name string, one func(ctx context.Context, id string) error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			before := processorTime()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
					err := one(ctx, fmt.Sprint("id", i%64))
					cancel()
					if err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64((processorTime()-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
		})
	}
	each("load/database-sql", func(ctx context.Context, id string) error { _, err := store.Load(ctx, id); return err })
	each("load/pgxpool", func(ctx context.Context, id string) error {
		var rec session.Record
		var created, seen int64
		var login, expires *int64
		var kind, persistent int16
		var ip string
		return pool.QueryRow(ctx, "SELECT "+columns+" FROM pool_bench WHERE id = $1", id).Scan(&rec.ID, &rec.User,
			&kind, &rec.Successor,
			&rec.Version, &created, &seen, &login, &expires, &ip, &rec.UserAgent, &persistent, &rec.Data)
	})
	data := make([]byte, 300)
	each("save/database-sql", func(ctx context.Context, id string) error {
		_, err := db.ExecContext(ctx, "UPDATE pool_bench SET data = $1, version = version + 1 WHERE id = $2", data, id)
		return err
	})
	each("save/pgxpool", func(ctx context.Context, id string) error {
		_, err := pool.Exec(ctx, "UPDATE pool_bench SET data = $1, version = version + 1 WHERE id = $2", data, id)
		return err
	})
}

func processorTime() time.Duration {
	var use syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &use) != nil {
		return 0
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
