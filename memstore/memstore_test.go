package memstore_test

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

func TestANegativeBoundIsNone(t *testing.T) {
	s := memstore.New(memstore.Options{MaxSessions: -1})
	for _, id := range []string{"a", "b", "c"} {
		if err := s.Save(t.Context(), &session.Record{ID: id}); err != nil {
			t.Fatalf("Save(%q) = %v, want no error", id, err)
		}
	}
	if _, err := s.Load(t.Context(), "a"); err != nil {
		t.Errorf(`Load("a") = %v, want the record`, err)
	}
}

func TestAnEmptyIDIsRefused(t *testing.T) {
	s := memstore.New(memstore.Options{})
	if err := s.Save(t.Context(), &session.Record{}); err == nil {
		t.Error("Save of a record without an id = nil, want an error")
	}
	if _, err := s.Load(context.Background(), ""); !errors.Is(err, session.ErrNotFound) {
		t.Errorf(`Load("") = %v, want ErrNotFound`, err)
	}
}

// Users are listed by their ids first and by the records then. A session that moves in between must not be missed.
func TestASessionThatMovesIsAlwaysListed(t *testing.T) {
	s, ctx := memstore.New(memstore.Options{}), t.Context()
	const moves = 3000
	save := func(id string, version uint64, kind session.RecordKind) {
		if err := s.Save(ctx, &session.Record{ID: id, User: "ada", Version: version, Kind: kind}); err != nil {
			t.Error(err)
		}
	}
	save("0", 0, session.KindLive)
	moved := make(chan struct{})
	go func() {
		defer close(moved)
		for i := range moves {
			save(strconv.Itoa(i+1), 0, session.KindLive)
			save(strconv.Itoa(i), 1, session.KindAlias)
		}
	}()
	for going := true; going; {
		select {
		case <-moved:
			going = false
		default:
		}
		if recs, err := s.ByUser(ctx, "ada"); err != nil || len(recs) == 0 {
			t.Fatalf("ByUser = %d records, %v, want some", len(recs), err)
		}
	}
}
