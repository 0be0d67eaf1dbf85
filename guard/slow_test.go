package guard_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

// Whoever comes to a full bucket takes over a charge, but not so much that the first failure makes them wait for longer
// than the first wait.
func TestAFloodMakesNobodyWaitForLongerThanTheFirstWait(t *testing.T) {
	store := memstore.New(memstore.Options{})
	d := newDoor(t, guard.Options{SignIn: guard.SignInLimits{Attempts: 3, Store: store}})
	d.from(1).try(d, "ann", "wrong")
	recs, err := store.Page(t.Context(), "", 10)
	if err != nil || len(recs) != 2 {
		t.Fatalf("%d records, %v, want a bucket of accounts and one of addresses", len(recs), err)
	}
	full := []byte{1}
	for i := range 64 { // strangers who have used up all that they have
		full = append(full, bytes.Repeat([]byte{byte(i)}, 12)...)
		full = binary.BigEndian.AppendUint64(full, uint64(d.clock.now().Add(9*24*time.Hour).UnixMicro()))
		full = binary.BigEndian.AppendUint64(full, 0)
	}
	for _, rec := range recs {
		rec, err := store.Load(t.Context(), rec.ID)
		if err != nil {
			t.Fatal(err)
		}
		rec.Data = full
		if err := store.Save(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	if w := d.from(1).try(d, "ann", "wrong"); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("an attempt in a flood: status %d, want 422", w.Code)
	}
	if w := d.from(2).try(d, "ann", "wrong"); w.Header().Get("Retry-After") != "60" {
		t.Errorf("after one failure: status %d, Retry-After %s, want 60", w.Code, w.Header().Get("Retry-After"))
	}
}

// A site that lowers its numbers has counts that are higher than any that it would make now.
func TestLowerNumbersHoldForWhatWasCountedBefore(t *testing.T) {
	limits := guard.SignInLimits{Attempts: 100, Store: memstore.New(memstore.Options{})}
	before := newDoor(t, guard.Options{SignIn: limits})
	owner := before.from(1)
	owner.try(before, "ann", right)
	for range 90 {
		owner.try(before, "ann", "wrong")
	}
	limits.Attempts = 10
	after := doorOf(newRigOn(t, before.store, before.clock, guard.Options{SignIn: limits}))
	now := at{after.visitor(), owner.address}
	now.cookies = owner.cookies
	w := now.try(after, "ann", "wrong")
	// ten attempts, the doublings of a minute to a day, and one more: a day for each
	want := fmt.Sprintf(`"signin-device";r=0;t=%d`, (10+11+1)*24*60*60)
	if got := w.Header().Get("RateLimit"); w.Code != http.StatusUnprocessableEntity || got != want {
		t.Errorf("status %d, RateLimit %s, want %s", w.Code, got, want)
	}
	w = now.try(after, "ann", "wrong")
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "86400" {
		t.Errorf("status %d, Retry-After %s, want a day to wait", w.Code, w.Header().Get("Retry-After"))
	}
}
