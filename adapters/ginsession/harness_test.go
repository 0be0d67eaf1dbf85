package ginsession_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/ginsession"
	"github.com/coatcheck/session/memstore"
)

const visits = session.Key[int]("visits")

func init() { gin.SetMode(gin.ReleaseMode) }

// failing is a store that can be taken down, for loads or for saves.
type failing struct {
	*memstore.Store
	loads, saves atomic.Bool
}

var errDown = errors.New("the server at 10.0.0.7 is down")

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

// site is a server with one manager, and a browser in front of it.
type site struct {
	*testing.T
	sessions *session.Manager
	store    *failing
	engine   *gin.Engine
	server   *httptest.Server
	browser  *http.Client
}

// protocols are what the clients of the tests speak.
var protocols = map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true}

// open starts a site whose engine has Use and what routes adds to it.
func open(t *testing.T, http2 bool, routes func(*gin.Engine), change ...func(*session.Options)) *site {
	t.Helper()
	s := &site{T: t, store: &failing{Store: memstore.New(memstore.Options{})}}
	opts := session.Options{Secrets: []session.Secret{session.NewSecret()}, SweepEvery: session.Never,
		Logger: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&opts)
	}
	m, err := session.New(s.store, opts)
	if err != nil {
		t.Fatal(err)
	}
	s.sessions, s.engine = m, gin.New()
	s.engine.Use(gin.CustomRecoveryWithWriter(io.Discard, func(c *gin.Context, _ any) { c.AbortWithStatus(500) }))
	s.engine.Use(ginsession.Use(m))
	routes(s.engine)
	s.server = httptest.NewUnstartedServer(s.engine)
	s.server.EnableHTTP2 = http2
	s.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	s.server.StartTLS()
	s.browser = s.server.Client()
	s.browser.Jar, _ = cookiejar.New(nil) // which has no error
	t.Cleanup(func() {
		s.server.Close()
		_ = m.Close() // which has no error
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

// tickets counts the cookies of the manager that a response sets or deletes.
func (a answer) tickets() (n int) {
	for _, c := range a.Cookies() {
		if c.Name == "__Host-Http-session" {
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
