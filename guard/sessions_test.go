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

func TestAUserEndsOneSession(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.Sessions()
	v, other, third := r.signIn("ada"), r.signIn("ada"), r.signIn("ada")
	w := v.post(h, "/devices?x=1", url.Values{"id": {other.id()}}, same, asPage)
	if w.Code != 303 || w.Header().Get("Location") != "/devices?x=1" {
		t.Errorf("status %d, Location %q, want the list again", w.Code, w.Header().Get("Location"))
	}
	if other.user() != "" || v.user() != "ada" || third.user() != "ada" {
		t.Errorf("users %q %q %q, want the other device alone signed out", v.user(), other.user(), third.user())
	}
	body := `{"id":"` + third.id() + `"}`
	req := request("POST", "/devices", same, asJSON, "Content-Type: application/json")
	req.Body = io.NopCloser(strings.NewReader(body))
	if l := decode(t, v.send(h, req)); l.Ended != 1 || third.user() != "" {
		t.Errorf("ended %d, user %q, want the third signed out", l.Ended, third.user())
	}
}

func TestAUserEndsAllOtherSessions(t *testing.T) {
	r := newRig(t, guard.Options{})
	v, other, third, bob := r.signIn("ada"), r.signIn("ada"), r.signIn("ada"), r.signIn("bob")
	if l := decode(t, v.post(r.Sessions(), "/devices", url.Values{"others": {"1"}}, same, asJSON)); l.Ended != 2 {
		t.Errorf("ended %d, want 2", l.Ended)
	}
	if v.user() != "ada" || other.user() != "" || third.user() != "" || bob.user() != "bob" {
		t.Errorf("users %q %q %q %q", v.user(), other.user(), third.user(), bob.user())
	}
}

func TestAUserEndsTheOwnSession(t *testing.T) {
	r := newRig(t, guard.Options{})
	v, other := r.signIn("ada"), r.signIn("ada")
	w := v.post(r.Sessions(), "/devices", url.Values{"id": {v.id()}}, same, asPage)
	if w.Code != 303 || w.Header().Get("Location") != "/" || v.cookies["__Host-Http-session"] != "" {
		t.Errorf("status %d, Location %q, cookies %v, want the front page and no ticket", w.Code,
			w.Header().Get("Location"), v.cookies)
	}
	if v.user() != "" || other.user() != "ada" {
		t.Errorf("users %q and %q, want the own session alone ended", v.user(), other.user())
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

// The id of a session of another user ends nothing.
func TestNobodyEndsASessionOfAnotherUser(t *testing.T) {
	r := newRig(t, guard.Options{})
	v, bob, stranger := r.signIn("ada"), r.signIn("bob"), r.visitor()
	stranger.with(func(s *session.Session) { s.Set("cart", 1) })
	for _, id := range []string{bob.id(), stranger.id(), "x"} {
		if l := decode(t, v.post(r.Sessions(), "/devices", url.Values{"id": {id}}, same, asJSON)); l.Ended != 0 {
			t.Errorf("ended %d with the id of another", l.Ended)
		}
	}
	if bob.user() != "bob" || stranger.id() == "" {
		t.Error("the session of another was ended")
	}
	wantProblem(t, stranger.post(r.Sessions(), "/devices", url.Values{"id": {bob.id()}}, same, asJSON), 401,
		guard.NoUser)
}

// The other device goes on while the page is looked at, so that the ids on it are no longer those of its session.
func TestTheIdOnThePageEndsASessionThatGotANewOneSince(t *testing.T) {
	for name, move := range map[string]func(*session.Session){
		"renewed": func(*session.Session) {}, "regenerated": (*session.Session).Regenerate,
		"signed in again": func(s *session.Session) { s.Login("ada") },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, guard.Options{}, func(o *session.Options) { o.RenewEvery = time.Minute })
			v, other := r.signIn("ada"), r.signIn("ada")
			shown := other.id()
			r.clock.advance(2 * time.Minute)
			other.with(move)
			if l := decode(t, v.post(r.Sessions(), "/devices", url.Values{"id": {shown}}, same,
				asJSON)); l.Ended != 1 || other.user() != "" {
				t.Errorf("ended %d, and the device is %q; want 1 and nobody", l.Ended, other.user())
			}
		})
	}
}

// What a visitor did before is no way to a session of somebody who signed in on the same device.
func TestAnOldIdEndsNoSessionOfSomebodyElse(t *testing.T) {
	r := newRig(t, guard.Options{})
	v, device := r.signIn("ada"), r.signIn("ada")
	adas := device.id()
	device.with(func(s *session.Session) { s.Login("bob") })
	if l := decode(t, v.post(r.Sessions(), "/devices", url.Values{"id": {adas}}, same, asJSON)); l.Ended != 0 ||
		device.user() != "bob" {
		t.Errorf("ended %d, and the device is %q; want 0 and bob", l.Ended, device.user())
	}
}

func TestAnotherSiteEndsNothing(t *testing.T) {
	r := newRig(t, guard.Options{})
	v, other := r.signIn("ada"), r.signIn("ada")
	for _, header := range []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site",
		"Origin: https://evil.example", "X-Nothing: 1"} {
		if w := v.post(r.Sessions(), "/devices", url.Values{"others": {"1"}}, header); w.Code != 403 {
			t.Errorf("%s: status %d, want 403", header, w.Code)
		}
	}
	if other.user() != "ada" {
		t.Error("another site has ended a session")
	}
	// An older browser sends the token of the page.
	token := regexp.MustCompile(`name="csrf_token" value="([^"]+)"`).FindStringSubmatch(v.get(r.Sessions(), "/devices",
		asPage).Body.String())
	fields := url.Values{"others": {"1"}, guard.CSRFFormField: {token[1]}}
	if w := v.post(r.Sessions(), "/devices", fields); w.Code != 303 || other.user() != "" {
		t.Errorf("with the token of the page: status %d, other user %q, want it signed out", w.Code, other.user())
	}
}

func TestAWrongOrderIsRefused(t *testing.T) {
	r := newRig(t, guard.Options{})
	v, other := r.signIn("ada"), r.signIn("ada")
	for _, fields := range []url.Values{{}, {"id": {""}}, {"others": {"0"}}, {"others": {"1"}, "id": {"x"}},
		{"id": {strings.Repeat("x", 100_000)}}} {
		if w := v.post(r.Sessions(), "/devices", fields, same, asJSON); w.Code != 400 {
			t.Errorf("%.40v: status %d, want 400", fields, w.Code)
		}
	}
	for _, body := range []string{"", "{", "{}", `{"others":1}`, `{"id":5}`, `{"others":true}x`, "[]"} {
		req := request("POST", "/devices", same, asJSON, "Content-Type: application/json")
		req.Body = io.NopCloser(strings.NewReader(body))
		if w := v.send(r.Sessions(), req); w.Code != 400 {
			t.Errorf("%s: status %d, want 400", body, w.Code)
		}
	}
	if w := v.send(r.Sessions(), request("DELETE", "/devices", same)); w.Code != 405 || w.Header().Get("Allow") == "" {
		t.Errorf("DELETE: status %d, want 405", w.Code)
	}
	if other.user() != "ada" {
		t.Error("a wrong order has ended a session")
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
