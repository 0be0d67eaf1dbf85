package guard_test

import (
	"encoding/binary"
	"log/slog"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

// Whatever a store returns, requests are answered, and what is kept stays within its bound.
func FuzzBucket(f *testing.F) {
	long := append([]byte{1}, make([]byte, 28*64)...)
	far := append([]byte{1}, make([]byte, 28)...)
	binary.BigEndian.PutUint64(far[13:], 1<<63-1)
	binary.BigEndian.PutUint64(far[21:], 1<<63-1)
	for _, data := range [][]byte{nil, {1}, {2}, {1, 0}, far, long, append(long, make([]byte, 28)...)} {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		store := memstore.New(memstore.Options{})
		c := &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)}
		m, err := session.New(store, session.Options{Secrets: []session.Secret{secret}, SweepEvery: -1, Now: c.now,
			Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		g, err := guard.New(m, guard.Options{})
		if err != nil {
			t.Fatal(err)
		}
		h := g.Rate(guard.Limit{By: guard.Address, Requests: 2, Per: time.Hour, Store: store})(inside)
		wantInside(t, from(h, "192.0.2.1"))
		rec := only(t, store)
		rec.Data = data
		if err := store.Save(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
		if w := from(h, "192.0.2.1"); w.Code != 200 && w.Code != 429 {
			t.Errorf("status %d", w.Code)
		}
		c.advance(time.Hour) // a whole burst, whatever the record says
		wantInside(t, from(h, "192.0.2.1"))
		if n := len(only(t, store).Data); n > 1+28*64 {
			t.Errorf("%d bytes are kept", n)
		}
	})
}

// only returns the one record of a store.
func only(t *testing.T, store *memstore.Store) *session.Record {
	t.Helper()
	list, err := store.Page(t.Context(), "", 2)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d records, %v, want 1", len(list), err)
	}
	rec, err := store.Load(t.Context(), list[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// Nodes of two releases may share a store. One that does not know what the other has written begins to count anew.
func TestABucketOfAnotherReleaseIsCountedAnew(t *testing.T) {
	r := newRig(t, guard.Options{})
	store := memstore.New(memstore.Options{})
	h := r.Rate(guard.Limit{By: guard.Address, Requests: 1, Per: time.Hour, Store: store})(inside)
	wantInside(t, from(h, "192.0.2.1"))
	rec := only(t, store)
	rec.Data = append([]byte{2}, rec.Data[1:]...)
	if err := store.Save(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	wantInside(t, from(h, "192.0.2.1"))
	if w := from(h, "192.0.2.1"); w.Code != 429 {
		t.Errorf("status %d, want 429", w.Code)
	}
}
