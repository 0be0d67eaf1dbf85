package conformance_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/devicebound"
	"github.com/coatcheck/session/devicebound/conformance"
	"github.com/coatcheck/session/sessiontest"
)

// site is a site of this module, behind a handler that may spoil it.
func site(t *testing.T, policy devicebound.Policy, spoil func(http.Handler) http.Handler) conformance.Server {
	t.Helper()
	m := sessiontest.NewManager(t)
	binder, err := devicebound.New(m, devicebound.Options{Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	page := func(path string, fn func(*session.Session)) {
		mux.Handle(path, m.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
			fn(s)
			_, _ = io.WriteString(w, s.User())
		}))
	}
	page("/", func(*session.Session) {})
	page("/login", func(s *session.Session) { s.Login("ada") })
	page("/logout", func(s *session.Session) { s.Logout() })
	h := binder.Middleware(mux)
	if spoil != nil {
		h = spoil(h)
	}
	server := httptest.NewTLSServer(h)
	t.Cleanup(server.Close)
	return conformance.Server{
		Origin: server.URL, Transport: server.Client().Transport,
		SignIn:  func(b *sessiontest.Browser) { b.Post("/login") },
		SignOut: func(b *sessiontest.Browser) { b.Post("/logout") },
		SignedIn: func(b *sessiontest.Browser) bool {
			text, err := io.ReadAll(b.Get("/").Body)
			return err == nil && string(text) == "ada"
		},
	}
}

func TestOurServerConforms(t *testing.T) {
	for _, policy := range []devicebound.Policy{devicebound.Enforce, devicebound.Require} {
		conformance.Run(t, site(t, policy, nil))
	}
	lax := site(t, devicebound.Prefer, nil)
	lax.Lax = true
	conformance.Run(t, lax)
}

// answers changes what a server answers to the requests of the protocol, and to those that offer one.
func answers(change func(r *http.Request, w *httptest.ResponseRecorder)) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			change(r, rec)
			for name, values := range rec.Header() {
				w.Header()[name] = values
			}
			w.WriteHeader(rec.Code)
			_, _ = w.Write(rec.Body.Bytes())
		})
	}
}

// header changes the lines of one header of the answers.
func header(name, from, to string) func(http.Handler) http.Handler {
	return answers(func(_ *http.Request, w *httptest.ResponseRecorder) {
		for i, line := range w.Header()[name] {
			w.Header()[name][i] = strings.ReplaceAll(line, from, to)
		}
	})
}

func text(from, to string) func(http.Handler) http.Handler {
	return answers(func(_ *http.Request, w *httptest.ResponseRecorder) {
		w.Body = bytes.NewBufferString(strings.ReplaceAll(w.Body.String(), from, to))
	})
}

func status(path string, from, to int) func(http.Handler) http.Handler {
	return answers(func(r *http.Request, w *httptest.ResponseRecorder) {
		if strings.HasSuffix(r.URL.Path, path) && w.Code == from {
			w.Code = to
		}
	})
}

const (
	registration = "Secure-Session-Registration"
	challenge    = "Secure-Session-Challenge"
)

// TestTheSuiteCatches runs it against servers of which each breaks one rule.
func TestTheSuiteCatches(t *testing.T) {
	remembered := ""
	for name, tt := range map[string]struct {
		spoil func(http.Handler) http.Handler
		rule  string
	}{
		"offers none":           {header(registration, "ES256", "ES256 none"), "a sign-in offers"},
		"offers no path":        {header(registration, ";path", ";pfad"), "a sign-in offers"},
		"short challenges":      {header(registration, `challenge="`, `challenge="x";y="`), "a sign-in"},
		"no list":               {header(registration, "(ES256)", "ES256"), "a sign-in offers"},
		"no scope":              {text(`"include_site":false`, `"x":false`), "a registration is answered"},
		"other attributes":      {text("SameSite=Lax", "SameSite=Strict"), "the bound cookie is the one"},
		"another status to ask": {status("refresh", 403, 401), "a refresh without a proof is asked"},
		"no id":                 {header(challenge, ";id", ";di"), "a refresh without a proof is asked"},
		"lets all register":     {status("register", 403, 200), "no key without a good proof"},
		"lets all refresh":      {status("refresh", 401, 200), "no bad proof is answered"},
		"does not end sessions": {status("refresh", 401, 503), "a session that is over"},
		"allows credentials": {answers(func(_ *http.Request, w *httptest.ResponseRecorder) {
			w.Header().Set("Access-Control-Allow-Credentials", "true")
		}), "other origins learn nothing"},
		"one challenge for all": {answers(func(_ *http.Request, w *httptest.ResponseRecorder) {
			if c := w.Header().Get("Secure-Session-Challenge"); c != "" && remembered == "" {
				remembered, _, _ = strings.Cut(c, ";")
			} else if _, id, ok := strings.Cut(c, ";"); ok {
				w.Header().Set("Secure-Session-Challenge", remembered+";"+id)
			}
		}), "a challenge comes at most once"},
		"needs no id": {func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "refresh") && r.Header.Get("Sec-Secure-Session-Id") == "" {
					return
				}
				h.ServeHTTP(w, r)
			})
		}, "a refresh names its session"},
		"reads no bare strings": {func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if s := r.Header.Get("Secure-Session-Response"); s != "" && s[0] != '"' {
					w.WriteHeader(http.StatusBadRequest)
					return
				}
				h.ServeHTTP(w, r)
			})
		}, "strings are read without quotes"},
		"reads no quotes": {func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if s := r.Header.Get("Secure-Session-Response"); strings.HasPrefix(s, `"`) {
					w.WriteHeader(http.StatusBadRequest)
					return
				}
				h.ServeHTTP(w, r)
			})
		}, "strings are read with quotes"},
	} {
		err := conformance.Check(t, site(t, devicebound.Enforce, tt.spoil))
		if err == nil || !strings.Contains(err.Error(), tt.rule) || strings.Contains(err.Error(), "%!") {
			t.Errorf("%s: %v, want the rule %q broken", name, err, tt.rule)
		}
	}
	err := conformance.Check(t, site(t, devicebound.Prefer, nil))
	if err == nil || !strings.Contains(err.Error(), "cookies without the key") ||
		!strings.Contains(err.Error(), "no key to another") {
		t.Errorf("a server that enforces nothing: %v", err)
	}
}
