package sessiontest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/nullstore"
	"github.com/coatcheck/session/sessiontest"
)

// fakeTB is a test that keeps to itself what it is told.
type fakeTB struct {
	testing.TB
	said []string
}

type fatal struct{}

func (f *fakeTB) Helper() {}
func (f *fakeTB) Errorf(format string, args ...any) {
	f.said = append(f.said, fmt.Sprintf(format, args...))
}
func (f *fakeTB) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	panic(fatal{})
}

// failure is what fn tells its test, "" when nothing is wrong.
func failure(t *testing.T, fn func(t testing.TB)) (text string) {
	t.Helper()
	f := &fakeTB{TB: t}
	defer func() {
		if p := recover(); p != nil && p != (fatal{}) {
			panic(p)
		}
		text = strings.Join(f.said, "\n")
	}()
	fn(f)
	return ""
}

func login(s *session.Session) { s.Login("ada"); s.Set("cart", 3) }

// serve answers a request with what fn does to its session.
func serve(m *session.Manager, r *http.Request, fn func(*session.Session)) *http.Response {
	w := httptest.NewRecorder()
	m.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark"})
		http.SetCookie(w, &http.Cookie{Name: "old", MaxAge: -1})
		fn(s)
	}).ServeHTTP(w, r)
	return w.Result()
}

func transports() map[string]func(*session.Options) {
	return map[string]func(*session.Options){
		"cookie":              func(*session.Options) {},
		"cookie of that name": func(o *session.Options) { o.Cookie = session.Cookie{Name: "visit", Insecure: true} },
		"header":              func(o *session.Options) { o.Transport = session.Header("X-Session") },
		"authorization":       func(o *session.Options) { o.Transport = session.Header("authorization") },
		"bearer":              func(o *session.Options) { o.Transport = session.Bearer("X-Session") },
		"cookie and bearer": func(o *session.Options) {
			o.Transport = session.Transports(nil, session.Bearer("X-Session"))
		},
		"bearer and cookie": func(o *session.Options) {
			o.Transport = session.Transports(session.Bearer("X-Session"), nil)
		},
	}
}

// TestHelpersGoThroughALife lets a client come, stay and go with every transport.
func TestHelpersGoThroughALife(t *testing.T) {
	for name, transport := range transports() {
		t.Run(name, func(t *testing.T) {
			m := sessiontest.NewManager(t, transport)
			plain := httptest.NewRequest("GET", "/", nil)
			plain.AddCookie(&http.Cookie{Name: "theme", Value: "light"})
			r := sessiontest.Request(t, m, plain, login)

			resp := serve(m, r, func(s *session.Session) { s.Set("cart", s.Get("cart")) })
			sessiontest.LeavesTicket(t, m, resp)
			if s := sessiontest.After(t, m, r, resp); s.User() != "ada" || fmt.Sprint(s.Get("cart")) != "3" {
				t.Errorf("After a request that left the ticket: user %q with cart %v, want ada with 3", s.User(),
					s.Get("cart"))
			}

			resp = serve(m, r, func(s *session.Session) { s.Login("bob") })
			sessiontest.SetsTicket(t, m, resp)
			if s := sessiontest.After(t, m, r, resp); s.User() != "bob" {
				t.Errorf("After a login of bob the user is %q", s.User())
			}

			again := sessiontest.Request(t, m, plain, login)
			resp = serve(m, again, (*session.Session).Logout)
			sessiontest.DeletesTicket(t, m, resp)
			if s := sessiontest.After(t, m, again, resp); !s.IsNew() || s.User() != "" {
				t.Errorf("After a logout the session is %v of %q, want a new one of nobody", s, s.User())
			}
			if len(plain.Cookies()) != 1 || len(plain.Header) != 1 {
				t.Errorf("Request changed the request that it was given: it has %d cookies and %d headers",
					len(plain.Cookies()), len(plain.Header))
			}
		})
	}
}

