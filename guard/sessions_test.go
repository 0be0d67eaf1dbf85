package guard_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/nullstore"
)

type listed struct {
	Sessions []struct {
		ID, Device, Address string
		Current, Remembered bool
		SignedIn            string  `json:"signed_in_at"`
		Seen                string  `json:"seen_at"`
		Expires             *string `json:"expires_at"`
	}
	Ended int
}

func decode(t *testing.T, w *httptest.ResponseRecorder) (l listed) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &l); err != nil || w.Code != 200 {
		t.Fatalf("status %d, %v, body %s", w.Code, err, w.Body)
	}
	return l
}

// id is the handle of the visitor's session.
func (v *visitor) id() (id string) {
	v.with(func(s *session.Session) { id = s.ID() })
	return id
}

func (v *visitor) user() (user string) {
	v.with(func(s *session.Session) { user = s.User() })
	return user
}

func TestThePageShowsTheDevicesOfTheUserAlone(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.Sessions()
	v := r.visitor()
	login := r.m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Login("ada & <b>", session.Remember(time.Hour))
	})
	v.get(login, "/", "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	r.clock.advance(3 * time.Minute)
	other, bob := r.signIn("ada & <b>"), r.signIn("bob")

	l := decode(t, v.get(h, "/devices", asJSON))
	if len(l.Sessions) != 2 {
		t.Fatalf("listed %+v, want ada's two", l.Sessions)
	}
	slices.SortFunc(l.Sessions, func(a, b struct {
		ID, Device, Address string
		Current, Remembered bool
		SignedIn            string  `json:"signed_in_at"`
		Seen                string  `json:"seen_at"`
		Expires             *string `json:"expires_at"`
	}) int {
		return strings.Compare(a.SignedIn, b.SignedIn)
	})
	mine := l.Sessions[0]
	if mine.ID != v.id() || !mine.Current || mine.Device != "Firefox on Linux" || mine.Address != "192.0.2.1" ||
		!mine.Remembered ||
		mine.SignedIn != "2026-01-02T03:04:05Z" || mine.Expires == nil || *mine.Expires != "2026-01-02T04:04:05Z" {
		t.Errorf("the own device: %+v", mine)
	}
	if l.Sessions[1].ID != other.id() || l.Sessions[1].Current || l.Sessions[1].Device != guard.UnknownDevice {
		t.Errorf("the other device: %+v", l.Sessions[1])
	}

	w := v.get(h, "/devices", asPage)
	body := w.Body.String()
	for _, want := range []string{"Firefox on Linux", "this device", "192.0.2.1", "just now", v.id(), other.id(),
		"End all other sessions", "ada &amp; &lt;b&gt;", `name="viewport"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q:\n%s", want, body)
		}
	}
	for _, bad := range []string{bob.id(), "<script", "<style", "style=", "<b>", v.cookies["__Host-Http-session"]} {
		if strings.Contains(body, bad) {
			t.Errorf("the page has %q:\n%s", bad, body)
		}
	}
	csp := w.Header().Get("Content-Security-Policy")
	if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") ||
		w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", w.Header())
	}
	if body := r.signIn("eve").get(h, "/devices", asPage).Body.String(); strings.Contains(body, "End all other") {
		t.Error("the page offers to end others where there are none")
	}
}

func TestTheStyleSheetComesFromTheSamePath(t *testing.T) {
	r := newRig(t, guard.Options{})
	page := r.signIn("ada").get(r.Sessions(), "/devices", asPage).Body.String()
	href := regexp.MustCompile(`<link rel="stylesheet" href="([^"]+)">`).FindStringSubmatch(page)
	if href == nil {
		t.Fatalf("no style sheet in %s", page)
	}
	w := r.visitor().get(r.Sessions(), "/devices"+href[1])
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/css; charset=utf-8" ||
		!strings.Contains(w.Body.String(), "body {") || len(w.Result().Cookies()) != 0 {
		t.Errorf("status %d, %v", w.Code, w.Header())
	}
}

