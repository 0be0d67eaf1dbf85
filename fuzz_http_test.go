package session_test

import (
	"context"
	"errors"
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
	m, err := session.New(memstore.New(memstore.Options{}), session.Options{Secrets: []session.Secret{fuzzSecret}, SweepEvery: -1})
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

// A ticket that is accepted is the one that was made, in its one spelling; everything else has one of two errors.
func FuzzTicket(f *testing.F) {
	m := fuzzManager(f)
	good := fuzzTicket(f, m)
	parts := strings.Split(good, ".")
	for _, text := range []string{good, good + "=", "v1." + parts[2] + "." + parts[1], "v2." + good[3:], good[:89], strings.ToUpper(good), "v1..", ""} {
		f.Add(text, 0, byte(0))
	}
	f.Add("", 3, byte('A'))
	f.Fuzz(func(t *testing.T, text string, at int, c byte) {
		if text == "" { // changes of the good one
			i := int(uint(at) % uint(len(good)))
			text = good[:i] + string([]byte{c}) + good[i+1:]
		}
		err := session.ParseTicket(m, text)
		if err == nil && text != good {
			// Only what this secret signed verifies, and a corpus may hold such a ticket: then it must be its only spelling.
			if s, openErr := m.Open(t.Context(), text); openErr != nil || !s.IsNew() {
				t.Errorf("%q opens a session that has another ticket", text)
			}
			if len(text) != len(good) || !strings.HasPrefix(text, "v1.") {
				t.Errorf("%q is accepted", text)
			}
		}
		if err != nil && !errors.Is(err, session.ErrMalformed) && !errors.Is(err, session.ErrBadSignature) {
			t.Errorf("ParseTicket(%q) = %v", text, err)
		}
		if err != nil && text == good {
			t.Errorf("the good ticket: %v", err)
		}
	})
}

// A Cookie header, whatever is in it, gives an empty session or the one whose ticket stands there exactly once, never
// an error, and net/http agrees about the name and value.
func FuzzCookieHeader(f *testing.F) {
	m := fuzzManager(f)
	good := fuzzTicket(f, m)
	for _, line := range []string{
		"__Host-Http-session=TICKET", "a=1; __Host-Http-session=TICKET;b", "__Host-Http-session=TICKET; __Host-Http-session=TICKET", "__host-http-session=TICKET",
		`__Host-Http-session="TICKET"`, "__Host-Http-session =TICKET", "\t__Host-Http-session=TICKET\t", "=__Host-Http-session=TICKET", "__Host-Http-session", "; ;;=", "__Host-Http-session=TICKET\x00",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		line = strings.ReplaceAll(line, "TICKET", good)
		req := httptest.NewRequest("GET", "/", nil)
		req.Header["Cookie"] = []string{line}
		w := httptest.NewRecorder()
		var opened bool
		m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { opened = !s.IsNew() }).ServeHTTP(w, req)
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
