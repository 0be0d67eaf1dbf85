package main

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/sessionconfig"
)

// A store says when it has begun to listen, as memory and PostgreSQL do. That is no session, and is not counted.
func TestOnlySessionsThatEndAreShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New(memstore.Options{})
		m, err := session.New(store, session.Options{Secrets: []session.Secret{session.NewSecret()}, SweepEvery: -1})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		var out bytes.Buffer
		tool := &tool{}
		tool.Out, tool.JSON = &out, true
		go func() {
			_ = watchEnds(t.Context(), tool, &site{Manager: m, cfg: &sessionconfig.Config{}, store: store}, 1)
		}()
		synctest.Wait()
		s := signedIn(t.Context(), t, m)
		if _, err := m.Revoke(t.Context(), s.ID()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		var shown end
		if err := json.Unmarshal(out.Bytes(), &shown); err != nil || shown.ID != s.ID() {
			t.Errorf("it shows %s, %v, want the session %s alone", &out, err, s.ID())
		}
	})
}

// signedIn is a new session of ada.
func signedIn(ctx context.Context, t *testing.T, m *session.Manager) *session.Session {
	t.Helper()
	s, err := m.Open(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	s.Login("ada")
	if err := s.Save(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}
