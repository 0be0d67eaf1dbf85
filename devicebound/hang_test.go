package devicebound_test

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/devicebound"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/sessiontest"
)

// stuck is a store on a server whose saves are as given, once it is told to.
type stuck struct {
	*memstore.Store
	now  atomic.Bool
	save func(context.Context) error
}

// Local reports that its calls may wait.
func (*stuck) Local() bool { return false }

func (s *stuck) Save(ctx context.Context, rec *session.Record) error {
	if s.now.Load() {
		if err := s.save(ctx); err != nil {
			return err
		}
	}
	return s.Store.Save(ctx, rec)
}

// A browser waits with its requests until its proof is answered.
func TestAStoreThatHangsHoldsNoProofUp(t *testing.T) {
	never := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	refresh(t, time.Minute, never, func(b *sessiontest.Browser, took time.Duration) {
		if took > 30*time.Second {
			t.Errorf("the browser waited %v", took)
		}
		wantLog(t, b, "POST "+refreshPath+": 503")
	})
}

// Most drivers close the connection on which a call ends that nobody waits for any more.
func TestAProofIsStoredThoughTheBrowserHangsUp(t *testing.T) {
	slow := func(ctx context.Context) error {
		time.Sleep(2 * time.Second)
		return ctx.Err()
	}
	refresh(t, time.Second, slow, func(b *sessiontest.Browser, _ time.Duration) {
		wantLog(t, b, "POST "+refreshPath+": 200")
	})
}

// refresh has a browser show its key that gives up after a while, on a store whose saves are as given.
func refresh(t *testing.T, patience time.Duration, save func(context.Context) error,
	fn func(b *sessiontest.Browser, took time.Duration)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store := &stuck{Store: memstore.New(memstore.Options{}), save: save}
		m, err := session.New(store, session.Options{
			Secrets: []session.Secret{secret}, SweepEvery: -1, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		binder, err := devicebound.New(m, devicebound.Options{Policy: devicebound.Enforce})
		if err != nil {
			t.Fatal(err)
		}
		site := binder.Middleware(m.HandlerFunc(func(_ http.ResponseWriter, r *http.Request, s *session.Session) {
			if r.URL.Path == "/login" {
				s.Login("ada")
			}
		}))
		b := sessiontest.NewBrowser(t, m.Now, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithCancel(r.Context())
			defer time.AfterFunc(patience, cancel).Stop()
			site.ServeHTTP(w, r.WithContext(ctx))
		}))
		b.Get("/login")
		b.Log()
		store.now.Store(true)
		began := time.Now()
		b.Refresh()
		fn(b, time.Since(began))
	})
}
