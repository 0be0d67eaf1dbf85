package beside_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/beside"
	"github.com/coatcheck/session/internal/newest"
	"github.com/coatcheck/session/memstore"
)

// failing is a store whose saves end with an error.
type failing struct {
	*memstore.Store
	err error
}

func (f failing) Save(context.Context, *session.Record) error { return f.err }

// one adds a byte.
func one(rec *session.Record) *session.Record {
	now := time.Unix(1, 0)
	return beside.Next(rec, now, now.Add(time.Hour), append(rec.Data, 1))
}

func TestNoChangeIsLost(t *testing.T) {
	store := memstore.New(memstore.Options{})
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if err := beside.Change(t.Context(), store, "id", one); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	rec, err := beside.Load(t.Context(), store, "id")
	if err != nil || len(rec.Data) != 20 || rec.Kind != session.KindTombstone ||
		!rec.ExpiresAt.Equal(time.Unix(3601, 0)) {
		t.Errorf("the record is %v with %d changes, %v", rec, len(rec.Data), err)
	}
	none := func(*session.Record) *session.Record { return nil }
	if err := beside.Change(t.Context(), store, "other", none); err != nil {
		t.Error(err)
	}
	if rec, err := beside.Load(t.Context(), store, "other"); err != nil || rec.Version != 0 || rec.ID != "other" {
		t.Errorf("a record that was not saved is %v, %v", rec, err)
	}
}

func TestAChangeThatCannotBeSavedSaysWhy(t *testing.T) {
	store := memstore.New(memstore.Options{})
	down := errors.New("down")
	err := beside.Change(t.Context(), failing{store, down}, "id", one)
	if !errors.Is(err, session.ErrUnavailable) || !errors.Is(err, down) {
		t.Errorf("a store that is down: %v", err)
	}
	over, cancel := context.WithCancel(t.Context())
	always := failing{store, session.ErrConflict}
	err = beside.Change(over, always, "id", func(rec *session.Record) *session.Record {
		cancel()
		return one(rec)
	})
	if !errors.Is(err, session.ErrConflict) || !errors.Is(err, context.Canceled) {
		t.Errorf("a context that ended: %v", err)
	}
}

// copies is a store that keeps copies, and notes what it was asked for.
type copies struct {
	*memstore.Store
	newest *[]bool
}

func (s copies) Load(ctx context.Context, id string) (*session.Record, error) {
	*s.newest = append(*s.newest, newest.Wanted(ctx))
	return s.Store.Load(ctx, id)
}

func TestALookAsksForTheNewestRecord(t *testing.T) {
	store := copies{memstore.New(memstore.Options{}), &[]bool{}}
	if err := beside.Change(t.Context(), store, "id", one); err != nil {
		t.Fatal(err)
	}
	if _, err := beside.Load(t.Context(), store, "id"); err != nil {
		t.Fatal(err)
	}
	if got := *store.newest; !slices.Equal(got, []bool{false, true}) {
		t.Errorf("a change and a look ask for the newest: %v, want only the look", got)
	}
}