func TestRequestGoesOnWithASession(t *testing.T) {
	m := sessiontest.NewManager(t)
	first := sessiontest.Request(t, m, httptest.NewRequest("GET", "/", nil),
		func(s *session.Session) { s.Set("cart", 3) })
	for _, fill := range []func(*session.Session){
		func(s *session.Session) { s.Login("ada") },   // a new ticket takes the place of the old one
		func(s *session.Session) { s.Set("note", 1) }, // the ticket stays
	} {
		r := sessiontest.Request(t, m, first, fill)
		if n := len(r.Cookies()); n != 1 {
			t.Errorf("the request has %d cookies, want one", n)
		}
		if s := sessiontest.After(t, m, r, &http.Response{}); s.IsNew() || fmt.Sprint(s.Get("cart")) != "3" {
			t.Errorf("the session has cart %v, want 3 as before", s.Get("cart"))
		}
		first = r
	}
}

func TestRequestKeepsBodyContextAndClient(t *testing.T) {
	m := sessiontest.NewManager(t)
	type key struct{}
	r := httptest.NewRequest("POST", "/form", strings.NewReader("a=b"))
	r = r.WithContext(context.WithValue(r.Context(), key{}, "value"))
	r.Header.Set("User-Agent", "browser")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r = sessiontest.Request(t, m, r, login)
	if r.FormValue("a") != "b" || r.Context().Value(key{}) != "value" {
		t.Errorf("the request has form %v and context value %v, want those of the one given", r.Form,
			r.Context().Value(key{}))
	}
	infos, err := m.Sessions(t.Context(), "ada")
	if err != nil || len(infos) != 1 || infos[0].UserAgent != "browser" {
		t.Errorf("Sessions = %+v, %v, want one of this browser", infos, err)
	}
}

func TestAfterLeavesFlashData(t *testing.T) {
	m := sessiontest.NewManager(t)
	plain := httptest.NewRequest("GET", "/", nil)
	filled := sessiontest.Request(t, m, plain, func(s *session.Session) { s.Flash("note", "saved") })
	if got := sessiontest.After(t, m, filled, &http.Response{}).Get("note"); got != "saved" {
		t.Errorf("Request: flash data = %v, want saved", got)
	}
	r := sessiontest.Request(t, m, plain, login)
	resp := serve(m, r, func(s *session.Session) { s.Flash("note", "saved") })
	for range 2 {
		if got := sessiontest.After(t, m, r, resp).Get("note"); got != "saved" {
			t.Errorf("After: flash data = %v, want saved", got)
		}
	}
}

func TestHelpersWorkWhereRequestsAreSkipped(t *testing.T) {
	m := sessiontest.NewManager(t, func(o *session.Options) {
		o.Skip = func(r *http.Request) bool { return !strings.HasPrefix(r.URL.Path, "/app") }
	})
	r := sessiontest.Request(t, m, httptest.NewRequest("GET", "/app", nil), login)
	resp := serve(m, r, (*session.Session).Regenerate)
	sessiontest.SetsTicket(t, m, resp)
	if s := sessiontest.After(t, m, r, resp); s.User() != "ada" {
		t.Errorf("After: user %q, want ada", s.User())
	}
	text := failure(t, func(tb testing.TB) { sessiontest.Request(tb, m, httptest.NewRequest("GET", "/", nil), login) })
	if !strings.Contains(text, "nothing was stored") || !strings.Contains(text, "Options.Skip") {
		t.Errorf("Request that is skipped tells %q, want that nothing was stored", text)
	}
}

