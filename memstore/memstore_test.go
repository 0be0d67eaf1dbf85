package memstore_test

import (
	"context"
	"errors"
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
