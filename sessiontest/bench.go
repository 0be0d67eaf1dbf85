package sessiontest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// benchRecords is how many records are there while most benchmarks run.
const benchRecords = 1000

// RunBenchmarks measures a store that has a thousand records, with a sub-benchmark for each operation. It skips
// operations for which the store lacks the interface. newStore returns an empty store; whatever must be closed belongs
// in b.Cleanup.
func RunBenchmarks(b *testing.B, newStore func(b *testing.B) session.Store) {
	b.Helper()
	for _, bench := range []struct {
		name  string
		needs []need
		run   func(*testing.B, *env)
	}{
		{"Load", nil, benchLoad},
		{"LoadParallel", nil, benchLoadParallel},
		{"Save", nil, benchSave},
		{"SaveParallel", nil, benchSaveParallel},
		{"Create", nil, benchCreate},
		{"Delete", nil, benchDelete},
		{"Touch", []need{toucher}, benchTouch},
		{"ByUser", []need{lister}, benchByUser},
		{"Sweep", []need{sweeper}, benchSweep},
	} {
		b.Run(bench.name, func(b *testing.B) {
			e := &env{Store: newStore(b)}
			if missing := (rule{needs: bench.needs}).missing(e); missing != "" {
				b.Skip(missing)
			}
			for i := range benchRecords {
				must(b, e.Save(b.Context(), benchRecord(i, 0)))
			}
			b.ReportAllocs()
			b.ResetTimer()
			bench.run(b, e)
		})
	}
}

// must ends a benchmark at an error: what fails is not worth measuring.
func must(b *testing.B, err error) {
	if err != nil {
		b.Helper()
		b.Fatal(err)
	}
}

// benchRecord is a record of about the usual size. Users have two each.
func benchRecord(i int, version uint64) *session.Record {
	rec := sample(benchID(i))
	rec.User, rec.Version = benchUser(i), version
	rec.UserAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	rec.Data = make([]byte, 200)
	return rec
}

func benchUser(i int) string { return fmt.Sprintf("user-%d@example.com", i/2) }

// benchID looks like an id of the manager.
func benchID(i int) string { return fmt.Sprintf("%08x%056x", uint32(i)*2654435761, i) }

// benchIDs are those of the records that are there.
func benchIDs() []string {
	ids := make([]string, benchRecords)
	for i := range ids {
		ids[i] = benchID(i)
	}
	return ids
}

func benchLoad(b *testing.B, e *env) {
	ids := benchIDs()
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		_, err := e.Load(b.Context(), ids[i%len(ids)])
		must(b, err)
	}
}

func benchLoadParallel(b *testing.B, e *env) {
	ids := benchIDs()
	var goroutines atomic.Int32
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := int(goroutines.Add(1)) * 97; pb.Next(); i++ {
			if _, err := e.Load(b.Context(), ids[i%len(ids)]); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// benchSave replaces records, each at the version that the last round left.
func benchSave(b *testing.B, e *env) {
	recs := make([]*session.Record, benchRecords)
	for i := range recs {
		recs[i] = benchRecord(i, 1)
	}
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		rec := recs[i%len(recs)]
		must(b, e.Save(b.Context(), rec))
		rec.Version++
	}
}

// benchSaveParallel gives each goroutine a record of its own.
func benchSaveParallel(b *testing.B, e *env) {
	var goroutines atomic.Int32
	b.RunParallel(func(pb *testing.PB) {
		rec := benchRecord(benchRecords+int(goroutines.Add(1)), 0)
		for pb.Next() {
			if err := e.Save(b.Context(), rec); err != nil {
				b.Error(err)
				return
			}
			rec.Version++
		}
	})
}

// inBatches measures do with a batch of records that come and go. What is done before and after it is done while the
// clock stands, so that the store does not grow with b.N.
func inBatches(b *testing.B, before, do, after func(i int)) {
	each := func(fn func(int), n int) {
		for i := range n {
			fn(benchRecords + i)
		}
	}
	for done, n := 0, 0; done < b.N; done += n {
		n = min(benchRecords, b.N-done)
		b.StopTimer()
		each(before, n)
		b.StartTimer()
		each(do, n)
		b.StopTimer()
		each(after, n)
	}
}

func benchCreate(b *testing.B, e *env) {
	create, remove := benchChurn(b, e)
	inBatches(b, func(int) {}, create, remove)
}

func benchDelete(b *testing.B, e *env) {
	create, remove := benchChurn(b, e)
	inBatches(b, create, remove, func(int) {})
}

func benchChurn(b *testing.B, e *env) (create, remove func(i int)) {
	rec := benchRecord(0, 0)
	create = func(i int) {
		rec.ID = benchID(i)
		must(b, e.Save(b.Context(), rec))
	}
	return create, func(i int) { must(b, e.Delete(b.Context(), benchID(i))) }
}

func benchTouch(b *testing.B, e *env) {
	ids, s := benchIDs(), e.toucher()
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		seen := at(time.Duration(i) * time.Second) // later each time, so that there is something to write
		must(b, s.Touch(b.Context(), ids[i%len(ids)], 1, seen, seen.Add(day)))
	}
}

func benchByUser(b *testing.B, e *env) {
	s := e.lister()
	for i := 0; b.Loop(); i++ {
		_, err := s.ByUser(b.Context(), benchUser(i%benchRecords))
		must(b, err)
	}
}

// benchSweep measures how long it takes to remove one of many expired records, in sweeps of at most a hundred.
func benchSweep(b *testing.B, e *env) {
	for done, n := 0, 0; done < b.N; done += n {
		n = min(100, b.N-done)
		b.StopTimer()
		for i := range n {
			rec := benchRecord(benchRecords+i, 0)
			rec.ExpiresAt = at(-day)
			must(b, e.Save(b.Context(), rec))
		}
		b.StartTimer()
		must(b, e.sweep(b.Context(), at(-day/2), 100, n))
	}
}
