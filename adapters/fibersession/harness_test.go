package fibersession_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/recover"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/fibersession"
	"github.com/coatcheck/session/memstore"
)

const visits = session.Key[int]("visits")

var errDown = errors.New("the server at 10.0.0.7 is down")

// failing is a store that can be taken down, for loads or for saves.
type failing struct {
	*memstore.Store
	loads, saves atomic.Bool
}

func (f *failing) Load(ctx context.Context, id string) (*session.Record, error) {
	if f.loads.Load() {
		return nil, errDown
	}
	return f.Store.Load(ctx, id)
}

func (f *failing) Save(ctx context.Context, rec *session.Record) error {
	if f.saves.Load() {
		return errDown
	}
	return f.Store.Save(ctx, rec)
}

// site is a Fiber app with one manager. Fiber speaks HTTP/1.1; browsers come to it by a proxy that speaks HTTP/2 too.
type site struct {
	*testing.T
	sessions *session.Manager
	store    *failing
	app      *fiber.App
	address  string // of the app itself
	server   *httptest.Server
	browser  *http.Client
}

// protocols are what the clients of the tests speak.
var protocols = map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true}

// open starts a site whose app has Use and what routes adds to it.
func open(t *testing.T, http2 bool, routes func(*fiber.App), change ...func(*session.Options)) *site {
	t.Helper()
	s := &site{T: t, store: &failing{Store: memstore.New(memstore.Options{})}}
	opts := session.Options{Secrets: []session.Secret{session.NewSecret()}, SweepEvery: session.Never,
		Logger: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&opts)
	}
	var err error
	if s.sessions, err = session.New(s.store, opts); err != nil {
		t.Fatal(err)
	}
	s.app = fiber.New()
	s.app.Use(recover.New(), fibersession.Use(s.sessions))
	routes(s.app)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = listener.Addr().String()
	served := make(chan error, 1)
	go func() { served <- s.app.Listener(listener, fiber.ListenConfig{DisableStartupMessage: true}) }()
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: s.address})
	proxy.FlushInterval = -1
	s.server = httptest.NewUnstartedServer(proxy)
	s.server.EnableHTTP2 = http2
	s.server.StartTLS()
	s.browser = s.server.Client()
	s.browser.Jar, _ = cookiejar.New(nil) // which has no error
	t.Cleanup(func() {
		s.server.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		if err := errors.Join(s.app.Shutdown(), <-served, s.sessions.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// answer is what a client has of a response.
type answer struct {
	*http.Response
	body string
	err  error // of the body
}

func (s *site) get(path string) answer {
	s.Helper()
	resp, err := s.browser.Get(s.server.URL + path)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp, string(body), err}
}

const ticket = "__Host-Http-session"

// tickets counts the cookies of the manager that a response sets or deletes.
func (a answer) tickets() (n int) {
	for _, c := range a.Cookies() {
		if c.Name == ticket {
			n++
		}
	}
	return n
}

// stored counts the sessions in the store.
func (s *site) stored() (n int) {
	for _, err := range s.sessions.All(context.Background()) {
		if err != nil {
			return -1
		}
		n++
	}
	return n
}
