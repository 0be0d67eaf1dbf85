package memstore_test

import (
	"context"
	"errors"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// A live record that is stored is no end of anything: whoever watches would look at each for nothing.
func TestWatchTellsOfEndsAlone(t *testing.T) {
	store := memstore.New(memstore.Options{})
	ctx, stop := context.WithCancel(t.Context())
	told, ended := make(chan string, 10), make(chan error)
	go func() { ended <- store.Watch(ctx, func(id string) { told <- id }) }()
	if id := <-told; id != "" {
		t.Errorf("told of %q first, want of everything", id)
	}
	for _, rec := range []*session.Record{
		{ID: "a"}, {ID: "a", Version: 1}, {ID: "a", Version: 2, Kind: session.KindTombstone},
	} {
		if err := store.Save(ctx, rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Delete(ctx, "never there"); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Watch = %v", err)
	}
	if id := <-told; id != "a" || len(told) != 0 {
		t.Errorf("told of %q and %d more, want of the end alone", id, len(told))
	}
}
