package gorillastore_test

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/gorilla/sessions"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/gorillastore"
	"github.com/coatcheck/session/memstore"
)

// cart is a type of the application's, as people register it for gorilla.
type cart struct {
	Items []string
	Total float64
}

// key is a key that is no string.
type key int

func init() {
	gob.Register(cart{})
	gob.Register(key(0))
}

// failing is a store that can be taken down.
type failing struct {
	*memstore.Store
	down atomic.Bool
}

func (f *failing) Load(ctx context.Context, id string) (*session.Record, error) {
	if f.down.Load() {
		return nil, errors.New("the server is down")
	}
	return f.Store.Load(ctx, id)
}

func (f *failing) Save(ctx context.Context, rec *session.Record) error {
	if f.down.Load() {
		return errors.New("the server is down")
	}
	return f.Store.Save(ctx, rec)
}

// site is a server whose handlers know gorilla alone.
type site struct {
	*testing.T
	sessions *session.Manager
	records  *failing
	store    *gorillastore.Store
	mux      *http.ServeMux
	server   *httptest.Server
}

func open(t *testing.T, opts gorillastore.Options, change ...func(*session.Options)) *site {
	t.Helper()
	s := &site{T: t, records: &failing{Store: memstore.New(memstore.Options{})}, mux: http.NewServeMux()}
	o := session.Options{Secrets: []session.Secret{session.NewSecret()}, SweepEvery: session.Never,
		Logger: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&o)
	}
	var err error
	if s.sessions, err = session.New(s.records, o); err != nil {
		t.Fatal(err)
	}
	if s.store, err = gorillastore.New(s.sessions, opts); err != nil {
		t.Fatal(err)
	}
	s.server = httptest.NewTLSServer(s.mux)
	t.Cleanup(func() {
		s.server.Close()
		_ = s.sessions.Close() // which has no error
	})
	return s
}

// handle adds a page that saves the session "app" after fn, and says the error as a page would.
func (s *site) handle(path string, fn func(g *sessions.Session)) {
	s.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		g, err := s.store.Get(r, "app")
		fn(g)
		if err := errors.Join(err, g.Save(r, w)); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, "saved")
	})
}

// browser is a client with cookies.
type browser struct {
	*site
	http.Client
}

func (s *site) browser() *browser {
	b := &browser{s, *s.server.Client()}
	b.Jar, _ = cookiejar.New(nil) // which has no error
	return b
}

func (b *browser) get(path string) (*http.Response, string) {
	b.Helper()
	resp, err := b.Get(b.server.URL + path)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.Fatal(err)
	}
	return resp, string(body)
}

// wantSaved gets a page and reports whether it could save its session.
func (b *browser) wantSaved(path string) *http.Response {
	b.Helper()
	resp, body := b.get(path)
	if body != "saved" {
		b.Errorf("%s: %d %q", path, resp.StatusCode, body)
	}
	return resp
}

func (s *site) stored() (n int) {
	for _, err := range s.sessions.All(context.Background()) {
		if err != nil {
			return -1
		}
		n++
	}
	return n
}

// userOf is where the site keeps who is signed in.
func userOf(values map[any]any) string {
	user, _ := values["user"].(string)
	return user
}
