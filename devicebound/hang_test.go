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

// stuck is a store on a server that takes no more saves, once it is told to: a call ends with its context.
type stuck struct {
	*memstore.Store
	now atomic.Bool
}

// Local reports that its calls may wait.
func (*stuck) Local() bool { return false }

func (s *stuck) Save(ctx context.Context, rec *session.Record) error {
	if s.now.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.Store.Save(ctx, rec)
}

// A browser waits with its requests until its proof is answered.
func TestAStoreThatHangsHoldsNoProofUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &stuck{Store: memstore.New(memstore.Options{})}
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
			defer time.AfterFunc(time.Minute, cancel).Stop() // the browser gives up
			site.ServeHTTP(w, r.WithContext(ctx))
		}))
		b.Get("/login")
		b.Log()
		store.now.Store(true)
		began := time.Now()
		b.Refresh()
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("the browser waited %v", took)
		}
		wantLog(t, b, "POST "+refreshPath+": 503")
	})
}
