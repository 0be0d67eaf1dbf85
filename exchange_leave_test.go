package session_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// leaving is a store on a server, of which a client hangs up while it is asked.
type leaving struct {
	*memstore.Store
	hangUp func()
	asked  context.Context // of the last call
}

// Local reports that its calls may wait.
func (*leaving) Local() bool { return false }

func (l *leaving) Load(ctx context.Context, id string) (*session.Record, error) {
	l.hangUp()
	l.asked = ctx
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return l.Store.Load(ctx, id)
}

// Most drivers close the connection on which a call ends that nobody waits for any more, and whoever sends requests and
// hangs up would cost the site one after the other.
func TestNoLoadEndsWithTheClient(t *testing.T) {
	store := &leaving{Store: memstore.New(memstore.Options{}), hangUp: func() {}}
	r := newRigOn(t, store)
	s, err := r.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	s.Set("a", 1)
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	around := func(handler func(*http.Request) error) func(*http.Request) error {
		return func(req *http.Request) (err error) {
			r.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
				err = handler(req)
			})).ServeHTTP(httptest.NewRecorder(), req)
			return err
		}
	}
	for name, load := range map[string]func(*http.Request) error{
		"Load":    around(func(req *http.Request) error { _, err := session.Load(req.Context()); return err }),
		"From":    around(func(req *http.Request) error { return session.From(req.Context()).Err() }),
		"OpenFor": func(req *http.Request) error { _, err := r.OpenFor(req, s.Token()); return err },
		"Peek":    func(req *http.Request) error { _, err := r.Peek(req); return err },
	} {
		ctx, hangUp := context.WithCancel(t.Context())
		store.hangUp, store.asked = hangUp, nil
		req := httptest.NewRequestWithContext(ctx, "GET", "https://example.com/", nil)
		req.AddCookie(&http.Cookie{Name: "__Host-Http-session", Value: s.Token()})
		if err := load(req); err != nil || store.asked == nil {
			t.Errorf("%s: %v, and the store was asked: %t", name, err, store.asked != nil)
		}
	}
}