// However a page is asked for, what it sends a browser to is on this site. No ServeMux has cleaned these paths.
func TestThePageOfDevicesSendsNobodyToAnotherSite(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.Sessions()
	base, err := url.Parse(site)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(foreignPaths, localPaths...) {
		path, _, _ = strings.Cut(path, "#") // no request line has a fragment
		req := request("POST", "/", same, asPage, "Content-Type: application/x-www-form-urlencoded")
		req.Body = io.NopCloser(strings.NewReader("others=1"))
		parsed, err := url.ParseRequestURI(path)
		if err != nil {
			continue // and no server hands such a request on
		}
		req.RequestURI, req.URL = path, parsed
		w := r.signIn("ada").send(h, req)
		location := w.Header().Get("Location")
		to, err := base.Parse(asBrowser(location))
		if w.Code != 303 || err != nil || to.Host != base.Host || to.User != nil || strings.HasPrefix(to.Path, "//") {
			t.Errorf("POST %q: status %d, Location %q, want a path of this site", path, w.Code, location)
		}
		if guard.LocalPath(path) && location != path {
			t.Errorf("POST %q: Location %q, want the list again", path, location)
		}
	}
}

// A request line may name the whole address, of any host; the list is at its path.
func TestThePageOfDevicesIsFoundByItsPath(t *testing.T) {
	r := newRig(t, guard.Options{})
	req := request("POST", "/devices?x=1", same, asPage, "Content-Type: application/x-www-form-urlencoded")
	req.Body = io.NopCloser(strings.NewReader("others=1"))
	req.RequestURI = "https://evil.example/devices?x=1"
	if w := r.signIn("ada").send(r.Sessions(), req); w.Header().Get("Location") != "/devices?x=1" {
		t.Errorf("Location %q, want the list again", w.Header().Get("Location"))
	}
}

func TestAStrangerSeesNoDevices(t *testing.T) {
	r := newRig(t, guard.Options{LoginPage: "/login"})
	wantProblem(t, r.visitor().get(r.Sessions(), "/devices", asJSON), 401, guard.NoUser)
	if w := r.visitor().get(r.Sessions(), "/devices", asPage); w.Code != 303 ||
		w.Header().Get("Location") != "/login?return=%2Fdevices" {
		t.Errorf("status %d, Location %q, want the login page", w.Code, w.Header().Get("Location"))
	}
}

func TestTheIdOnThePageIsTheOneAfterARenewal(t *testing.T) {
	r := newRig(t, guard.Options{}, func(o *session.Options) { o.RenewEvery = time.Minute })
	v := r.signIn("ada")
	r.clock.advance(2 * time.Minute)
	l := decode(t, v.get(r.Sessions(), "/devices", asJSON))
	if len(l.Sessions) != 1 || !l.Sessions[0].Current || l.Sessions[0].ID != v.id() {
		t.Errorf("listed %+v, want the session under its new id", l.Sessions)
	}
}

// A store that cannot list says so; nobody is signed in on one that keeps nothing.
func TestAStoreThatCannotListIsToldSo(t *testing.T) {
	m, err := session.New(nullstore.New(), session.Options{Secrets: []session.Secret{secret}, SweepEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	h, err := guard.Sessions(m)
	if err != nil {
		t.Fatal(err)
	}
	login := m.HandlerFunc(func(w http.ResponseWriter, req *http.Request, s *session.Session) {
		s.Login("ada")
		h.ServeHTTP(w, req)
	})
	for _, accept := range []string{asJSON, asPage} {
		w := httptest.NewRecorder()
		login.ServeHTTP(w, request("GET", "/devices", accept))
		if w.Code != 501 || !strings.Contains(w.Body.String(), "cannot list") {
			t.Errorf("status %d, body %s, want 501", w.Code, w.Body)
		}
	}
	if _, err := guard.Sessions(nil); err == nil {
		t.Error("Sessions(nil) gives no error")
	}
}

func TestTimesAreToldAsPeopleDo(t *testing.T) {
	r := newRig(t, guard.Options{}, func(o *session.Options) { o.IdleTimeout = -1 })
	old := r.signIn("ada")
	if old.id() == "" {
		t.Fatal("not signed in")
	}
	for _, tt := range []struct {
		d    time.Duration
		want string
	}{{time.Minute, "just now"}, {9 * time.Minute, "10 minutes ago"}, {4 * time.Hour, "4 hours ago"},
		{70 * time.Hour, "3 days ago"}} {
		r.clock.advance(tt.d)
		body := r.signIn("ada").get(r.Sessions(), "/devices", asPage).Body.String()
		if !strings.Contains(body, fmt.Sprintf(">%s<", tt.want)) {
			t.Errorf("after %v more the page lacks %q", tt.d, tt.want)
		}
	}
}