func TestWhatHelpersSayWhenTheyFail(t *testing.T) {
	m := sessiontest.NewManager(t)
	plain := httptest.NewRequest("GET", "/", nil)
	known := sessiontest.Request(t, m, plain, login)
	leaves, sets := serve(m, known, func(*session.Session) {}), serve(m, plain, login)
	deletes := serve(m, sessiontest.Request(t, m, plain, login), (*session.Session).Logout)
	secrets := []session.Secret{session.NewSecret()}
	forgetful, err := session.New(nullstore.New(), session.Options{Secrets: secrets, SweepEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	sameSecret := sessiontest.NewManager(t, func(o *session.Options) { o.Secrets = secrets })
	signed := sessiontest.Request(t, sameSecret, plain, login)
	outage := newShelf(0)
	outage.fail()
	down, err := session.New(newStore(outage, sound), session.Options{Secrets: secrets, SweepEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		fn   func(t testing.TB)
		want string
	}{
		{"SetsTicket left", func(t testing.TB) { sessiontest.SetsTicket(t, m, leaves) },
			"(status 200) leaves the client's ticket alone, want one that gives the client a ticket"},
		{"SetsTicket deleted", func(t testing.TB) { sessiontest.SetsTicket(t, m, deletes) },
			"deletes the client's ticket, want one that gives"},
		{"DeletesTicket set", func(t testing.TB) { sessiontest.DeletesTicket(t, m, sets) },
			"gives the client a ticket, want one that deletes"},
		{"DeletesTicket left", func(t testing.TB) { sessiontest.DeletesTicket(t, m, leaves) },
			"leaves the client's ticket alone, want one that deletes"},
		{"LeavesTicket set", func(t testing.TB) { sessiontest.LeavesTicket(t, m, sets) },
			"gives the client a ticket, want one that leaves"},
		{"Request fills nothing", func(t testing.TB) { sessiontest.Request(t, m, plain, func(*session.Session) {}) },
			"nothing was stored"},
		{"Request logs out", func(t testing.TB) { sessiontest.Request(t, m, known, (*session.Session).Logout) },
			"nothing was stored"},
		{"Request keeps nothing", func(t testing.TB) { sessiontest.Request(t, forgetful, plain, login) },
			"nor the store may forget"},
		{"Request refused", func(t testing.TB) {
			sessiontest.Request(t, m, plain, func(s *session.Session) { s.Login("") })
		}, "the user name is empty"},
		{"Request of a store that is down", func(t testing.TB) { sessiontest.Request(t, down, plain, login) },
			"Request: session: the store is unavailable: shelf: the backend is down"},
		{"Request that cannot be loaded", func(t testing.TB) { sessiontest.Request(t, down, signed, login) },
			"could not be loaded: the answer is 503"},
		{"After of a store that is down", func(t testing.TB) { sessiontest.After(t, down, signed, leaves) },
			"After: session: the store is unavailable"},
		{"NewManager", func(t testing.TB) {
			sessiontest.NewManager(t, func(o *session.Options) { o.Secrets = nil })
		}, "NewManager: session: Secrets: at least one"},
	} {
		if got := failure(t, tt.fn); !strings.Contains(got, tt.want) || strings.Contains(got, "v1.") {
			t.Errorf("%s tells %q, want %q and no ticket", tt.name, got, tt.want)
		}
	}
}

// The transport is known of the manager, and not learned from a request, which Options.Skip may name.
func TestHelpersKnowTheHeaderWhateverIsSkipped(t *testing.T) {
	m := sessiontest.NewManager(t, func(o *session.Options) {
		o.Transport = session.Header("authorization")
		o.Skip = func(r *http.Request) bool { return r.URL.Path == "/" }
	})
	r := sessiontest.Request(t, m, httptest.NewRequest("GET", "/x", nil), func(s *session.Session) { s.Login("ada") })
	if r.Header.Get("Authorization") == "" {
		t.Error("the request has no ticket")
	}
	if s := sessiontest.After(t, m, r, &http.Response{Header: http.Header{}}); s.User() != "ada" {
		t.Errorf("user %q, want ada", s.User())
	}
}

// A form of the kit passes the guards that stand before a handler, and arrives with its fields.
func TestAFormComesFromTheSameSite(t *testing.T) {
	m := sessiontest.NewManager(t)
	g, err := guard.New(m, guard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var user, note string
	h := g.CSRF(m.HandlerFunc(func(_ http.ResponseWriter, r *http.Request, s *session.Session) {
		user, note = s.User(), r.PostFormValue("note")
	}))
	form := sessiontest.Form("/notes", url.Values{"note": {"a & b"}})
	r := sessiontest.Request(t, m, form, func(s *session.Session) { s.Login("ada") })
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 200 || user != "ada" || note != "a & b" {
		t.Errorf("status %d, user %q, note %q, want ada's note", w.Code, user, note)
	}
	r.Header.Del("Sec-Fetch-Site")
	w = httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != 403 {
		t.Errorf("without the header: status %d, want 403", w.Code)
	}
}
