package guard_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

func TestUserLetsSignedInUsersThroughAndNobodyElse(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.User(inside)
	wantInside(t, r.signIn("ada").get(h, "/account"))
	stranger := r.visitor()
	wantProblem(t, stranger.get(h, "/account", asJSON), 401, guard.NoUser)
	wantPage(t, stranger.get(h, "/account", asPage), 401)
	stranger.with(func(s *session.Session) { s.Set("cart", 1) })
	wantProblem(t, stranger.get(h, "/account", asJSON), 401, guard.NoUser)
	left := r.signIn("ada")
	left.with((*session.Session).Logout)
	wantProblem(t, left.get(h, "/account", asJSON), 401, guard.NoUser)
}

func TestUserSendsBrowsersToTheLoginPageAndBack(t *testing.T) {
	r := newRig(t, guard.Options{LoginPage: "/login?lang=en"})
	h := r.User(inside)
	w := r.visitor().get(h, "/account?tab=1&x=%2F", asPage)
	if w.Code != 303 || w.Header().Get("Location") != "/login?lang=en&return=%2Faccount%3Ftab%3D1%26x%3D%252F" {
		t.Fatalf("status %d, Location %q, want the login page with the way back", w.Code, w.Header().Get("Location"))
	}
	if w.Header().Get("Cache-Control") != "no-store" ||
		!strings.Contains(strings.Join(w.Header()["Vary"], ","), "Cookie") {
		t.Errorf("headers %v, want no-store and Vary: Cookie", w.Header())
	}
	back := guard.ReturnPath(httptest.NewRequest("POST", w.Header().Get("Location"), nil), "/")
	if back != "/account?tab=1&x=%2F" {
		t.Errorf("ReturnPath = %q, want what was asked for", back)
	}
	wantProblem(t, r.visitor().get(h, "/account", asJSON), 401, guard.NoUser)
}

// The page to come back to is the one with the form, for the address of a POST shows nothing.
func TestAFormThatNeedsASignInLeadsBackToItsPage(t *testing.T) {
	r := newRig(t, guard.Options{LoginPage: "/login"})
	for referer, want := range map[string]string{
		site + "/edit?id=1":              "/login?return=%2Fedit%3Fid%3D1",
		"https://evil.example/":          "/login",
		"https://app.example.com//evil/": "/login",
		"::":                             "/login",
		"":                               "/login",
	} {
		w := r.visitor().post(r.User(inside), "/save", nil, "Referer: "+referer)
		if got := w.Header().Get("Location"); w.Code != 303 || got != want {
			t.Errorf("POST from %q: status %d, Location %q, want %q", referer, w.Code, got, want)
		}
	}
}

func TestAHostileAddressIsNoWayBack(t *testing.T) {
	r := newRig(t, guard.Options{LoginPage: "/login"})
	for _, path := range []string{"//evil.example/", "/%2fevil.example", `/\evil.example`, "/%5cevil.example",
		"/a/../b"} {
		req := request("GET", "/")
		req.RequestURI = path
		w := r.visitor().send(r.User(inside), req)
		if got := w.Header().Get("Location"); w.Code != 303 || got != "/login" {
			t.Errorf("GET %s: status %d, Location %q, want /login without a way back", path, w.Code, got)
		}
	}
}

func TestAnExpiredSessionIsToldSo(t *testing.T) {
	r := newRig(t, guard.Options{}, func(o *session.Options) { o.IdleTimeout = time.Hour })
	v := r.signIn("ada")
	r.clock.advance(2 * time.Hour)
	w := v.get(r.User(inside), "/", asJSON)
	wantProblem(t, w, 401, guard.NoUser)
	if !strings.Contains(w.Body.String(), "has ended") {
		t.Errorf("body %s, want it to say that the session has ended", w.Body)
	}
}

func TestTheAnswerFitsTheClient(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.User(inside)
	for _, tt := range []struct {
		header []string
		json   bool
	}{
		{nil, false},
		{[]string{asPage}, false},
		{[]string{asJSON}, true},
		{[]string{"Accept: application/vnd.api+json"}, true},
		{[]string{"Accept: application/json, text/plain, */*"}, true},
		{[]string{"Accept: text/html;q=0.5, application/json"}, true},
		{[]string{"Accept: text/html, application/json;q=0.9"}, false},
		{[]string{"Accept: text/html, application/json"}, false},
		{[]string{"Accept: application/json;q=0"}, false},
		{[]string{"Accept: application/json;q=nan"}, false},
		{[]string{"Accept: text/plain", "Accept: application/json"}, true},
		{[]string{"Accept: */*"}, false},
		{[]string{"Accept: */*", "Sec-Fetch-Mode: cors"}, true},
		{[]string{"Accept: */*", "Sec-Fetch-Mode: navigate"}, false},
	} {
		w := r.visitor().get(h, "/", tt.header...)
		if got := w.Header().Get("Content-Type") == "application/problem+json"; got != tt.json || w.Code != 401 {
			t.Errorf("%q: status %d, %s, want JSON %v", tt.header, w.Code, w.Header().Get("Content-Type"), tt.json)
		}
	}
}

