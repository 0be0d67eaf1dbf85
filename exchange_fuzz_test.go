package session_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// fuzzSecret is known, so that the corpus holds tickets and cookies that verify.
var fuzzSecret = session.Secret("for the fuzz corpus, known to all")

func fuzzManager(f *testing.F) *session.Manager {
	f.Helper()
	m, err := session.New(memstore.New(memstore.Options{}), session.Options{Secrets: []session.Secret{fuzzSecret},
		SweepEvery: -1})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { m.Close() })
	return m
}

// fuzzTicket is a good ticket of a stored session.
func fuzzTicket(f *testing.F, m *session.Manager) string {
	f.Helper()
	s, _ := m.Open(context.Background(), "")
	s.Set("x", 1)
	if err := s.Save(context.Background()); err != nil {
		f.Fatal(err)
	}
	return s.Token()
}

// A Cookie header, whatever is in it, gives an empty session or the one whose ticket stands there exactly once, never
// an error, and net/http agrees about the name and value.
func FuzzCookieHeader(f *testing.F) {
	m := fuzzManager(f)
	good := fuzzTicket(f, m)
	for _, line := range []string{
		"__Host-Http-session=TICKET", "a=1; __Host-Http-session=TICKET;b",
		"__Host-Http-session=TICKET; __Host-Http-session=TICKET", "__host-http-session=TICKET",
		`__Host-Http-session="TICKET"`, "__Host-Http-session =TICKET", "\t__Host-Http-session=TICKET\t",
		"=__Host-Http-session=TICKET", "__Host-Http-session", "; ;;=", "__Host-Http-session=TICKET\x00",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		line = strings.ReplaceAll(line, "TICKET", good)
		req := httptest.NewRequest("GET", "/", nil)
		req.Header["Cookie"] = []string{line}
		w := httptest.NewRecorder()
		var opened bool
		m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
			opened = !s.IsNew()
		}).ServeHTTP(w, req)
		if w.Code != 200 || w.Header()["Set-Cookie"] != nil {
			t.Errorf("%q: status %d, %d cookies", line, w.Code, len(w.Header()["Set-Cookie"]))
		}
		if opened {
			got := req.CookiesNamed("__Host-Http-session")
			if len(got) != 1 || got[0].Value != good {
				t.Errorf("%q opens the session, and net/http finds %d cookies", line, len(got))
			}
		}
	})
}

// Any value comes back as it was, and no other text verifies.
func FuzzSigned(f *testing.F) {
	m := fuzzManager(f)
	f.Add("theme", "dark", "")
	f.Add("theme", "", "ZGFyaw.AAAA")
	f.Add("a", "line\r\nbreak; x=\x00é", ".")
	f.Add("theme", "dark", "ZGFyaw.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, name, value, forged string) {
		w := httptest.NewRecorder()
		if err := m.SetSigned(w, &http.Cookie{Name: name, Value: value}); err != nil {
			if len(w.Header()) != 0 {
				t.Errorf("SetSigned = %v, and a cookie is set", err)
			}
			return
		}
		sent, err := http.ParseSetCookie(w.Header().Get("Set-Cookie"))
		if err != nil || sent.Name != name {
			t.Fatalf("Set-Cookie %q: %v", w.Header().Get("Set-Cookie"), err)
		}
		read := func(text string) (string, error) {
			return m.Signed(&http.Request{Header: http.Header{"Cookie": {name + "=" + text}}}, name)
		}
		if got, err := read(sent.Value); got != value || err != nil {
			t.Errorf("Signed = %q, %v, want %q", got, err, value)
		}
		if got, err := read(forged); err == nil && forged != sent.Value {
			t.Errorf("Signed accepts %q as %q", forged, got)
		}
	})
}
