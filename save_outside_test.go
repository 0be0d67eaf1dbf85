package session_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coatcheck/session"
)

// below is a manager of a part of a site.
func below(t *testing.T, log *logged, path string, change ...func(*session.Options)) *rig {
	return newRig(t, append([]func(*session.Options){log.to, func(o *session.Options) { o.Cookie.Path = path }},
		change...)...)
}

// overBothAt asks for a path over HTTP/1.1 and HTTP/2.
func overBothAt(t *testing.T, h http.Handler, path string, headers http.Header, check func(*http.Response)) {
	t.Helper()
	for _, http2 := range []bool{false, true} {
		server := httptest.NewUnstartedServer(h)
		server.EnableHTTP2 = http2
		server.StartTLS()
		defer server.Close()
		req, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = headers.Clone()
		resp, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		check(resp)
	}
}

func TestNoSessionIsStoredWhereNobodyCanComeBackToIt(t *testing.T) {
	for name, do := range map[string]func(s *session.Session) error{
		"set":   func(s *session.Session) error { s.Set("x", 1); return nil },
		"login": func(s *session.Session) error { s.Login("ada"); return nil },
		"save":  func(s *session.Session) error { s.Set("x", 1); return s.Save(t.Context()) },
		"atomic": func(s *session.Session) error {
			return s.Atomic(t.Context(), func(s *session.Session) error { s.Set("x", 1); return nil })
		},
		"logout and set": func(s *session.Session) error { s.Logout(); s.Set("x", 1); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			var log logged
			r := below(t, &log, "/foo/bar")
			h := r.HandlerFunc(func(w http.ResponseWriter, req *http.Request, s *session.Session) {
				if err := do(s); err != nil {
					r.Fail(w, req, err)
				}
			})
			for path, stored := range map[string]bool{
				"/": false, "/foo": false, "/foo/barn": false, "/foo/bar": true, "/foo/bar/x?y": true,
				"/x?/foo/bar": false, "/foo%2Fbar": false,
			} {
				overBothAt(t, h, path, nil, func(resp *http.Response) {
					if (resp.StatusCode == 200) != stored || (len(resp.Cookies()) == 1) != stored {
						t.Errorf("%s: answered %d with the cookies %v", path, resp.StatusCode, resp.Cookies())
					}
				})
			}
			if n := len(r.listed(t)); n != 4 {
				t.Errorf("%d sessions are stored, want those of two paths", n)
			}
			if !log.has("ERROR", "Cookie.Path", "X-Forwarded-Prefix") {
				t.Errorf("the log is\n%s", log.text())
			}
		})
	}
}

func TestWhatDoesNotNeedTheCookieBackIsNoError(t *testing.T) {
	set := func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Set("x", 1) }
	for name, c := range map[string]struct {
		path    string
		handler func(r *rig) http.Handler
		headers http.Header
		change  func(*session.Options)
	}{
		"only read": {"/", func(r *rig) http.Handler {
			return r.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Get("x") })
		}, nil, nil},
		"the cookie came": {"/", func(r *rig) http.Handler { return r.HandlerFunc(set) },
			headed("Cookie", "session=x"), nil},
		"a former cookie came": {"/", func(r *rig) http.Handler { return r.HandlerFunc(set) },
			headed("Cookie", "sid=x"), func(o *session.Options) { o.Cookie.FormerNames = []string{"sid"} }},
		"stripped here": {"/foo/bar", func(r *rig) http.Handler {
			return http.StripPrefix("/foo", r.HandlerFunc(set))
		}, nil, nil},
		"stripped by a proxy": {"/bar", func(r *rig) http.Handler { return r.HandlerFunc(set) },
			headed("X-Forwarded-Prefix", "/foo/"), nil},
		"a header": {"/", func(r *rig) http.Handler { return r.HandlerFunc(set) }, nil,
			func(o *session.Options) { o.Transport = session.Header("X-Session") }},
		"a bearer beside the cookie": {"/", func(r *rig) http.Handler { return r.HandlerFunc(set) },
			headed("Authorization", "Bearer x"), func(o *session.Options) {
				o.Transport = session.Transports(nil, session.Bearer("X-Session"))
			}},
	} {
		t.Run(name, func(t *testing.T) {
			var log logged
			r := below(t, &log, "/foo/bar", func(o *session.Options) {
				if c.change != nil {
					c.change(o)
				}
			})
			overBothAt(t, c.handler(r), c.path, c.headers, func(resp *http.Response) {
				if resp.StatusCode != 200 {
					t.Errorf("answered %d, and the log is\n%s", resp.StatusCode, log.text())
				}
			})
		})
	}
}

// Outside of a request there is no path.
func TestOpenHasNoPath(t *testing.T) {
	var log logged
	r := below(t, &log, "/foo/")
	s, err := r.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	s.Set("x", 1)
	if err := s.Save(t.Context()); err != nil || strings.Contains(log.text(), "Cookie.Path") {
		t.Error(fmt.Sprint(err, log.text()))
	}
}
