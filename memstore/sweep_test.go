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
