package session_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coatcheck/session"
)

// A batch: a request within a request is its own visitor's when it brings a ticket, and the outer one's when it brings
// none.
func TestARequestWithinARequestHasItsOwnSession(t *testing.T) {
	for name, c := range map[string]struct {
		cookie func(ada, bob string) string
		want   string
		sent   bool // the inner response has a cookie
	}{
		"another ticket":  {func(_, bob string) string { return newName + "=" + bob }, "bob", true},
		"the same ticket": {func(ada, _ string) string { return "theme=dark; " + newName + "=" + ada }, "ada", false},
		"no ticket":       {func(_, _ string) string { return "theme=dark" }, "ada", false},
		"a forged ticket": {func(_, bob string) string { return newName + "=" + flip(bob, 50) }, "", true},
		"two tickets": {func(ada, bob string) string { return newName + "=" + bob + "; " + newName + "=" + ada },
			"", true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			ada, bob := r.visitor(), r.visitor()
			ada.with(func(s *session.Session) { s.Login("ada") })
			bob.with(func(s *session.Session) { s.Login("bob") })
			inner := r.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
				s.Set("by", s.User())
				s.Regenerate()
			})
			part, cookie := httptest.NewRecorder(), c.cookie(ada.ticket(), bob.ticket())
			ada.do(func(_ http.ResponseWriter, req *http.Request, s *session.Session) {
				sub := httptest.NewRequestWithContext(req.Context(), "POST", "https://app.example.com/part", nil)
				sub.Header.Set("Cookie", cookie)
				s.Set("outer", 1)
				inner.ServeHTTP(part, sub)
				if s.Has("by") != (c.want == "ada") || s.User() != "ada" {
					t.Errorf("outer data %v, user %q", s.All(), s.User())
				}
			})
			cookies := part.Result().Cookies()
			if len(cookies) > 0 != c.sent {
				t.Fatalf("the inner response has %d cookies", len(cookies))
			}
			for _, cookie := range cookies {
				s, err := r.Open(t.Context(), cookie.Value)
				if err != nil || s.User() != c.want || s.Get("by") != c.want || s.Has("outer") {
					t.Errorf("inner user %q, data %v, %v", s.User(), s.All(), err)
				}
			}
		})
	}
}

// The same request in another http.Request, as http.StripPrefix makes one, has one session and one response.
func TestTheSameRequestAgainHasTheSameSession(t *testing.T) {
	for name, o := range map[string]func(*session.Options){
		"cookie": func(*session.Options) {}, "renamed": named(newName, oldName),
		"header": func(o *session.Options) { o.Transport = session.Header("X-Session") },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, o)
			s, err := r.Open(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			s.Login("ada")
			if err := s.Save(t.Context()); err != nil {
				t.Fatal(err)
			}
			r.store.reset()
			req := httptest.NewRequest("GET", "https://app.example.com/api/x", nil)
			req.Header.Set("Cookie", newName+"="+s.Token())
			req.Header.Set("X-Session", s.Token())
			w := httptest.NewRecorder()
			h := r.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
				s.Set("x", s.User())
			})
			r.Middleware(http.StripPrefix("/api", http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				h.ServeHTTP(w, req.Clone(req.Context()))
			}))).ServeHTTP(w, req)
			if r.store.count("load") != 1 || r.store.count("save") != 1 || r.sees(s.Token()) != "ada" {
				t.Errorf("%d loads, %d saves", r.store.count("load"), r.store.count("save"))
			}
		})
	}
}

// A part of a batch that Skip names has no session, not even that of whoever sent the batch.
func TestAPartThatIsSkippedHasNoSession(t *testing.T) {
	r := newRig(t, func(o *session.Options) {
		o.Skip = func(req *http.Request) bool { return req.URL.Path == "/part" }
	})
	ada, bob := r.visitor(), r.visitor()
	ada.with(func(s *session.Session) { s.Login("ada") })
	bob.with(func(s *session.Session) { s.Login("bob") })
	reached := 0
	look := func(_ http.ResponseWriter, req *http.Request, s *session.Session) {
		reached++
		if _, err := r.Load(req.Context()); !errors.Is(err, session.ErrNoMiddleware) {
			t.Errorf("Manager.Load = %v, want ErrNoMiddleware", err)
		}
		if s != nil && s.User() != "" {
			t.Errorf("it has the session of %q", s.User())
		}
		if s != nil {
			s.Set("by", "the part")
		}
	}
	for name, inner := range map[string]http.Handler{
		"HandlerFunc": r.HandlerFunc(look),
		"Preload": r.Preload(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			look(w, req, session.From(req.Context()))
		})),
		"Middleware": r.Middleware(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if _, err := session.Load(req.Context()); !errors.Is(err, session.ErrNoMiddleware) {
				t.Errorf("Load = %v, want ErrNoMiddleware", err)
			}
			look(w, req, nil)
		})),
	} {
		t.Run(name, func(t *testing.T) {
			ada.do(func(_ http.ResponseWriter, req *http.Request, s *session.Session) {
				sub := httptest.NewRequestWithContext(req.Context(), "POST", "https://app.example.com/part", nil)
				sub.Header.Set("Cookie", newName+"="+bob.ticket())
				inner.ServeHTTP(httptest.NewRecorder(), sub)
				if s.User() != "ada" || s.Has("by") {
					t.Errorf("the session around it is of %q, with %v", s.User(), s.All())
				}
			})
		})
	}
	if reached != 3 {
		t.Errorf("%d parts were reached, want 3", reached)
	}
}
