package gorillastore_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gorilla/sessions"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/gorillastore"
)

// rewritten adds a page that knows the manager alone.
func (s *site) rewritten(path string, fn func(n *session.Session)) {
	s.mux.HandleFunc(path, func(_ http.ResponseWriter, r *http.Request) {
		n, err := session.Load(r.Context())
		if err != nil {
			s.Error(err)
		}
		fn(n)
	})
}

// signedIn counts the sessions of a user.
func (s *site) signedIn(user string) int {
	s.Helper()
	infos, err := s.sessions.Sessions(s.Context(), user)
	if err != nil {
		s.Error(err)
	}
	return len(infos)
}

func TestWhoARewrittenPageSignsInStaysSignedIn(t *testing.T) {
	s := open(t, gorillastore.Options{Name: "app", User: userOf})
	s.below(asItIs)
	s.rewritten("/login", func(n *session.Session) { n.Login("ada") })
	s.handle("/old", func(g *sessions.Session) { g.Values["n"] = 1 })
	s.handle("/bob", func(g *sessions.Session) { g.Values["user"] = "bob" })
	s.handle("/nobody", func(g *sessions.Session) { delete(g.Values, "user") })
	s.handle("/logout", func(g *sessions.Session) { g.Options.MaxAge = -1 })
	b := s.browser()
	b.get("/login")
	for range 2 {
		if b.wantSaved("/old"); s.signedIn("ada") != 1 {
			t.Fatal("a page that does not know of users signs out")
		}
	}
	if b.wantSaved("/bob"); s.signedIn("ada") != 0 || s.signedIn("bob") != 1 {
		t.Error("a page whose values name another user does not sign that user in")
	}
	if b.wantSaved("/nobody"); s.signedIn("bob") != 0 {
		t.Error("a page that takes the user out of the values does not sign out")
	}
	b.get("/login")
	if b.wantSaved("/logout"); s.signedIn("ada") != 0 || s.stored() != 0 {
		t.Error("a page that ends the session does not sign out")
	}
}

func TestWhatOfDoesToTheUserStays(t *testing.T) {
	s := open(t, gorillastore.Options{User: userOf})
	s.handle("/login", func(g *sessions.Session) { g.Values["user"] = "ada" })
	s.handle("/bob", func(g *sessions.Session) { gorillastore.Of(g).Login("bob") })
	s.handle("/old", func(g *sessions.Session) { g.Values["n"] = 1 })
	s.mux.HandleFunc("/logout", func(w http.ResponseWriter, r *http.Request) {
		g, _ := s.store.Get(r, "app")
		gorillastore.Of(g).Logout()
		for range 3 {
			g.AddFlash("goodbye")
			if err := g.Save(r, w); err != nil {
				t.Error(err)
			}
		}
	})
	b := s.browser()
	b.wantSaved("/login")
	b.wantSaved("/bob")
	if b.wantSaved("/old"); s.signedIn("bob") != 1 || s.signedIn("ada") != 0 {
		t.Errorf("bob has %d sessions, ada %d", s.signedIn("bob"), s.signedIn("ada"))
	}
	b.wantSaved("/login")
	b.get("/logout")
	if b.wantSaved("/old"); s.signedIn("ada") != 0 || s.signedIn("bob") != 0 {
		t.Errorf("after a logout bob has %d sessions, ada %d", s.signedIn("bob"), s.signedIn("ada"))
	}
}

// unbound is a session whose values name ada, of a time when the site did not say who is signed in.
func (s *site) unbound() (value string) {
	s.Helper()
	before, err := gorillastore.New(s.sessions, gorillastore.Options{})
	if err != nil {
		s.Fatal(err)
	}
	r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
	g, _ := before.Get(r, "app")
	if g.Values["user"] = "ada"; g.Save(r, w) != nil || gorillastore.Of(g).User() != "" {
		s.Fatal("the session cannot be made")
	}
	return w.Result().Cookies()[0].Value
}

func TestValuesThatNameSomebodySignInASessionOfNobody(t *testing.T) {
	s := open(t, gorillastore.Options{User: userOf})
	r, w := requestWith("app", s.unbound()), httptest.NewRecorder()
	g, _ := s.store.Get(r, "app")
	if err := g.Save(r, w); err != nil || s.signedIn("ada") != 1 {
		t.Errorf("Save = %v, and ada has %d sessions, want 1", err, s.signedIn("ada"))
	}
}

func TestALogoutOfASessionOfNobodyIsNoSignIn(t *testing.T) {
	s := open(t, gorillastore.Options{User: userOf})
	for _, saveBefore := range []bool{false, true} {
		r, w := requestWith("app", s.unbound()), httptest.NewRecorder()
		g, _ := s.store.Get(r, "app")
		behind := gorillastore.Of(g)
		behind.Logout()
		behind.Set("status", "goodbye")
		if saveBefore {
			if err := behind.Save(t.Context()); err != nil {
				t.Error(err)
			}
		}
		for range 2 {
			if err := g.Save(r, w); err != nil || s.signedIn("ada") != 0 {
				t.Errorf("Save = %v, and ada has %d sessions, want none", err, s.signedIn("ada"))
			}
		}
	}
}

// Package takeover has turned a key that is not a string into one.
func TestWhoWasBroughtAlongUnderAnotherKeyStaysSignedIn(t *testing.T) {
	s := open(t, gorillastore.Options{Name: "app", User: func(values map[any]any) string {
		user, _ := values[key(7)].(string)
		return user
	}})
	s.below(asItIs)
	s.rewritten("/moved", func(n *session.Session) { n.Login("ada"); n.Set("7", "ada") })
	s.handle("/old", func(g *sessions.Session) { g.Values["n"] = 1 })
	b := s.browser()
	b.get("/moved")
	if b.wantSaved("/old"); s.signedIn("ada") != 1 {
		t.Error("the first old page signs out")
	}
}

func TestASecondSaveSignsOutWhomTheFirstSignedIn(t *testing.T) {
	s := open(t, gorillastore.Options{User: userOf})
	r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
	g, _ := s.store.Get(r, "app")
	for _, user := range []string{"ada", "", "bob", "bob"} {
		if g.Values["user"] = user; user == "" {
			delete(g.Values, "user")
		}
		g.Values["theme"] = "dark"
		err := g.Save(r, w)
		if was := gorillastore.Of(g).User(); err != nil || was != user || s.stored() != 1 {
			t.Errorf("Save = %v, the session is of %q, want %q, and %d are stored", err, was, user, s.stored())
		}
	}
}
