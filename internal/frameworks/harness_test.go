package frameworks_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// around is the middleware that a framework is given: Preload or Middleware of a manager.
type around = func(http.Handler) http.Handler

// frameworks make a site with the same pages in each framework that serves pages: /visit, /login, /stream and /socket
// take the session by one line, /load answers what Load returns as docs/frameworks.md says, /returned hands the same
// error to the framework, and /wrong changes the session and fails.
var frameworks = map[string]func(around) http.Handler{
	"chi":        withChi,
	"echo 4":     withEcho4,
	"echo 5":     withEcho5,
	"httprouter": withHTTPRouter,
	"huma":       withHuma,
}

const visits = session.Key[int]("visits")

// visit is what a page does with its session, and says of it.
func visit(s *session.Session) string {
	visits.Update(s, func(n int) int { return n + 1 })
	return fmt.Sprintf("%s %d", s.User(), visits.Or(s, 0))
}

// signIn is a visit by somebody who signs in.
func signIn(s *session.Session) string {
	s.Login("ada")
	return visit(s)
}

// stream sends one line and goes on for as long as the client is there.
func stream(ctx context.Context, w http.ResponseWriter, s *session.Session) error {
	_, err := fmt.Fprintln(w, visit(s))
	if err = errors.Join(err, http.NewResponseController(w).Flush()); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// greet upgrades to a WebSocket and sends one message. Accept answers by itself if it cannot.
func greet(w http.ResponseWriter, r *http.Request, s *session.Session) {
	hello := visit(s)
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	_ = conn.Write(r.Context(), websocket.MessageText, []byte(hello)) // the client sees if it failed
}

// statusOf is the status that an error says, or 500.
func statusOf(err error) int {
	var has interface{ StatusCode() int }
	if errors.As(err, &has) {
		return has.StatusCode()
	}
	return http.StatusInternalServerError
}

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
	store   *failing
	server  *httptest.Server
	browser *http.Client
}

// protocols are what the clients of the tests speak.
var protocols = map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true}

// open starts the site that build makes on a new manager.
func open(t *testing.T, http2 bool, build func(m *session.Manager) http.Handler) *site {
	t.Helper()
	s := &site{T: t, store: &failing{Store: memstore.New(memstore.Options{})}}
	m, err := session.New(s.store, session.Options{Secrets: []session.Secret{session.NewSecret()},
		SweepEvery: session.Never, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s.server = httptest.NewUnstartedServer(build(m))
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

// ticket is the one that the browser has, or "".
func (s *site) ticket() string {
	s.Helper()
	home, err := url.Parse(s.server.URL)
	if err != nil {
		s.Fatal(err)
	}
	for _, c := range s.browser.Jar.Cookies(home) {
		if strings.HasSuffix(c.Name, "-session") {
			return c.Value
		}
	}
	return ""
}

// reads fails the test unless a page answers with this text.
func (s *site) reads(path, want string) {
	s.Helper()
	if a := s.get(path); a.StatusCode != http.StatusOK || a.body != want || a.err != nil {
		s.Errorf("%s is %d %q, %v; want %q", path, a.StatusCode, a.body, a.err, want)
	}
}

// isClean503 fails the test unless a response is that of the manager, and no other, and leaves the cookie alone.
func (s *site) isClean503(a answer) {
	s.Helper()
	if a.StatusCode != http.StatusServiceUnavailable || a.body != "Please try again in a moment.\n" || a.err != nil {
		s.Errorf("%d %q, %v; want one clean 503", a.StatusCode, a.body, a.err)
	}
	if len(a.Cookies()) != 0 || a.Header.Get("Retry-After") == "" {
		s.Errorf("the 503 has the header %v", a.Header)
	}
}
