package oidcsession_test

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/coatcheck/session"
	oidcsession "github.com/coatcheck/session/adapters/oidc"
	"github.com/coatcheck/session/memstore"
)

// tiring is a store on a server that answers for a while, and then no more: a call ends with its context.
type tiring struct {
	*memstore.Store
	answers atomic.Int64 // how many calls it still answers
}

// Local reports that its calls may wait.
func (*tiring) Local() bool { return false }

func (h *tiring) wait(ctx context.Context) error {
	if h.answers.Add(-1) >= 0 {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (h *tiring) Load(ctx context.Context, id string) (*session.Record, error) {
	if err := h.wait(ctx); err != nil {
		return nil, err
	}
	return h.Store.Load(ctx, id)
}

func (h *tiring) Save(ctx context.Context, rec *session.Record) error {
	if err := h.wait(ctx); err != nil {
		return err
	}
	return h.Store.Save(ctx, rec)
}

// Whenever it begins to.
func TestAStoreThatHangsHoldsNoSignInUp(t *testing.T) {
	p := newProvider(t)
	about := discover(t, p)
	tokens := about.Verifier(&oidc.Config{ClientID: clientID, Now: p.clock.now})
	token, err := tokens.Verify(t.Context(), p.idToken(t, "ada", "sid 1", nil))
	if err != nil {
		t.Fatal(err)
	}
	for answers := range int64(10) {
		synctest.Test(t, func(t *testing.T) {
			store := &tiring{Store: memstore.New(memstore.Options{})}
			store.answers.Store(math.MaxInt64)
			m, err := session.New(store, session.Options{
				Secrets: []session.Secret{secret}, Now: p.clock.now, SweepEvery: session.Never,
				Logger: slog.New(slog.DiscardHandler),
			})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			links, err := oidcsession.New(m, store, about, clientID, oidcsession.Options{})
			if err != nil {
				t.Fatal(err)
			}
			ctx, hangUp := context.WithCancel(t.Context())
			defer time.AfterFunc(5*time.Minute, hangUp).Stop()
			s, err := m.Open(ctx, "")
			if err != nil {
				t.Fatal(err)
			}
			store.answers.Store(answers)
			began := time.Now()
			err = links.Login(ctx, s, "ada", token)
			if took := time.Since(began); took > time.Minute || err != nil && !errors.Is(err, session.ErrUnavailable) {
				t.Errorf("after %d answers: %v after %v", answers, err, took)
			}
		})
	}
}
