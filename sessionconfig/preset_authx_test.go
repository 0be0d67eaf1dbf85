package sessionconfig_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessionconfig"
)

// The constructor of the document is there, with its defaults.
func TestTheArgumentsOfAuthX(t *testing.T) {
	cfg := load(t, "testdata/authx.yaml")
	if cfg.Store != "memory" || cfg.Object != "session" || len(cfg.Warnings()) == 0 {
		t.Errorf("store %s, object %s, warnings %v", cfg.Store, cfg.Object, cfg.Warnings())
	}
	if c := open(t, cfg).first(t); c.Name != "sid" || c.Secure || !c.HttpOnly || c.MaxAge != 0 || !c.Expires.IsZero() {
		t.Errorf("cookie %s, Secure %v, HttpOnly %v, Max-Age %d", c.Name, c.Secure, c.HttpOnly, c.MaxAge)
	}
	if c := opened(t, "preset: authx").first(t); c.Name != "sid" || !c.Secure || !c.HttpOnly || c.MaxAge != 0 {
		t.Errorf("by default the cookie is %s, Secure %v, HttpOnly %v, Max-Age %d", c.Name, c.Secure, c.HttpOnly,
			c.MaxAge)
	}
	wants(t, strings.Join(cfg.Warnings(), "\n"), "store: memory", "cookie.insecure")
}

// A cookie that was made with another key opens nothing.
func TestAnotherKeyMakesAnotherSession(t *testing.T) {
	path := yaml(t, "store: file\nstores: {file: {path: kept}}")
	s := open(t, load(t, path))
	_, cookie := s.visit(t, nil, step)
	t.Setenv("SESSION_SECRETS", strings.Replace(secret, secret[7:20], "AAAAAAAAAAAAA", 1))
	other, err := sessionconfig.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := s.count(t, cookie); n != 1 {
		t.Errorf("under the key there are %d steps", n)
	}
	if n := open(t, other).count(t, cookie); n != 0 {
		t.Errorf("under another key there are %d steps", n)
	}
}

// The key max_age is the end of the cookie, and of the record for a client that keeps the cookie.
func TestMaxAgeEndsTheSession(t *testing.T) {
	s := opened(t, "preset: authx\nmax_age: 90")
	c := s.first(t)
	if c.MaxAge != 90 {
		t.Errorf("Max-Age %d", c.MaxAge)
	}
	cookie := &http.Cookie{Name: c.Name, Value: c.Value}
	s.now = s.now.Add(89 * time.Second)
	if n := s.count(t, cookie); n != 1 {
		t.Errorf("after 89 s there are %d steps", n)
	}
	s.now = s.now.Add(time.Second)
	_, cookie = s.visit(t, cookie, step)
	if n := s.count(t, cookie); n != 1 {
		t.Errorf("after 90 s the counter is %d, want it to begin again", n)
	}
	wants(t, refused(t, "preset: authx\nmax_age: -1"), "max_age", "more than zero")
	if cfg := load(t, yaml(t, "preset: authx\nmax_age: 1h")); cfg.Options.Lifetime != time.Hour {
		t.Errorf("1h is %v", cfg.Options.Lifetime)
	}
	if cfg := load(t, yaml(t, "preset: authx\nmax_age: 604800")); cfg.Options.Lifetime != 7*24*time.Hour ||
		cfg.Options.IdleTimeout != session.Never {
		t.Errorf("a week ends after %v, or %v without a request", cfg.Options.Lifetime, cfg.Options.IdleTimeout)
	}
}

// The header switches sessions off in each of its forms, in any case of letters; by default none does.
func TestTheSkipHeaderInAllItsForms(t *testing.T) {
	for form, row := range map[string]struct{ hit, miss []string }{
		"X-Skip":        {hit: []string{"x-skip", "whatever"}, miss: []string{"X-Other", "1"}},
		"{X-Skip: '1'}": {hit: []string{"X-SKIP", "1"}, miss: []string{"X-Skip", "2"}},
		"{X-Skip: '*'}": {hit: []string{"X-Skip", ""}},
		"{header_name: X-Skip, header_value: skip}": {hit: []string{"X-Skip", "skip"},
			miss: []string{"X-Skip", "other"}},
		"{header_name: X-Skip, header_value: '*'}":             {hit: []string{"X-Skip", "other"}},
		"[X-A, {X-B: b}, {header_name: X-C, header_value: c}]": {hit: []string{"X-C", "c"}, miss: []string{"X-B", "c"}},
	} {
		for _, key := range []string{"preset: authx\nskip_session_header: ", "store: memory\nskip_headers: "} {
			s := opened(t, key+form)
			if resp, _ := s.visit(t, nil, step, row.hit...); len(resp.Cookies()) != 0 {
				t.Errorf("%s%s: a request with %v has a session", key, form, row.hit)
			}
			if resp, _ := s.visit(t, nil, step, row.miss...); len(resp.Cookies()) != 1 {
				t.Errorf("%s%s: a request with %v has no session", key, form, row.miss)
			}
			if resp, _ := s.visit(t, nil, step); len(resp.Cookies()) != 1 {
				t.Errorf("%s%s: a request without headers has no session", key, form)
			}
		}
	}
	s := opened(t, "store: memory\nskip_headers: X-Skip")
	s.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, err := session.Load(r.Context()); err == nil {
			t.Error("Load in a skipped request gives a session")
		}
	})).ServeHTTP(httptest.NewRecorder(), func() *http.Request {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("X-Skip", "1")
		return r
	}())
	if load(t, yaml(t, "preset: authx")).Options.Skip != nil {
		t.Error("a header is skipped by default")
	}
}

// A logger can be had by a key, and an own one gets the events, with ids only.
func TestTheLoggerGetsTheEvents(t *testing.T) {
	for content, want := range map[string]bool{"logger: true": true, "logger: json": true, "logger: false": false,
		"logger: null": false} {
		cfg := load(t, yaml(t, "preset: authx\n"+content))
		l := cfg.Options.Logger
		if writes := l != nil && l.Enabled(t.Context(), slog.LevelError); writes != want {
			t.Errorf("%s gives a logger that writes: %v", content, writes)
		}
	}
	cfg := load(t, yaml(t, "store: memory"))
	var kinds []session.EventKind
	cfg.Options.OnEvent = func(_ context.Context, e session.Event) { kinds = append(kinds, e.Kind) }
	s := open(t, cfg)
	_, cookie := s.visit(t, nil, step)
	s.visit(t, cookie, (*session.Session).Logout)
	if !slices.Equal(kinds, []session.EventKind{session.EventCreated, session.EventEnded}) {
		t.Errorf("events %v", kinds)
	}
}
