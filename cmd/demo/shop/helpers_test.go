package shop_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/demo/shop"
)

// options choose the site of a test.
type options struct {
	dir string // of the sessions; "": in memory
	now func() time.Time
}

func (o options) place() (*shop.Place, error) {
	if o.dir == "" {
		return shop.Memory(), nil
	}
	return shop.Files(o.dir)
}

// onEachStore runs a test on an empty site for each store.
func onEachStore(t *testing.T, test func(t *testing.T, site *site)) {
	t.Helper()
	for name, opts := range map[string]options{"memory": {}, "file": {dir: newFolder(t)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, start(t, opts))
		})
	}
}

// newFolder names a folder that is not there yet.
func newFolder(t *testing.T) string { return t.TempDir() + "/data" }

// site is a running site.
type site struct {
	url      string
	sessions *session.Manager
	stop     func()
}

func start(t *testing.T, opts options) *site {
	t.Helper()
	place, err := opts.place()
	if err != nil {
		t.Fatal(err)
	}
	handler, err := shop.New(place, slog.New(slog.NewTextHandler(t.Output(), nil)), opts.now)
	if err != nil {
		t.Fatalf("open the site: %v", err)
	}
	server := httptest.NewServer(handler)
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		server.Close()
		if err := handler.Close(); err != nil {
			t.Errorf("close the site: %v", err)
		}
	}
	t.Cleanup(stop)
	return &site{url: server.URL, sessions: handler.Sessions(), stop: stop}
}

// visitor is one browser: it keeps cookies and follows redirects.
type visitor struct {
	t      *testing.T
	site   *site
	client *http.Client
	accept string
	agent  string
}

// person is a visitor who reads pages.
func person(t *testing.T, s *site) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t: t, site: s, client: &http.Client{Jar: jar}, accept: "text/html,*/*;q=0.8",
		agent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0"}
}

// script is a visitor who reads JSON.
func script(t *testing.T, s *site) *visitor {
	v := person(t, s)
	v.accept, v.agent = "application/json", "curl/8.5.0"
	return v
}

// answer is a response that was read to its end.
type answer struct {
	*http.Response
	body string
}

func (v *visitor) send(method, path, contentType, body string, headers ...string) answer {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.site.url+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Accept", v.accept)
	req.Header.Set("User-Agent", v.agent)
	if strings.Contains(v.accept, "text/html") {
		req.Header.Set("Sec-Fetch-Site", "same-origin") // as browsers do
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := v.client.Do(req)
	if err != nil {
		v.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{resp, string(text)}
}

func (v *visitor) get(path string) answer {
	v.t.Helper()
	return v.send(http.MethodGet, path, "", "")
}

// post sends a form: name, value, name, value.
func (v *visitor) post(path string, fields ...string) answer {
	v.t.Helper()
	return v.send(http.MethodPost, path, "application/x-www-form-urlencoded", form(fields...).Encode())
}

func form(fields ...string) url.Values {
	values := make(url.Values)
	for i := 0; i < len(fields); i += 2 {
		values.Add(fields[i], fields[i+1])
	}
	return values
}

// step stops at what a redirect answers, instead of following it.
func (v *visitor) step(path string, fields ...string) answer {
	v.t.Helper()
	v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	defer func() { v.client.CheckRedirect = nil }()
	return v.post(path, fields...)
}

type state struct {
	Visits          int
	User, ID, Flash string
	Notes           []string
}

func (v *visitor) state() state {
	v.t.Helper()
	var s state
	decode(v.t, v.get("/"), &s)
	return s
}

type entry struct {
	ID, Address, Browser string
	Current, Remembered  bool
}

func (v *visitor) sessions() []entry {
	v.t.Helper()
	var list []entry
	decode(v.t, v.get("/sessions"), &list)
	return list
}

func decode(t *testing.T, a answer, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), v); err != nil || a.StatusCode != http.StatusOK {
		t.Fatalf("%s answered %d, %q: %v", a.Request.URL.Path, a.StatusCode, a.body, err)
	}
}

func wantStatus(t *testing.T, what string, a answer, status int) {
	t.Helper()
	if a.StatusCode != status {
		t.Errorf("%s = %d, want %d: %s", what, a.StatusCode, status, a.body)
	}
}

func wantText(t *testing.T, what string, a answer, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			t.Errorf("%s does not show %q:\n%s", what, text, a.body)
		}
	}
}
