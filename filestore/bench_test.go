package filestore_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/filestore"
)

// The benchmarks fill a folder with a thousand sessions, and another one with COATCHECK_BENCH_SESSIONS when that is
// set: a million take minutes, and four gigabytes of the disk, for each benchmark. BenchmarkPopulation in
// internal/integration fills once.
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
	forEachSize(b, func(b *testing.B, s *filestore.Store, ids []string) {
		for i := 0; b.Loop(); i++ {
			load(b, s, ids[i%len(ids)])
		}
	})
}

func BenchmarkLoadParallel(b *testing.B) {
	forEachSize(b, func(b *testing.B, s *filestore.Store, ids []string) {
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				if _, err := s.Load(b.Context(), ids[i%len(ids)]); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

func BenchmarkTouch(b *testing.B) {
	forEachSize(b, func(b *testing.B, s *filestore.Store, ids []string) {
		for i := 0; b.Loop(); i++ {
			touch(b, s, ids[i%len(ids)], 1, start.Add(time.Duration(i+1)*time.Second), start)
		}
	})
}

func BenchmarkSave(b *testing.B) {
	for _, opts := range []filestore.Options{{}, {NoSync: true}} {
		b.Run(fmt.Sprintf("NoSync=%v", opts.NoSync), func(b *testing.B) {
			s := reopen(b, b.TempDir(), opts)
			rec := record("id")
			for ; b.Loop(); rec.Version++ {
				create(b, s, rec)
			}
		})
	}
}

func BenchmarkByUser(b *testing.B) {
	forEachSize(b, func(b *testing.B, s *filestore.Store, ids []string) {
		rec := record("id")
		rec.User = "somebody"
		create(b, s, rec)
		for b.Loop() {
			if len(byUser(b, s, "somebody")) != 1 {
				b.Fatal("the session is missing")
			}
		}
	})
}

// BenchmarkPage walks in pages of a hundred. One operation is one page.
func BenchmarkPage(b *testing.B) {
	forEachSize(b, func(b *testing.B, s *filestore.Store, _ []string) {
		for after := ""; b.Loop(); {
			ids := page(b, s, after, 100)
			after = ""
			if len(ids) == 100 {
				after = ids[99]
			}
		}
	})
}

// BenchmarkSweep looks at every session and removes none.
func BenchmarkSweep(b *testing.B) {
	forEachSize(b, func(b *testing.B, s *filestore.Store, _ []string) {
		for b.Loop() {
			sweep(b, s, start, 1)
		}
	})
}

func forEachSize(b *testing.B, bench func(*testing.B, *filestore.Store, []string)) {
	for _, n := range sizes(b) {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := reopen(b, b.TempDir(), filestore.Options{NoSync: true})
			ids := make([]string, n)
			for i := range ids {
				ids[i] = rand.Text()
				if err := s.Save(context.Background(), benchRecord(ids[i])); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			bench(b, s, ids)
		})
	}
}

// benchRecord is anonymous: the marks of a thousand users would be a thousand syncs.
func benchRecord(id string) *session.Record {
	rec := record(id)
	rec.User, rec.Data = "", make([]byte, 400)
	return rec
}
