package all_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessionconfig"
	_ "github.com/coatcheck/session/sessionconfig/all"
	"github.com/coatcheck/session/sessiontest"
)

// load reads configurations, later ones over earlier ones, in a new folder, which becomes the working directory.
func load(t *testing.T, contents ...string) *sessionconfig.Config {
	t.Helper()
	t.Chdir(t.TempDir())
	t.Setenv("SESSION_SECRETS", "base64:"+base64.StdEncoding.EncodeToString(session.NewSecret()))
	var paths []string
	for i, content := range contents {
		paths = append(paths, "session"+strings.Repeat("-over", i)+".yaml")
		if err := os.WriteFile(paths[i], []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := sessionconfig.Load(paths...)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// read is the text of a configuration of sessionconfig.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func open(t *testing.T, cfg *sessionconfig.Config) *session.Manager {
	t.Helper()
	cfg.Options.SweepEvery = session.Never
	m, closer, err := cfg.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := closer.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

const steps = session.Key[int]("steps")

func step(s *session.Session) { steps.Update(s, func(n int) int { return n + 1 }) }

// walk has a new visitor make n steps at the same time, and returns how many are counted.
func walk(t *testing.T, m *session.Manager, n int) int {
	t.Helper()
	first := httptest.NewRequest(http.MethodGet, sessiontest.Site, nil)
	visitor := sessiontest.Request(t, m, first, step)
	var all sync.WaitGroup
	for range n - 1 {
		all.Go(func() {
			m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { step(s) }).
				ServeHTTP(httptest.NewRecorder(), visitor.Clone(t.Context()))
		})
	}
	all.Wait()
	return steps.Or(sessiontest.After(t, m, visitor, &http.Response{}), 0)
}
