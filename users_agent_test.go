package session_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/coatcheck/session"
)

// A long user agent is cut between two characters, and a control character is none wherever it stands.
func TestAUserAgentIsCutAtACharacter(t *testing.T) {
	long := strings.Repeat("é", 200)
	for _, ua := range []string{"x" + long, "xx" + strings.Repeat("€", 200), long, "a\x7fb", "a\x1fb"} {
		r := newRig(t)
		req := httptest.NewRequest("GET", "https://app.example.com/", nil)
		req.Header.Set("User-Agent", ua)
		r.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Login("ada") }).
			ServeHTTP(httptest.NewRecorder(), req)
		infos, err := r.Sessions(t.Context(), "ada")
		if err != nil || len(infos) != 1 {
			t.Fatal(infos, err)
		}
		got := infos[0].UserAgent
		cut := len(got) <= 256 && strings.HasPrefix(got, ua[:1])
		if !cut || !utf8.ValidString(got) || strings.ContainsAny(got, "\x7f\x1f") {
			t.Errorf("%q is kept as %q", ua, got)
		}
	}
}

// The client that is noted is that of one request, not half of one and half of another.
func TestAClientWithoutAUserAgentIsNoted(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	from := func(addr, ua string) {
		req := httptest.NewRequest("GET", "https://app.example.com/", nil)
		for _, c := range v.jar.Cookies(req.URL) {
			req.AddCookie(c)
		}
		req.RemoteAddr = addr + ":1234"
		req.Header.Set("User-Agent", ua)
		w := httptest.NewRecorder()
		r.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
			if s.User() == "" {
				s.Login("ada")
			}
			s.Set("x", addr)
		}).ServeHTTP(w, req)
		v.jar.SetCookies(req.URL, w.Result().Cookies())
	}
	from("192.0.2.1", "first")
	from("192.0.2.2", "")
	infos, err := r.Sessions(t.Context(), "ada")
	if err != nil || len(infos) != 1 || infos[0].RemoteIP.String() != "192.0.2.2" || infos[0].UserAgent != "" {
		t.Errorf("Sessions = %+v, %v, want the last client", infos, err)
	}
}

// A job that works on a session without a request is no client.
func TestAJobIsNoClient(t *testing.T) {
	r := newRig(t)
	req := httptest.NewRequest("GET", "https://app.example.com/", nil)
	req.Header.Set("User-Agent", "a browser")
	var ticket string
	r.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Login("ada")
		if err := s.Save(t.Context()); err != nil {
			t.Error(err)
		}
		ticket = s.Token()
	}).ServeHTTP(httptest.NewRecorder(), req)
	s, err := r.Open(t.Context(), ticket)
	if err != nil {
		t.Fatal(err)
	}
	s.Set("x", 1)
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	infos, err := r.Sessions(t.Context(), "ada")
	if err != nil || len(infos) != 1 || !infos[0].RemoteIP.IsValid() || infos[0].UserAgent != "a browser" {
		t.Errorf("Sessions = %+v, %v, want the client of the request", infos, err)
	}
}

// An adapter that has no middleware around its handlers stores a session of a client, too.
func TestASessionThatIsOpenedForARequestShowsItsClient(t *testing.T) {
	r := newRig(t)
	req := httptest.NewRequest("GET", "/", nil)
	req.RemoteAddr = "192.0.2.3:1234"
	req.Header.Set("User-Agent", "Test/1.0")
	s, err := r.OpenFor(req, "")
	if err != nil {
		t.Fatal(err)
	}
	s.Login("ada")
	if err := s.Save(req.Context()); err != nil {
		t.Fatal(err)
	}
	infos, err := r.Sessions(t.Context(), "ada")
	if err != nil || len(infos) != 1 || infos[0].RemoteIP.String() != "192.0.2.3" || infos[0].UserAgent != "Test/1.0" {
		t.Errorf("Sessions = %+v, %v", infos, err)
	}
	if again, err := r.OpenFor(req, s.Token()); err != nil || again.User() != "ada" || again.IsNew() {
		t.Errorf("OpenFor = %v, %v; want the session of the ticket", again, err)
	}
}
