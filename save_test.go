package session_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// contested is a store without waiting in which every change comes too late.
type contested struct{ *memstore.Store }

func (c contested) Save(ctx context.Context, rec *session.Record) error {
	if rec.Version > 0 {
		return &session.ConflictError{}
	}
	return c.Store.Save(ctx, rec)
}

func TestACommitGivesUpOnAStoreThatSetsNoTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newRig(t).visitor()
		m, err := session.New(contested{memstore.New(memstore.Options{})},
			session.Options{Secrets: []session.Secret{testSecret}, SweepEvery: -1})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		v = v.on(m)
		v.with(func(s *session.Session) { s.Set("a", 1) })
		if resp := v.with(func(s *session.Session) {
			s.Set("a", 2)
		}); resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("status %d, want 503", resp.StatusCode)
		}
	})
}
