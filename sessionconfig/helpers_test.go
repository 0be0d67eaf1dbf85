package sessionconfig_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessionconfig"
)

// secret is one for the environment, new in each test run.
var secret = "base64:" + base64.StdEncoding.EncodeToString(session.NewSecret())

// file writes a configuration into a new folder, which becomes the working directory.
func file(t *testing.T, name, content string) string {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func yaml(t *testing.T, content string) string {
	t.Helper()
	return file(t, "session.yaml", content)
}

// load loads with a good secret in the environment, which wins over that of the files.
func load(t *testing.T, paths ...string) *sessionconfig.Config {
	t.Helper()
	t.Setenv("SESSION_SECRETS", secret)
	cfg, err := sessionconfig.Load(paths...)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// refused is the text of the error that a configuration gives.
func refused(t *testing.T, content string) string {
	t.Helper()
	cfg, err := sessionconfig.Load(yaml(t, content))
	if err == nil {
		t.Errorf("%q was loaded as %v", content, cfg)
		return ""
	}
	return err.Error()
}

func wants(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in %q", part, text)
		}
	}
}

// site serves sessions of a configuration, at a time that only the test moves.
type site struct {
	*session.Manager
	now time.Time
}

func open(t *testing.T, cfg *sessionconfig.Config) *site {
	t.Helper()
	s := &site{now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	cfg.Options.Now = func() time.Time { return s.now }
	cfg.Options.SweepEvery = -1
	m, closer, err := cfg.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := closer.Close(); err != nil {
			t.Error(err)
		}
	})
	s.Manager = m
	return s
}

// opened loads and opens a configuration.
func opened(t *testing.T, content string) *site {
	t.Helper()
	return open(t, load(t, yaml(t, content)))
}

// visit makes one request with the cookie, and returns the answer and the cookie to send next.
func (s *site) visit(t *testing.T, cookie *http.Cookie, fn func(*session.Session),
	headers ...string) (*http.Response, *http.Cookie) {
	t.Helper()
	req := httptest.NewRequest(http.MethodGet, "https://app.example.com/shop/", nil)
	if cookie != nil {
		req.AddCookie(cookie)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, sess *session.Session) { fn(sess) }).ServeHTTP(w, req)
	resp := w.Result()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d", resp.StatusCode)
	}
	for _, c := range resp.Cookies() {
		cookie = &http.Cookie{Name: c.Name, Value: c.Value}
	}
	return resp, cookie
}

// first is the Set-Cookie of a visitor whose session is stored for the first time.
func (s *site) first(t *testing.T) *http.Cookie {
	t.Helper()
	resp, _ := s.visit(t, nil, step)
	if len(resp.Cookies()) != 1 {
		t.Fatalf("%d cookies, want 1", len(resp.Cookies()))
	}
	return resp.Cookies()[0]
}

const steps = session.Key[int]("steps")

func step(s *session.Session) { steps.Update(s, func(n int) int { return n + 1 }) }

// count is how many steps the session of a cookie has made.
func (s *site) count(t *testing.T, cookie *http.Cookie) (n int) {
	t.Helper()
	s.visit(t, cookie, func(sess *session.Session) { n = steps.Or(sess, 0) })
	return n
}

// configOf is the path of a configuration of testdata, from any working directory.
func configOf(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(testdata, name)
}

var testdata = func() string {
	path, err := filepath.Abs("testdata")
	if err != nil {
		return "testdata"
	}
	return path
}()
