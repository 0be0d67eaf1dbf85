package gorillastore_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gorilla/sessions"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/gorillastore"
)

// below puts the middleware of the manager, and whatever is to stand in front of it, around all pages.
func (s *site) below(front func(http.Handler) http.Handler) {
	s.server.Config.Handler = front(s.sessions.Middleware(s.mux))
}

func asItIs(h http.Handler) http.Handler { return h }

func TestTheSessionOfTheNameIsTheManagers(t *testing.T) {
	s := open(t, gorillastore.Options{Name: "app", User: userOf})
	s.below(asItIs)
	s.handle("/login", func(g *sessions.Session) { g.Values["user"], g.Values["cart"] = "ada", cart{Total: 1} })
	s.mux.HandleFunc("/both", func(w http.ResponseWriter, r *http.Request) {
		n, err := session.Load(r.Context())
		if err != nil || n.User() != "ada" {
			t.Errorf("the new page has %q, %v", n.User(), err)
		}
		n.Set("new", 1)
		g, err := s.store.Get(r, "app")
		if err != nil || g.Values["new"] != 1 || gorillastore.Of(g) != n {
			t.Errorf("the old page has %v, %v", g.Values, err)
		}
		g.Values["old"] = 2
		if err := g.Save(r, w); err != nil {
			t.Error(err)
		}
	})
	s.mux.HandleFunc("/two", func(w http.ResponseWriter, r *http.Request) {
		g, err := s.store.Get(r, "two")
		if err != nil || len(g.Values) != 0 {
			t.Errorf("a session of another name has %v, %v", g.Values, err)
		}
	})
	s.handle("/logout", func(g *sessions.Session) { g.Options.MaxAge = -1 })

	b := s.browser()
	if c := b.wantSaved("/login").Cookies(); len(c) != 1 || c[0].Name != "__Host-Http-session" || !c[0].HttpOnly {
		t.Errorf("the login sets %v, want the cookie of the manager", c)
	}
	if resp, _ := b.get("/both"); len(resp.Cookies()) != 0 {
		t.Errorf("a save without a new ticket sets %v", resp.Cookies())
	}
	b.get("/two")
	s.mux.HandleFunc("/check", func(_ http.ResponseWriter, r *http.Request) {
		n, err := session.Load(r.Context())
		if err != nil || n.Get("new") != int64(1) || n.Get("old") != int64(2) {
			t.Errorf("the session has %v, %v", n.All(), err)
		}
	})
	b.get("/check")
	if c := b.wantSaved("/logout").Cookies(); len(c) != 1 || c[0].MaxAge != -1 || s.stored() != 0 {
		t.Errorf("the logout sets %v, and %d sessions are stored", c, s.stored())
	}
}

// So does package takeover bring along who was signed in.
func TestASessionThatTheRequestFallsBackToIsGorillasToo(t *testing.T) {
	s := open(t, gorillastore.Options{Name: "app", User: userOf})
	values := map[string]any{"user": "ada", "n": 7, "cart": cart{Items: []string{"hat"}}, "gone": make(chan int)}
	if err := gorillastore.Encode(values); err == nil || len(values) != 4 {
		t.Errorf("Encode = %v, want an error that names a key", err)
	}
	delete(values, "gone")
	moved, err := s.sessions.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	moved.Login("ada")
	for key, v := range values {
		moved.Set(key, v)
	}
	if err := moved.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.below(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(w, s.sessions.Fallback(r, func(context.Context) (string, error) { return moved.Token(), nil },
				nil))
		})
	})
	s.handle("/", func(g *sessions.Session) {
		c, _ := g.Values["cart"].(cart)
		if g.Values["user"] != "ada" || g.Values["n"] != 7 || len(c.Items) != 1 || g.IsNew {
			t.Errorf("the session has %v", g.Values)
		}
		g.Values["n"] = 8
	})
	if c := s.browser().wantSaved("/").Cookies(); len(c) != 1 || s.stored() != 1 {
		t.Errorf("the response sets %v, and %d sessions are stored", c, s.stored())
	}
}

// wantsPrefs is a middleware of the site that has a gorilla session of its own.
func (s *site) wantsPrefs(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := s.store.Get(r, "prefs"); err != nil {
			s.Error(err)
		}
		h.ServeHTTP(w, r)
	})
}

func TestTheSessionOfTheNameIsTheManagersBelowMiddlewareThatUsesGorilla(t *testing.T) {
	s := open(t, gorillastore.Options{Name: "app", User: userOf})
	s.below(s.wantsPrefs)
	s.rewritten("/login", func(n *session.Session) { n.Login("ada"); n.Set("user", "ada") })
	s.handle("/old", func(g *sessions.Session) {
		if g.Values["user"] != "ada" || gorillastore.Of(g).User() != "ada" {
			t.Errorf("the old page has %v", g.Values)
		}
		g.Values["n"] = 1
	})
	b := s.browser()
	b.get("/login")
	if c := b.wantSaved("/old").Cookies(); len(c) != 0 || s.stored() != 1 {
		t.Errorf("the old page sends %v, and %d sessions are stored", c, s.stored())
	}
}

func TestTheSessionOfTheNameIsNoneOutsideTheMiddleware(t *testing.T) {
	s := open(t, gorillastore.Options{Name: "app", User: userOf})
	r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
	g, err := s.store.Get(r, "app")
	if !errors.Is(err, session.ErrNoMiddleware) {
		t.Errorf("Get = %v, want ErrNoMiddleware", err)
	}
	g.Values["user"] = "ada"
	if err := g.Save(r, w); !errors.Is(err, session.ErrNoMiddleware) || len(w.Header()) != 0 || s.stored() != 0 {
		t.Errorf("Save = %v with the header %v, and %d sessions are stored", err, w.Header(), s.stored())
	}
}

func TestTheCookieOfTheManagerIsTheSessionOfTheNameAnywhere(t *testing.T) {
	s := open(t, gorillastore.Options{Name: "app"}, func(o *session.Options) { o.Cookie.Name = "app" })
	cookie, _ := s.saved("app")
	if s.server.Config.Handler = s.sessions.Middleware(s.mux); !opens(t, s.store, "app", cookie) {
		t.Error("the session does not open")
	}
	s.rewritten("/new", func(n *session.Session) {
		if n.Get("user") != "ada" {
			t.Errorf("the new page has %v", n.All())
		}
	})
	b := s.browser()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+"/new", nil)
	req.Header.Set("Cookie", "app="+cookie)
	resp, err := b.Do(req)
	if err != nil || resp.Body.Close() != nil {
		t.Fatal(err)
	}
}
