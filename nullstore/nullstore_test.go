package nullstore_test

import (
	"context"
	"errors"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/nullstore"
)

func TestWhatIsSavedIsForgotten(t *testing.T) {
	s := nullstore.New()
	if err := s.Save(t.Context(), &session.Record{ID: "a"}); err != nil {
		t.Fatalf("Save of a new record = %v, want no error", err)
	}
	if rec, err := s.Load(t.Context(), "a"); rec != nil || !errors.Is(err, session.ErrNotFound) {
		t.Errorf("Load = %v, %v, want ErrNotFound", rec, err)
	}
	if err := s.Save(t.Context(), &session.Record{ID: "a", Version: 1}); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("Save of version 1 = %v, want ErrNotFound", err)
	}
	if err := s.Delete(t.Context(), "a"); err != nil {
		t.Errorf("Delete = %v, want no error", err)
	}
}

func TestItSaysThatItDiscards(t *testing.T) {
	var s session.Store = nullstore.New()
	if d, ok := s.(session.Discarder); !ok || !d.Discards() {
		t.Error("Discards is not there or false, want true, so that the manager sends no cookie")
	}
}

func TestACancelledContextIsAnError(t *testing.T) {
	s := nullstore.New()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Load(ctx, "a")
	for name, err := range map[string]error{
		"Load": err, "Save": s.Save(ctx, &session.Record{ID: "a"}), "Delete": s.Delete(ctx, "a"),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s = %v, want context.Canceled", name, err)
		}
	}
}

func TestWhatStoresRefuseIsRefusedHereToo(t *testing.T) {
	m, err := session.New(nullstore.New(), session.Options{Secrets: []session.Secret{session.NewSecret()}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	s, err := m.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	s.Set("a..b", 1)
	if err := s.Save(t.Context()); err == nil || !errors.Is(err, s.Err()) {
		t.Errorf("Save = %v, want what Err says: %v", err, s.Err())
	}
}
