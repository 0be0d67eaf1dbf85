package gorillastore_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/gorillastore"
	"github.com/coatcheck/session/memstore"
)

// stuck is a store on a server that takes no saves: a call ends with its context.
type stuck struct{ *memstore.Store }

// Local reports that its calls may wait.
func (stuck) Local() bool { return false }

func (stuck) Save(ctx context.Context, _ *session.Record) error {
	<-ctx.Done()
	return ctx.Err()
}

// A client that has left ends no save, so that something else has to.
func TestAStoreThatHangsHoldsNoSaveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := session.New(stuck{memstore.New(memstore.Options{})}, session.Options{
			Secrets: []session.Secret{session.NewSecret()}, SweepEvery: session.Never,
			Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		store, err := gorillastore.New(m, gorillastore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("GET", "/", nil)
		s, err := store.Get(r, "shop")
		if err != nil {
			t.Fatal(err)
		}
		s.Values["cart"] = "tea"
		began := time.Now()
		err = s.Save(r, httptest.NewRecorder())
		if took := time.Since(began); took > 30*time.Second || !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("Save = %v after %v, want ErrUnavailable soon", err, took)
		}
	})
}
