package integration_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sqlstore"
)

// COATCHECK_BENCH_SESSIONS is how many sessions the table has while the benchmarks run; 1000000 is what docs/operations.md shows.
func population(b *testing.B) int {
	b.Helper()
	n, err := strconv.Atoi(os.Getenv("COATCHECK_BENCH_SESSIONS"))
	if err != nil {
		return 1000
	}
	return n
}

func populated(b *testing.B) (*sqlstore.Store, int) {
	b.Helper()
	n := population(b)
	path := filepath.Join(b.TempDir(), "sessions.db")
	db := openSQLite(b, path)
	store := migrated(b, db, "")
	fill(b, db, n)
	return store, n
}

// fill makes n sessions in one transaction, each with 500 bytes of data.
func fill(b *testing.B, db *sql.DB, n int) {
	b.Helper()
	const text = `WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n LIMIT ?)
		INSERT INTO sessions SELECT printf('%08d', i * 7919 % 100000007) || printf('%056d', i), 'user' || i % 1000, 0, '', 1,
			0, 0, NULL, i, '192.0.2.1', 'agent', 0, randomblob(500) FROM n`
	if _, err := db.Exec(text, n); err != nil {
		b.Fatal(err)
	}
}

func benchID(i, n int) string {
	i = i * 31 % n
	return fmt.Sprintf("%08d%056d", i*7919%100000007, i)
}

func BenchmarkSQLite(b *testing.B) {
	store, n := populated(b)
	ctx, cancel := context.WithCancel(context.Background()) // like a request's: one that can end
	defer cancel()
	now := time.Unix(1_700_000_000, 0)
	ids := make([]string, 0, 1<<16)
	for i := range cap(ids) {
		ids = append(ids, benchID(i, n))
	}
	b.Run("Load", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := store.Load(ctx, ids[i%len(ids)]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Touch", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			at := now.Add(time.Duration(i) * time.Second)
			if err := store.Touch(ctx, ids[i%len(ids)], 1, at, at.Add(time.Hour)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Create", func(b *testing.B) {
		b.ReportAllocs()
		made++
		for i := 0; b.Loop(); i++ {
			rec := &session.Record{ID: fmt.Sprintf("%08d%d-%d", i*7919%100000007, made, i), User: "ada", Data: make([]byte, 500), ExpiresAt: now}
			if err := store.Save(ctx, rec); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Save", func(b *testing.B) {
		b.ReportAllocs()
		recs := make([]*session.Record, min(n, 1000))
		for i := range recs {
			rec, err := store.Load(ctx, ids[i])
			if err != nil {
				b.Fatal(err)
			}
			recs[i] = rec
		}
		for i := 0; b.Loop(); i++ {
			rec := recs[i%len(recs)]
			if err := store.Save(ctx, rec); err != nil {
				b.Fatal(err)
			}
			rec.Version++
		}
	})
}

var made int