// A client that sends its ticket in a header is a program: it gets JSON unless it asks for a page.
func TestAProgramGetsJSONWithoutAskingForIt(t *testing.T) {
	header := func(o *session.Options) { o.Transport = session.Header("Authorization") }
	r := newRig(t, guard.Options{LoginPage: "/login"}, header)
	for _, tt := range []struct {
		header []string
		json   bool
	}{
		{nil, true},
		{[]string{"Accept: */*"}, true},
		{[]string{"Accept: text/plain"}, true},
		{[]string{"Accept: */*", "Sec-Fetch-Mode: cors"}, true},
		{[]string{asJSON}, true},
		{[]string{asPage}, false},
		{[]string{"Accept: */*", "Sec-Fetch-Mode: navigate"}, false},
	} {
		for name, h := range map[string]http.Handler{
			"User": r.User(inside), "Role": r.Role("admin")(inside), "Sessions": r.Sessions(),
		} {
			w := r.visitor().get(h, "/", tt.header...)
			if tt.json {
				wantProblem(t, w, 401, guard.NoUser)
			} else if w.Code != 303 {
				t.Errorf("%s for %q: status %d, want the login page", name, tt.header, w.Code)
			}
		}
	}
	for name, w := range map[string]*httptest.ResponseRecorder{
		"a wrong method": r.visitor().send(r.Sessions(), request("DELETE", "/", same)),
		"a wrong order":  signedIn(r).post(r.Sessions(), "/", nil, same),
	} {
		if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("%s is told as %s, want JSON", name, got)
		}
	}
	if l := decode(t, signedIn(r).get(r.Sessions(), "/")); len(l.Sessions) == 0 {
		t.Error("the devices are no JSON")
	}
}

// signedIn is a visitor who sends the ticket of ada in the header.
func signedIn(r *rig) *visitor {
	w := httptest.NewRecorder()
	login := r.m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Login("ada") })
	login.ServeHTTP(w, request("GET", "/"))
	v := r.visitor()
	v.ticket = w.Header().Get("Authorization")
	return v
}

func TestAnApplicationCanAnswerItself(t *testing.T) {
	r := newRig(t, guard.Options{Refuse: func(w http.ResponseWriter, _ *http.Request, no guard.Refusal) {
		http.Error(w, "own: "+string(no.Reason), no.Status)
	}})
	w := r.visitor().get(r.Role("admin")(inside), "/", asPage)
	if w.Code != 401 || w.Body.String() != "own: user\n" {
		t.Errorf("status %d, body %q, want the application's own answer", w.Code, w.Body)
	}
}

func TestAGuardNeedsNoMiddlewareAroundItAndWorksWithinIt(t *testing.T) {
	r := newRig(t, guard.Options{})
	v := r.signIn("ada")
	h := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		s, err := session.Load(req.Context())
		if err != nil || s.User() != "ada" {
			t.Errorf("Load behind the guard = %v, %v, want ada's session", s, err)
		}
	})
	v.get(r.User(h), "/")
	v.get(r.m.Middleware(r.User(r.Fresh(time.Hour)(h))), "/")
}

// Two managers in one chain: each guard judges by its own.
func TestAGuardJudgesByTheSessionsOfItsManager(t *testing.T) {
	staff := newRig(t, guard.Options{}, func(o *session.Options) { o.Cookie.Name = "__Host-staff" })
	shop := newRigOn(t, staff.store, staff.clock, guard.Options{})
	v := shop.signIn("ada")
	chain := func(h http.Handler) http.Handler { return staff.m.Middleware(shop.m.Middleware(h)) }
	wantInside(t, v.get(chain(shop.User(inside)), "/"))
	wantProblem(t, v.get(chain(staff.User(inside)), "/", asJSON), 401, guard.NoUser)
}

// broken is a store whose every load fails.
type broken struct{ *memstore.Store }

func (broken) Load(context.Context, string) (*session.Record, error) { return nil, errors.New("down") }

func TestAnOutageIsAnsweredByTheManager(t *testing.T) {
	r := newRig(t, guard.Options{LoginPage: "/login"})
	v := r.signIn("ada")
	down := newRigOn(t, broken{memstore.New(memstore.Options{})}, r.clock, guard.Options{LoginPage: "/login"})
	for name, h := range map[string]http.Handler{
		"User": down.User(inside), "Fresh": down.Fresh(time.Hour)(inside), "Role": down.Role("a")(inside),
		"Rate": down.Rate(guard.Limit{Requests: 1, Per: time.Hour})(inside), "Sessions": down.Sessions(),
	} {
		if w := v.get(h, "/", asPage); w.Code != 503 || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s while the store is down: status %d, want 503 with Retry-After", name, w.Code)
		}
	}
}

func TestWrongOptionsAreRefusedByName(t *testing.T) {
	r := newRig(t, guard.Options{})
	for want, opts := range map[string]guard.Options{
		"LoginPage":   {LoginPage: "https://evil.example/login"},
		"ReloginPage": {ReloginPage: "login"},
	} {
		if _, err := guard.New(r.m, opts); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New(%+v) = %v, want an error that names %s", opts, err, want)
		}
	}
	if _, err := guard.New(nil, guard.Options{}); err == nil {
		t.Error("New(nil) gives no error")
	}
}

func TestARequestThatIsLetThroughCostsNothingMore(t *testing.T) {
	r := newRig(t, guard.Options{})
	v := r.signIn("ada")
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	var inner *http.Request
	var writer http.ResponseWriter
	v.get(r.m.Middleware(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { inner, writer = req, w })),
		"/")
	for name, tt := range map[string]struct {
		h    http.Handler
		want float64
	}{
		"User":  {r.User(nothing), 0},
		"Fresh": {r.Fresh(time.Hour)(nothing), 0},
		"CSRF":  {r.CSRF(nothing), 2}, // the form with its context, and the request that has it
	} {
		if got := testing.AllocsPerRun(100, func() { tt.h.ServeHTTP(writer, inner) }); got > tt.want {
			t.Errorf("%s allocates %v times for a request that is let through, want %v", name, got, tt.want)
		}
	}
}
