package spa

import (
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

// page is a browser that shows the application.
type page struct {
	t      *testing.T
	origin string
	client http.Client
}

func newPages(t *testing.T) (newPage func() *page) {
	t.Helper()
	sessions, err := session.New(memstore.New(memstore.Options{}),
		session.Options{Secrets: []session.Secret{session.NewSecret()}})
	if err != nil {
		t.Fatal(err)
	}
	g, err := guard.New(sessions, guard.Options{LoginPage: "/login"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(apiOf(sessions, g))
	t.Cleanup(func() {
		server.Close()
		_ = sessions.Close()
	})
	return func() *page {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		return &page{t, server.URL, http.Client{Transport: server.Client().Transport, Jar: jar}}
	}
}

// call asks as the script of the page does, and returns the status and the JSON of the answer.
func (p *page) call(method, path, body, origin string) (int, map[string]any) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.origin+"/api/"+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", origin)
	resp, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer map[string]any
	if strings.HasSuffix(resp.Header.Get("Content-Type"), "json") {
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			p.t.Fatal(err)
		}
	}
	return resp.StatusCode, answer
}

const (
	owner   = `{"user":"Ada","password":"correct horse"}`
	guessed = `{"user":"ada","password":"guess"}`
)

func TestAScriptSignsInAndOut(t *testing.T) {
	p := newPages(t)()
	for _, step := range []struct {
		method, path, body, origin string
		status                     int
		reason                     any
	}{
		{"GET", "me", "", p.origin, 401, "user"},
		{"POST", "login", owner, "https://evil.example", 403, "csrf"},
		{"POST", "login", "{", p.origin, 400, nil},
		{"POST", "login", strings.Repeat(" ", 5000), p.origin, 413, "body"},
		{"POST", "login", guessed, p.origin, 422, nil},
		{"POST", "login", owner, p.origin, 204, nil},
		{"GET", "me", "", p.origin, 200, nil},
		{"POST", "logout", "", p.origin, 204, nil},
		{"GET", "me", "", p.origin, 401, "user"},
	} {
		status, answer := p.call(step.method, step.path, step.body, step.origin)
		if status != step.status || answer["reason"] != step.reason {
			t.Errorf("%s %s with %.20s: status %d, %v, want %d because of %v", step.method, step.path, step.body,
				status, answer, step.status, step.reason)
		}
	}
}

func TestMeSaysWhoAndForHowLong(t *testing.T) {
	p := newPages(t)()
	p.call("POST", "login", owner, p.origin)
	_, me := p.call("GET", "me", "", p.origin)
	expires, err := time.Parse(time.RFC3339, me["expires"].(string))
	if left := time.Until(expires); err != nil || me["user"] != "ada" || left < 23*time.Hour || left > 24*time.Hour {
		t.Errorf("the answer is %v: %v", me, err)
	}
}

func TestGuessesByScriptAreLimited(t *testing.T) {
	newPage := newPages(t)
	p, stranger := newPage(), newPage()
	p.call("POST", "login", owner, p.origin)
	var status int
	var answer map[string]any
	for range 11 {
		status, answer = stranger.call("POST", "login", guessed, p.origin)
	}
	if status != 429 || answer["reason"] != "rate" {
		t.Errorf("the eleventh guess: status %d, %v, want 429 because of rate", status, answer)
	}
	if status, answer := p.call("POST", "login", owner, p.origin); status != 204 {
		t.Errorf("the owner: status %d, %v, want 204", status, answer)
	}
}
