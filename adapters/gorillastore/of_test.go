package gorillastore_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gorilla/sessions"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/gorillastore"
)

func TestOfIsTheSessionBehind(t *testing.T) {
	s := open(t, gorillastore.Options{})
	s.handle("/login", func(g *sessions.Session) {
		g.Values["theme"] = "dark"
		gorillastore.Of(g).Login("ada")
		gorillastore.Of(g).Set("by.path", "x")
	})
	s.handle("/check", func(g *sessions.Session) {
		behind := gorillastore.Of(g)
		if behind.User() != "ada" || behind.Get("theme") != "dark" || behind.Get("by.path") != "x" {
			t.Errorf("the session behind is of %q, with %v", behind.User(), behind.All())
		}
		if behind.ID() != g.ID {
			t.Errorf("the session has the ID %q, the one behind %q", g.ID, behind.ID())
		}
	})
	s.handle("/logout", func(g *sessions.Session) { gorillastore.Of(g).Logout() })
	b := s.browser()
	b.wantSaved("/login")
	b.wantSaved("/check")
	if resp := b.wantSaved("/logout"); len(resp.Cookies()) != 1 || resp.Cookies()[0].MaxAge != -1 || s.stored() != 0 {
		t.Errorf("the logout answers with %v, and %d sessions are stored", resp.Cookies(), s.stored())
	}
}

func TestOfIsNeverNil(t *testing.T) {
	s := open(t, gorillastore.Options{})
	other := sessions.NewCookieStore([]byte("0123456789abcdef0123456789abcdef"))
	for name, g := range map[string]*sessions.Session{
		"nil": nil, "another store's": sessions.NewSession(other, "app"),
		"made by hand": sessions.NewSession(s.store, "app"),
	} {
		behind := gorillastore.Of(g)
		if behind == nil {
			t.Fatalf("Of a session that is %s is nil", name)
		}
		behind.Set("a", 1)
		if err := behind.Save(t.Context()); err == nil || s.stored() != 0 {
			t.Errorf("Of a session that is %s: Save = %v, and %d are stored; want an error", name, err, s.stored())
		}
	}
}

func TestPagesOfTheManagerSeeTheSessionOfTheirCookie(t *testing.T) {
	s := open(t, gorillastore.Options{User: userOf}, func(o *session.Options) { o.Cookie.Name = "app" })
	s.handle("/old", func(g *sessions.Session) { g.Values["user"], g.Values["n"] = "ada", 1 })
	s.mux.Handle("/new", s.sessions.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, n *session.Session) {
		if n.User() != "ada" || n.GetOr("n", 0) != int64(1) {
			t.Errorf("the new page has %v", n.All())
		}
		n.Set("n", 2)
	}))
	s.handle("/again", func(g *sessions.Session) {
		if g.Values["n"] != 2 {
			t.Errorf("the old page has %v", g.Values)
		}
	})
	b := s.browser()
	b.wantSaved("/old")
	b.get("/new")
	b.wantSaved("/again")
}

// What this program does not know, an older one or a newer one does.
func TestAValueThatDoesNotDecodeStays(t *testing.T) {
	s := open(t, gorillastore.Options{})
	w := httptest.NewRecorder()
	g, _ := s.store.New(httptest.NewRequest("GET", "/", nil), "app")
	gorillastore.Of(g).Set("cart", map[string]any{"gob": "not decodable"})
	g.Values["a"] = 1
	if err := g.Save(httptest.NewRequest("GET", "/", nil), w); err != nil {
		t.Fatal(err)
	}
	r := requestWith("app", w.Result().Cookies()[0].Value)
	g, err := s.store.Get(r, "app")
	if _, there := g.Values["cart"]; there || g.Values["a"] != 1 || err != nil {
		t.Errorf("the session has %v, %v", g.Values, err)
	}
	g.Values["a"] = 2
	if err := g.Save(r, w); err != nil || !gorillastore.Of(g).Has("cart") {
		t.Errorf("Save = %v, and the value is gone", err)
	}
}

func TestAKeyReachesNothingOfTheLibrarys(t *testing.T) {
	s := open(t, gorillastore.Options{})
	s.handle("/set", func(g *sessions.Session) { g.Values["coatcheck:roles"] = "admin" })
	s.handle("/check", func(g *sessions.Session) {
		roles, given := session.Key[any]("coatcheck:roles").Get(gorillastore.Of(g))
		if g.Values["coatcheck:roles"] != "admin" || given {
			t.Errorf("the session has %v, and the roles %v", g.Values, roles)
		}
	})
	b := s.browser()
	b.wantSaved("/set")
	b.wantSaved("/check")
}

func TestNewRefusesANilManager(t *testing.T) {
	if _, err := gorillastore.New(nil, gorillastore.Options{}); err == nil {
		t.Error("New takes a nil manager")
	}
}
