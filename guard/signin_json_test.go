package guard_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

// credentials are what a script sends to sign in.
type credentials struct{ User, Password string }

// credentialsOf reads them, for the function that names the account and for the handler.
func credentialsOf(r *http.Request) (credentials, error) {
	var in credentials
	err := json.NewDecoder(r.Body).Decode(&in)
	in.User = strings.ToLower(in.User)
	return in, err
}

func byJSON(r *http.Request) string {
	in, _ := credentialsOf(r)
	return in.User
}

// newJSONDoor is a door whose form is an endpoint for scripts.
func newJSONDoor(t *testing.T, opts guard.Options, change ...func(*session.Options)) *door {
	t.Helper()
	d := newDoor(t, opts, change...)
	d.form = d.SignIn(byJSON)(d.m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		in, err := credentialsOf(r)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		d.tries.Add(1)
		if !accounts[in.User] || in.Password != right || s.TryLogin(in.User) != nil {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	return d
}

// sendJSON sends a body from the address.
func (a at) sendJSON(h http.Handler, body io.Reader) *httptest.ResponseRecorder {
	a.r.t.Helper()
	r := request("POST", "/login", "Content-Type: application/json", "Sec-Fetch-Site: same-origin", asJSON)
	r.Body, r.RemoteAddr = io.NopCloser(body), a.address+":4711"
	return a.send(h, r)
}

func (a at) tryJSON(d *door, user, password string) *httptest.ResponseRecorder {
	a.r.t.Helper()
	text, err := json.Marshal(map[string]string{"user": user, "password": password})
	if err != nil {
		a.r.t.Fatal(err)
	}
	return a.sendJSON(d.form, bytes.NewReader(text))
}

func TestASignInByJSONIsLimitedAsAFormIs(t *testing.T) {
	d := newJSONDoor(t, guard.Options{SignIn: guard.SignInLimits{Attempts: 3}})
	owner := d.from(1)
	if w := owner.tryJSON(d, "Ann", right); w.Code != http.StatusNoContent {
		t.Fatalf("the owner signs in: status %d, want 204", w.Code)
	}
	for i, want := range []int{422, 422, 422, 429, 429} {
		if w := d.from(10+i).tryJSON(d, []string{"ann", "ANN"}[i%2], "guess"); w.Code != want {
			t.Errorf("guess %d: status %d, want %d", i+1, w.Code, want)
		}
	}
	wantProblem(t, d.from(20).tryJSON(d, "ann", right), 429, guard.TooMany)
	if w := owner.tryJSON(d, "ann", right); w.Code != http.StatusNoContent {
		t.Errorf("the owner on a known device: status %d, want 204", w.Code)
	}
	if w := d.from(21).tryJSON(d, "bob", right); w.Code != http.StatusNoContent {
		t.Errorf("somebody else: status %d, want 204", w.Code)
	}
}

// Whatever the body is, the handler tries the account that was counted, and no guess is free.
func TestNoJSONHidesTheAccountThatItTries(t *testing.T) {
	deep := strings.Repeat("[", 20_000)
	for _, body := range []string{
		`{"user":"ann","password":"guess"}`,
		`{"user":"bob","user":"ann","password":"guess"}`,
		`{"USER":"ann","user":"bob","User":"ann","password":"guess"}`,
		`{"password":"guess","x":` + strings.Repeat(`[1],"y":`, 1000) + `2,"user":"ann"}`,
		`{"password":"guess","pad":"` + strings.Repeat("x", 1<<20-200) + `","user":"ann"}`,
		`{"user":"\u0061nn","password":"guess"} {"user":"bob"}`,
		` {"user":"ann","password":"guess"}}}}`,
		`{"user":"` + "\xff\xfe" + `","password":"guess"}`,
		`{"user":"a\u0000\ud800","password":"guess"}`,
		"\ufeff" + `{"user":"ann","password":"guess"}`,
		`{"user":"ann","password":7}`, `{"user":7,"password":"guess"}`, `{"user":null,"password":"guess"}`,
		`{"user":"ann","password":"gue`, `null`, `[]`, `"ann"`, `{}`, ``, "\x00", deep, `{"user":` + deep,
	} {
		d := newDoor(t, guard.Options{SignIn: guard.SignInLimits{Attempts: 1, AddressAttempts: 1}})
		counted, ran := "", 0
		form := d.SignIn(func(r *http.Request) string { counted = byJSON(r); return counted })(
			http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ran++
				got, err := io.ReadAll(r.Body)
				if tried := byJSON(withBody(r, got)); err != nil || string(got) != body || tried != counted {
					t.Errorf("%.40q: counted for %q, and the handler tries %q: %v", body, counted, tried, err)
				}
			}))
		send := func() int { return d.from(1).sendJSON(form, strings.NewReader(body)).Code }
		if first, second := send(), send(); first != 200 || second != 429 || ran != 1 {
			t.Errorf("%.40q: status %d and %d, and %d guesses, want 200, 429 and one", body, first, second, ran)
		}
	}
}

