package session_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

func TestManyChangesOfOneRequestAreKept(t *testing.T) {
	for _, keys := range []int{1, 11, 12, 13, 14, 200} {
		t.Run(fmt.Sprint(keys), func(t *testing.T) {
			v := newRig(t).visitor()
			v.with(func(s *session.Session) {
				for i := range keys {
					s.Set(fmt.Sprintf("k%d", i), 0)
				}
				for i := range keys {
					s.Set(fmt.Sprintf("k%d", i), i)
				}
				s.Remove("k0")
				s.Set("last", true)
			})
			v.with(func(s *session.Session) {
				if n := len(s.All()); n != keys {
					t.Errorf("%d keys are left, want %d", n, keys)
				}
				for i := 1; i < keys; i++ {
					if got := s.Get(fmt.Sprintf("k%d", i)); got != int64(i) {
						t.Errorf("k%d = %v, want %d", i, got, i)
					}
				}
			})
		})
	}
}

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
		m, err := session.New(contested{memstore.New(memstore.Options{})}, session.Options{Secrets: []session.Secret{testSecret}, SweepEvery: -1})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		v = v.on(m)
		v.with(func(s *session.Session) { s.Set("a", 1) })
		if resp := v.with(func(s *session.Session) { s.Set("a", 2) }); resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("status %d, want 503", resp.StatusCode)
		}
	})
}
