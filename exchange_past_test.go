package session_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/coatcheck/session"
)

// ownWriter is the writer of a framework whose handlers have it from elsewhere, as those of gin have c.Writer.
type ownWriter struct {
	http.ResponseWriter
	written bool
}

func (w *ownWriter) Written() bool { return w.written }

func (w *ownWriter) WriteHeader(status int) {
	w.written = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *ownWriter) Write(p []byte) (int, error) {
	w.written = true
	return w.ResponseWriter.Write(p)
}

// within runs middleware inside such a framework: the handler is not given the middleware's writer.
func insideFramework(m func(http.Handler) http.Handler, h func(w http.ResponseWriter, r *http.Request)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		own := &ownWriter{ResponseWriter: w}
		m(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { h(own, r) })).ServeHTTP(own, r)
	})
}

func TestAResponsePastMiddlewareIsAnErrorThatSaysWhatToDo(t *testing.T) {
	for name, do := range map[string]func(s *session.Session) error{
		"set":            func(s *session.Session) error { s.Set("x", 1); return nil },
		"login":          func(s *session.Session) error { s.Login("ada"); return nil },
		"set and logout": func(s *session.Session) error { s.Set("x", 1); s.Logout(); s.Set("y", 1); return nil },
	} {
		for use := range 2 {
			t.Run(fmt.Sprint(name, use), func(t *testing.T) {
				var log logged
				r := newRig(t, log.to)
				m := []func(http.Handler) http.Handler{r.Middleware, r.Preload}[use]
				overBoth(t, insideFramework(m, func(w http.ResponseWriter, req *http.Request) {
					if err := do(session.From(req.Context())); err != nil {
						t.Error(err)
					}
					fmt.Fprint(w, "hello")
				}), "", func(t *testing.T, resp *http.Response, _ string) {
					if len(resp.Cookies()) != 0 {
						t.Errorf("the ticket came: %v", resp.Cookies())
					}
				})
				if n := len(r.listed(t)); n != 0 {
					t.Errorf("%d sessions are stored that nobody has the ticket of", n)
				}
				if !log.has("ERROR", "ginsession", "Middleware") || r.ev.count(session.EventLate) == 0 {
					t.Errorf("the log is\n%s", log.text())
				}
			})
		}
	}
}

// What is stored already is told as well, and what needs no ticket is no error.
func TestWhatNeedsNoTicketGoesPastMiddleware(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(s *session.Session) error
		fail bool
	}{
		"read":       {func(s *session.Session) error { s.Get("x"); return nil }, false},
		"set":        {func(s *session.Session) error { s.Set("x", 2); return nil }, false},
		"saved":      {func(s *session.Session) error { s.Set("x", 2); return s.Save(t.Context()) }, false},
		"regenerate": {func(s *session.Session) error { s.Regenerate(); return s.Save(t.Context()) }, true},
		"late":       {func(s *session.Session) error { s.Regenerate(); return nil }, true},
	} {
		t.Run(name, func(t *testing.T) {
			var log logged
			r := newRig(t, log.to)
			v := r.visitor()
			v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
			resp := v.through(insideFramework(r.Middleware, func(w http.ResponseWriter, req *http.Request) {
				if err := c.do(session.From(req.Context())); err != nil {
					t.Error(err)
				}
				w.WriteHeader(http.StatusNoContent)
			}), "GET")
			if got := log.has("ERROR", "ginsession"); got != c.fail || resp.StatusCode != 204 {
				t.Errorf("answered %d, and the log is\n%s", resp.StatusCode, log.text())
			}
			want := any(int64(2))
			if name == "read" || c.fail {
				want = int64(1)
			}
			if name != "regenerate" && !sees(v, func(s *session.Session) bool { return s.Get("x") == want }) {
				t.Error("the session has another value")
			}
		})
	}
}

// A framework that writes only when its handlers have returned loses nothing.
func TestAFrameworkThatWritesLateHasTheTicket(t *testing.T) {
	r := newRig(t)
	h := insideFramework(r.Middleware, func(w http.ResponseWriter, req *http.Request) {
		session.From(req.Context()).Set("x", 1)
		w.Header().Set("X-Later", "1")
	})
	overBoth(t, h, "", func(t *testing.T, resp *http.Response, _ string) {
		if c := resp.Cookies(); len(c) != 1 || r.sees(c[0].Value) != int64(1) {
			t.Errorf("the cookies are %v", c)
		}
	})
}
