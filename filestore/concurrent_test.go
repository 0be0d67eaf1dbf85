package filestore_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/filestore"
)

// Of many who save at one version one succeeds, through one store or through several.
func TestOneOfManySavesSucceeds(t *testing.T) {
	s, dir := newStore(t)
	stores := []*filestore.Store{s, s, reopen(t, dir, filestore.Options{NoSync: true})}
	for version := range uint64(10) {
		var won, lost atomic.Int32
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Go(func() {
				rec := record("id")
				rec.Version = version
				switch err := stores[i%len(stores)].Save(t.Context(), rec); {
				case err == nil:
					won.Add(1)
				case errors.Is(err, session.ErrConflict):
					lost.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 || lost.Load() != 11 {
			t.Errorf("at version %d %d saves succeeded and %d met a conflict, want 1 and 11", version, won.Load(),
				lost.Load())
		}
	}
}

// A delete is final, whatever is under way.
func TestNoSaveOrTouchBringsADeletedRecordBack(t *testing.T) {
	s, dir := newStore(t)
	other := reopen(t, dir, filestore.Options{NoSync: true})
	for range 30 {
		create(t, s, record("id"))
		var wg sync.WaitGroup
		for _, store := range []*filestore.Store{s, other} {
			wg.Go(func() {
				rec := record("id")
				for rec.Version = 1; ; rec.Version++ {
					_ = store.Touch(t.Context(), "id", rec.Version, start.Add(time.Hour), time.Time{})
					if err := store.Save(t.Context(), rec); errors.Is(err, session.ErrNotFound) {
						return
					}
				}
			})
		}
		remove(t, s, "id")
		if _, err := other.Load(t.Context(), "id"); !errors.Is(err, session.ErrNotFound) {
			t.Fatalf("Load = %v, want ErrNotFound", err)
		}
		wg.Wait()
		if _, err := s.Load(t.Context(), "id"); !errors.Is(err, session.ErrNotFound) {
			t.Fatalf("Load after the saves = %v, want ErrNotFound", err)
		}
	}
}

// TestReadersSeeWholeRecordsOnly reads without a lock while the record is replaced and touched.
func TestReadersSeeWholeRecordsOnly(t *testing.T) {
	s, _ := newStore(t)
	rec := record("id")
	fillCrashRecord(rec)
	create(t, s, rec)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for rec.Version = 1; rec.Version < 200; rec.Version++ {
			fillCrashRecord(rec)
			if err := s.Save(t.Context(), rec); err != nil {
				t.Error(err)
				return
			}
			seen := start.Add(time.Duration(rec.Version) * time.Second)
			if err := s.Touch(t.Context(), "id", rec.Version+1, seen, seen.Add(time.Hour)); err != nil {
				t.Error(err)
			}
		}
	}()
	for {
		select {
		case <-done:
			return
		default:
		}
		got := load(t, s, "id")
		want := got.Clone()
		want.Version--
		fillCrashRecord(want)
		want.Version++
		wantRecord(t, got, want)
		if byUser(t, s, "nobody") != nil {
			t.Error("nobody has a session")
		}
	}
}

// TestASessionIsNeverAliveAndMissingFromTheList changes nothing but the version while others list, sweep and repair.
func TestASessionIsNeverAliveAndMissingFromTheList(t *testing.T) {
	s, dir := newStore(t)
	other := reopen(t, dir, filestore.Options{NoSync: true})
	create(t, s, record("id"))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		rec := record("id")
		for rec.Version = 1; ; rec.Version++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := s.Save(t.Context(), rec); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 30 {
		if ids := byUser(t, other, "user"); len(ids) != 1 {
			t.Errorf("ByUser = %q, want the session", ids)
		}
		sweep(t, other, start, 10)
	}
	close(stop)
	wg.Wait()
}
