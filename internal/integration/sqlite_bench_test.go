package integration_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// population is how many sessions the table has while the benchmarks run: COATCHECK_BENCH_SESSIONS, say 1000000.
func population(b *testing.B) int {
	b.Helper()
	text := os.Getenv("COATCHECK_BENCH_SESSIONS")
	if text == "" {
		return 1000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("COATCHECK_BENCH_SESSIONS is %q, want a number", text)
	}
	return n
}

// BenchmarkSQLite walks over the ids in a scattered order, as visitors come. The context can end, like that of a
// request.
func BenchmarkSQLite(b *testing.B) {
	n := population(b)
	path := sqliteFile(b)
	db := openSQLite(b, path)
	store := migrated(b, db, "")
	fill(b, db, n)
	reportSize(b, db, n)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	at := time.Unix(1_700_000_000, 0)
	b.Run("Load", func(b *testing.B) {
		each(b, func(i int) error {
			_, err := store.Load(ctx, filledID(i, n))
			return err
		})
	})
	b.Run("ByUser", func(b *testing.B) {
		each(b, func(i int) error {
			_, err := store.ByUser(ctx, "user"+strconv.Itoa(i%(n/10+1)))
			return err
		})
	})
	b.Run("Touch", func(b *testing.B) {
		each(b, func(i int) error {
			seen := at.Add(time.Duration(i) * time.Second)
			return store.Touch(ctx, filledID(i, n), 1, seen, seen.Add(time.Hour))
		})
	})
	b.Run("Save", func(b *testing.B) {
		versions := make([]uint64, n)
		each(b, func(i int) error {
			rec := &session.Record{ID: filledID(i, n), User: "ada", ExpiresAt: at, Data: make([]byte, 500)}
			versions[i%n]++
			rec.Version = versions[i%n]
			return store.Save(ctx, rec)
		})
	})
	b.Run("Create", func(b *testing.B) {
		each(b, func(i int) error {
			id := fmt.Sprintf("%08d-%d", i*7919%100_000_007, i)
			return store.Save(ctx, &session.Record{ID: id, User: "ada", ExpiresAt: at, Data: make([]byte, 500)})
		})
	})
}

func each(b *testing.B, call func(i int) error) {
	b.Helper()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := call(i); err != nil {
			b.Fatal(err)
		}
	}
}

// fill makes n sessions, ten of each user, with ids in no order and 500 bytes of data each.
func fill(b *testing.B, db *sql.DB, n int) {
	b.Helper()
	const text = `WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n LIMIT ?)
		INSERT INTO sessions SELECT printf('%08d%056d', i * 7919 % 100000007, i), 'user' || (i / 10), 0, '', 1,
			0, 0, NULL, i, '192.0.2.1', 'agent', 0, randomblob(500) FROM n`
	if _, err := db.Exec(text, n); err != nil {
		b.Fatal(err)
	}
}

// filledID returns the id of the i-th session in a scattered order that meets each of the n once before it repeats, as
// long as 31 does not divide n.
func filledID(i, n int) string {
	i = i * 31 % n
	return fmt.Sprintf("%08d%056d", i*7919%100_000_007, i)
}

func reportSize(b *testing.B, db *sql.DB, n int) {
	b.Helper()
	var size float64
	if err := db.QueryRow("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").Scan(
		&size); err != nil {
		b.Fatal(err)
	}
	b.Logf("%d sessions with 500 bytes of data take %.0f bytes each", n, size/float64(n))
}
