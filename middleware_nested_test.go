package session_test

import (
	"context"
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

// What one visitor's request falls back to is not for a part of the batch with another ticket, unless it was added for
// that part.
func TestAPartFallsBackToNothingOfTheOuterRequest(t *testing.T) {
	for name, ticketOf := range map[string]func(r *rig) string{
		"an anonymous one": func(r *rig) string {
			v := r.visitor()
			v.with(fillCart)
			return v.ticket()
		},
		"a forged one": func(r *rig) string { return flip(r.visitor().ticketOf("bob"), 50) },
		"an unknown one": func(r *rig) string {
			v, id := r.signIn("bob")
			r.revoked(id)
			return v.ticket()
		},
	} {
		for _, path := range []string{"/batch", "/skipped"} {
			r := newRig(t, func(o *session.Options) {
				o.Skip = func(req *http.Request) bool { return req.URL.Path == "/skipped" }
			})
			adas, carls := r.visitor().ticketOf("ada"), r.visitor().ticketOf("carl")
			for want, added := range map[string]string{"": "", "carl": carls} {
				got := r.userOfPart(path, adas, ticketOf(r), added)
				if got != want {
					t.Errorf("%s in %s: the part is of %q, want %q", name, path, got, want)
				}
			}
		}
	}
}

// userOfPart is whose session a part with a ticket has. The request around it has that to which it falls back, and so
// may the part. A batch that has no session itself is a part of it with a ticket of its own.
func (r *rig) userOfPart(path, outer, ticket, inner string) (user string) {
	part := r.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { user = s.User() })
	batch := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		sub := partOf(req, "/part", ticket)
		if inner != "" {
			sub = r.fallingTo(sub, inner)
		}
		part.ServeHTTP(w, sub)
	})
	whole := r.HandlerFunc(func(w http.ResponseWriter, req *http.Request, s *session.Session) {
		if s.User() != "ada" {
			r.t.Errorf("the outer request is of %q", s.User())
		}
		if path == "/skipped" {
			req = partOf(req, path, "any")
		}
		r.Middleware(batch).ServeHTTP(w, req)
	})
	whole.ServeHTTP(httptest.NewRecorder(), r.fallingTo(httptest.NewRequest("POST", "/batch", nil), outer))
	return user
}

// partOf is a request within another one.
func partOf(outer *http.Request, path, ticket string) *http.Request {
	r := httptest.NewRequestWithContext(outer.Context(), "POST", "https://app.example.com"+path, nil)
	r.Header.Set("Cookie", newName+"="+ticket)
	return r
}

// fallingTo has a request fall back to a ticket.
func (r *rig) fallingTo(req *http.Request, ticket string) *http.Request {
	return r.Fallback(req, func(context.Context) (string, error) { return ticket, nil }, nil)
}

// ticketOf is the ticket of the visitor, who signs in.
func (v *visitor) ticketOf(user string) string {
	v.with(func(s *session.Session) { s.Login(user) })
	return v.ticket()
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