func withBody(r *http.Request, text []byte) *http.Request {
	r.Body = io.NopCloser(bytes.NewReader(text))
	return r
}

// A stranger's body costs no more than the site allows, and one that does not come in full is not tried.
func TestAJSONSignInHasABound(t *testing.T) {
	d := newJSONDoor(t, guard.Options{})
	for name, tt := range map[string]struct {
		h    http.Handler
		most int
	}{
		"by default":               {d.form, mostRead + 1},
		"with one of the site's":   {http.MaxBytesHandler(d.form, 4096), 4096 + 1},
		"with one inside, as well": {d.m.Middleware(http.MaxBytesHandler(d.CSRF(d.form), 4096)), 4096 + 1},
	} {
		body := &endless{head: `{"user":"ann","password":"`}
		wantProblem(t, d.from(1).sendJSON(tt.h, body), 413, guard.BadBody)
		if body.read > tt.most {
			t.Errorf("%s: %d bytes are read, want %d at most", name, body.read, tt.most)
		}
		cut := io.MultiReader(strings.NewReader(`{"user":"ann","password":"right"}`), broke{})
		wantProblem(t, d.from(1).sendJSON(tt.h, cut), 400, guard.BadBody)
	}
	if n := d.tries.Load(); n != 0 {
		t.Errorf("%d of them were tried", n)
	}
}

// An app has no browser that keeps cookies. If it keeps the one of its device, strangers cannot lock its owner out.
func TestAnAppThatKeepsTheCookieOfItsDeviceIsKnown(t *testing.T) {
	header := func(o *session.Options) { o.Transport = session.Header("X-Session") }
	d := newJSONDoor(t, guard.Options{SignIn: guard.SignInLimits{Attempts: 1}}, header)
	kept := d.from(1).tryJSON(d, "ann", right).Result().Cookies()
	if len(kept) != 1 || kept[0].Name != "__Host-device" {
		t.Fatalf("a sign-in sets the cookies %v, want that of the device alone", kept)
	}
	for i, want := range []int{422, 429} {
		if w := d.from(100+i).tryJSON(d, "ann", "guess"); w.Code != want {
			t.Fatalf("stranger %d: status %d, want %d", i+1, w.Code, want)
		}
	}
	try := func(cookies ...*http.Cookie) int {
		r := request("POST", "/login", "Content-Type: application/json")
		r.Body = io.NopCloser(strings.NewReader(`{"user":"ann","password":"right"}`))
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		d.form.ServeHTTP(w, r)
		return w.Code
	}
	if without, with := try(), try(kept...); without != 429 || with != 204 {
		t.Errorf("status %d without the cookie and %d with it, want 429 and 204", without, with)
	}
}

// Over a real connection, the body may come in pieces and of unknown length.
func TestAScriptSignsInOverAConnection(t *testing.T) {
	d := newJSONDoor(t, guard.Options{SignIn: guard.SignInLimits{Attempts: 1e6, AddressAttempts: 1e6}})
	limited := http.MaxBytesHandler(d.m.Middleware(d.CSRF(d.form)), 4096)
	serve(t, limited, func(t *testing.T, client *http.Client, address string) {
		pieces := io.MultiReader(strings.NewReader(`{"user":"an`), strings.NewReader(`n","password":"right"}`))
		for want, body := range map[int]io.Reader{
			204: pieces,
			422: strings.NewReader(`{"user":"ann","password":"guess"}`),
			400: strings.NewReader(`{"user":`),
			413: strings.NewReader(`{"user":"` + strings.Repeat("x", 5000) + `"}`),
		} {
			if got := postTo(t, client, address+"/login", "application/json", body); got != want {
				t.Errorf("status %d, want %d", got, want)
			}
		}
	})
}
