package memstore_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// The benchmarks fill a store with a thousand sessions, and another one with COATCHECK_BENCH_SESSIONS when that is set.
// The cost of a session must not grow with their number. What remains between the sizes is the processor fetching from
// main memory what it found in its caches before; BenchmarkPopulation in internal/integration measures how much.
func sizes(b *testing.B) []int {
	b.Helper()
	text := os.Getenv("COATCHECK_BENCH_SESSIONS")
	if text == "" {
		return []int{1_000}
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("COATCHECK_BENCH_SESSIONS is %q, want a number", text)
	}
	return []int{1_000, n}
}

func BenchmarkLoad(b *testing.B) {
	forEachSize(b, memstore.Options{}, func(b *testing.B, s *memstore.Store, ids []string) {
		for i := 0; b.Loop(); i++ {
			if _, err := s.Load(b.Context(), ids[i%len(ids)]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkLoadParallel(b *testing.B) {
	forEachSize(b, memstore.Options{}, func(b *testing.B, s *memstore.Store, ids []string) {
		b.RunParallel(func(pb *testing.PB) {
			for i := rand.IntN(len(ids)); pb.Next(); i++ {
				if _, err := s.Load(b.Context(), ids[i%len(ids)]); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

func BenchmarkSave(b *testing.B) {
	forEachSize(b, memstore.Options{}, func(b *testing.B, s *memstore.Store, ids []string) {
		for i := 0; b.Loop(); i++ {
			// Every round over the ids finds the version that the last one left.
			if err := s.Save(b.Context(), benchRecord(ids, i%len(ids), uint64(i/len(ids)+1))); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkTouch(b *testing.B) {
	forEachSize(b, memstore.Options{}, func(b *testing.B, s *memstore.Store, ids []string) {
		for i := 0; b.Loop(); i++ {
			seen := start.Add(time.Duration(i) * time.Second)
			if err := s.Touch(b.Context(), ids[i%len(ids)], 1, seen, seen.Add(time.Hour)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkCreateAndDelete(b *testing.B) {
	forEachSize(b, memstore.Options{}, func(b *testing.B, s *memstore.Store, ids []string) {
		fresh := newIDs(len(ids))
		for i := 0; b.Loop(); i++ {
			if err := s.Save(b.Context(), benchRecord(fresh, i%len(fresh), 0)); err != nil {
				b.Fatal(err)
			}
			if err := s.Delete(b.Context(), fresh[i%len(fresh)]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkCreateInFullStore drops a record with every save.
func BenchmarkCreateInFullStore(b *testing.B) {
	for _, n := range sizes(b) {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, _ := filled(b, n, memstore.Options{MaxSessions: n})
			fresh := newIDs(2 * n)
			for i := 0; b.Loop(); i++ {
				rec := benchRecord(fresh, i%len(fresh), 0)
				rec.SeenAt = start.Add(time.Duration(n+i) * time.Second) // so that each id is gone when it comes again
				rec.ExpiresAt = rec.SeenAt.Add(time.Hour)
				if err := s.Save(b.Context(), rec); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkByUser(b *testing.B) {
	forEachSize(b, memstore.Options{}, func(b *testing.B, s *memstore.Store, ids []string) {
		for i := 0; b.Loop(); i++ {
			recs, err := s.ByUser(b.Context(), benchUser(i%len(ids)))
			if err != nil || len(recs) != sessionsPerUser {
				b.Fatal(len(recs), err)
			}
		}
	})
}

// BenchmarkPage walks the store in pages of a hundred. One operation is one page.
func BenchmarkPage(b *testing.B) {
	forEachSize(b, memstore.Options{}, func(b *testing.B, s *memstore.Store, _ []string) {
		after := ""
		for b.Loop() {
			recs, err := s.Page(b.Context(), after, 100)
			if err != nil {
				b.Fatal(err)
			}
			after = ""
			if len(recs) == 100 {
				after = recs[len(recs)-1].ID
			}
		}
	})
}

func forEachSize(b *testing.B, opts memstore.Options, bench func(*testing.B, *memstore.Store, []string)) {
	for _, n := range sizes(b) {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, ids := filled(b, n, opts)
			b.ReportAllocs()
			b.ResetTimer()
			bench(b, s, ids)
		})
	}
}

func filled(b *testing.B, n int, opts memstore.Options) (*memstore.Store, []string) {
	b.Helper()
	s, ids := memstore.New(opts), newIDs(n)
	for i := range ids {
		if err := s.Save(context.Background(), benchRecord(ids, i, 0)); err != nil {
			b.Fatal(err)
		}
	}
	runtime.GC() // of the filling, so that the benchmark pays only for itself
	return s, ids
}

const sessionsPerUser = 2

func benchUser(i int) string { return fmt.Sprintf("user-%d@example.com", i/sessionsPerUser) }

var start = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)

func benchRecord(ids []string, i int, version uint64) *session.Record {
	seen := start.Add(time.Duration(i) * time.Second)
	return &session.Record{
		ID: ids[i], User: benchUser(i), Version: version, CreatedAt: seen, SeenAt: seen, ExpiresAt: seen.Add(time.Hour),
		UserAgent: "Mozilla/5.0", Data: make([]byte, 200),
	}
}

func newIDs(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		var b [32]byte
		for j := range b {
			b[j] = byte(rand.Uint32())
		}
		ids[i] = hex.EncodeToString(b[:])
	}
	return ids
}
