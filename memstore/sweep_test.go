package memstore

import (
	"fmt"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// Whoever wants a record waits while a sweep removes others from its shard, so that a sweep takes few from one at a
// time.
func TestASweepTakesFewRecordsFromAShardAtATime(t *testing.T) {
	const records, limit, few = 100 << shardBits, 500, 16
	s := New(Options{})
	for i := range records {
		if err := s.Save(t.Context(), &session.Record{ID: fmt.Sprint(i), ExpiresAt: time.Unix(1, 0)}); err != nil {
			t.Fatal(err)
		}
	}
	var before [1 << shardBits]int
	for i := range s.shards {
		before[i] = s.shards[i].table.len
	}
	if n, err := s.Sweep(t.Context(), time.Unix(2, 0), limit); n != limit || err != nil {
		t.Fatalf("Sweep = %d, %v, want %d", n, err, limit)
	}
	for i := range s.shards {
		if n := before[i] - s.shards[i].table.len; n > few {
			t.Errorf("shard %d lost %d of %d, want at most %d", i, n, limit, few)
		}
	}
}

// A touch leaves its entry where it stood in the queue, in front of those that have expired.
func TestASweepGoesPastSessionsThatWereTouched(t *testing.T) {
	const records = 100 << shardBits
	s, expired := New(Options{}), 0
	for i := range records {
		id, end := fmt.Sprint(i), time.Unix(1, int64(i))
		if err := s.Save(t.Context(), &session.Record{ID: id, ExpiresAt: end}); err != nil {
			t.Fatal(err)
		}
		if i < records-records/8 {
			end = time.Unix(100, 0)
		} else {
			expired++
		}
		if err := s.Touch(t.Context(), id, 1, end, end); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := s.Sweep(t.Context(), time.Unix(2, 0), records); n != expired || err != nil {
		t.Errorf("Sweep = %d, %v, want %d", n, err, expired)
	}
}

// Times in any century, and as near to each other as they can be, are told apart.
func TestASweepIsExactToTheNanosecond(t *testing.T) {
	const records = 10 << shardBits
	for _, year := range []int{1, 1900, 2026, 9999} {
		s, start := New(Options{}), time.Date(year, 12, 31, 23, 59, 59, 1e9-records/2, time.UTC)
		for i := range records {
			end := start.Add(time.Duration(i * 7 % records)) // in no order
			if err := s.Save(t.Context(), &session.Record{ID: fmt.Sprint(i), ExpiresAt: end}); err != nil {
				t.Fatal(err)
			}
		}
		swept := 0
		for _, gone := range []int{1, 2, records / 2, records - 1, records} {
			n, err := s.Sweep(t.Context(), start.Add(time.Duration(gone)), records)
			if swept += n; swept != gone || err != nil {
				t.Errorf("in %d: %d were swept, %v, want %d", year, swept, err, gone)
			}
		}
	}
}
