package gorillastore_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/gorilla/sessions"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/gorillastore"
)

// What gorilla's own tests ask of a store, in our words.

func TestFlashesAreThereOnceUnderTheirKeys(t *testing.T) {
	s := open(t, gorillastore.Options{})
	s.handle("/add", func(g *sessions.Session) {
		if f := g.Flashes(); len(f) != 0 {
			t.Errorf("a new session has the flashes %v", f)
		}
		g.AddFlash("a")
		g.AddFlash(&cart{Total: 3})
		g.AddFlash("c", "other")
	})
	s.handle("/read", func(g *sessions.Session) {
		if f := g.Flashes(); !reflect.DeepEqual(f, []any{"a", cart{Total: 3}}) {
			t.Errorf("the flashes are %#v", f)
		}
		if f := g.Flashes(); len(f) != 0 {
			t.Errorf("the flashes are there twice: %v", f)
		}
		if f := g.Flashes("other"); !reflect.DeepEqual(f, []any{"c"}) {
			t.Errorf("the flashes of the other key are %v", f)
		}
	})
	s.handle("/later", func(g *sessions.Session) {
		if len(g.Flashes()) != 0 || len(g.Flashes("other")) != 0 {
			t.Error("flashes come back")
		}
	})
	b := s.browser()
	b.wantSaved("/add")
	b.wantSaved("/read")
	b.wantSaved("/later")
}

func TestACopyOfTheRequestHasTheSameSession(t *testing.T) {
	s := open(t, gorillastore.Options{})
	r := httptest.NewRequest("GET", "/", nil)
	first, _ := s.store.Get(r, "app")
	first.Values["a"] = 1
	second, err := s.store.Get(r.WithContext(r.Context()), "app")
	if second != first || err != nil || second.IsNew != true {
		t.Errorf("the copy has %v, %v; want the session of the request", second, err)
	}
	if other, _ := s.store.New(r, "app"); other == first {
		t.Error("New gives the session that there is")
	}
}

func TestANameThatIsNoCookieIsRefused(t *testing.T) {
	s := open(t, gorillastore.Options{})
	if _, err := s.store.Get(httptest.NewRequest("GET", "/", nil), "session:key"); err == nil {
		t.Error("a name with a colon is taken")
	}
}

func TestASessionHasOptionsOfItsOwn(t *testing.T) {
	s := open(t, gorillastore.Options{})
	g, err := s.store.New(httptest.NewRequest("GET", "/", nil), "app")
	if err != nil {
		t.Fatal(err)
	}
	if s.store.Options.Path = "/later"; g.Options.Path != "/" {
		t.Errorf("the session has the path %q", g.Options.Path)
	}
}

func TestASessionMadeByHandIsANewOne(t *testing.T) {
	s := open(t, gorillastore.Options{})
	g := sessions.NewSession(s.store, "app")
	r, w := requestWith("app", "v1.x"), httptest.NewRecorder()
	for i := range 3 {
		g.Values["a"] = i
		if err := g.Save(r, w); err != nil {
			t.Fatal(err)
		}
	}
	if s.stored() != 1 || len(w.Result().Cookies()) != 1 || g.ID == "" {
		t.Errorf("%d sessions are stored, with the cookies %v", s.stored(), w.Result().Cookies())
	}
	g.Options.MaxAge = -1
	if err := g.Save(r, w); err != nil || s.stored() != 0 {
		t.Errorf("Save = %v, and %d sessions are stored; want it ended", err, s.stored())
	}
	if err := g.Save(r, w); err != nil || s.stored() != 0 {
		t.Errorf("to end it again: %v, and %d sessions are stored", err, s.stored())
	}
}

func TestWhatIsTooLargeIsRefusedUntilItIsSmaller(t *testing.T) {
	s := open(t, gorillastore.Options{}, func(o *session.Options) { o.MaxBytes = 4096 })
	r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
	g, _ := s.store.Get(r, "app")
	g.Values["big"] = make([]byte, 5000)
	if err := g.Save(r, w); !errors.Is(err, session.ErrTooLarge) || len(w.Header()) != 0 {
		t.Errorf("Save = %v with the header %v, want ErrTooLarge", err, w.Header())
	}
	g.Values["big"] = make([]byte, 500)
	if err := g.Save(r, w); err != nil || len(w.Result().Cookies()) != 1 {
		t.Errorf("Save = %v with the cookies %v", err, w.Result().Cookies())
	}
}

func TestWhatGobDoesNotKnowIsNamed(t *testing.T) {
	s := open(t, gorillastore.Options{})
	type unknown struct{ A int }
	for name, values := range map[string]map[any]any{
		"value": {"a": unknown{1}}, "key": {unknown{2}: 1}, "channel": {"a": make(chan int)},
		"map whose keys JSON would change": {"a": map[string]any{"\xfe": 1, "\xff": 2}},
	} {
		g, _ := s.store.New(httptest.NewRequest("GET", "/", nil), "app")
		g.Values = values
		err := g.Save(httptest.NewRequest("GET", "/", nil), httptest.NewRecorder())
		if err == nil || s.stored() != 0 {
			t.Errorf("%s: Save = %v, and %d sessions are stored; want a refusal", name, err, s.stored())
		}
		if name == "value" && !strings.Contains(err.Error(), `"a"`) {
			t.Errorf("the error %q does not name the key", err)
		}
	}
}

func TestTwoNamesAreTwoSessions(t *testing.T) {
	s := open(t, gorillastore.Options{})
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"a", "b"} {
			g, err := s.store.Get(r, name)
			if v := g.Values["name"]; err != nil || v != nil && v != name {
				t.Errorf("the session %s has %v, %v", name, v, err)
			}
			g.Values["name"] = name
		}
		if err := sessions.Save(r, w); err != nil {
			t.Error(err)
		}
	})
	b := s.browser()
	if resp, _ := b.get("/"); len(resp.Cookies()) != 2 {
		t.Errorf("the cookies are %v", resp.Cookies())
	}
	if b.get("/"); s.stored() != 2 {
		t.Errorf("%d sessions are stored", s.stored())
	}
}

// begunOutside is a request with a cookie, in which a middleware has asked for another session, and a helper for this
// one in a copy of the request.
func (s *site) begunOutside(cookie string) *http.Request {
	s.Helper()
	r := requestWith("app", cookie)
	_, err := s.store.Get(r, "prefs")
	_, ofCopy := s.store.Get(r.WithContext(s.Context()), "none")
	_, ofHelper := s.store.Get(r.WithContext(context.WithValue(r.Context(), key(1), 1)), "app")
	if err := errors.Join(err, ofCopy, ofHelper); err != nil {
		s.Fatal(err)
	}
	return r
}

func TestASessionThatACopyOfTheRequestHasLoadedEnds(t *testing.T) {
	s := open(t, gorillastore.Options{User: userOf})
	cookie, _ := s.saved("app")
	r, w := s.begunOutside(cookie), httptest.NewRecorder()
	g, err := s.store.Get(r, "app")
	if err != nil || g.Values["user"] != "ada" {
		t.Fatalf("the session has %v, %v", g.Values, err)
	}
	g.Options.MaxAge = -1
	err = g.Save(r, w)
	if c := w.Result().Cookies(); err != nil || s.stored() != 0 || len(c) != 1 || c[0].MaxAge != -1 {
		t.Errorf("Save = %v, with the cookies %v, and %d sessions are stored; want none", err, c, s.stored())
	}
}

func TestASessionThatACopyOfTheRequestHasLoadedIsNotDoubled(t *testing.T) {
	s := open(t, gorillastore.Options{User: userOf})
	cookie, _ := s.saved("app")
	r := s.begunOutside(cookie)
	g, _ := s.store.Get(r, "app")
	g.Values["n"] = 1
	err := g.Save(r, httptest.NewRecorder())
	if next := s.tab(cookie); err != nil || s.stored() != 1 || next.Values["n"] != 1 {
		t.Errorf("Save = %v, %d sessions are stored, and the next request has %v", err, s.stored(), next.Values)
	}
}

// A site may make its store in two places.
func TestASessionEndsByAnotherStoreOnTheManager(t *testing.T) {
	s := open(t, gorillastore.Options{User: userOf})
	second, err := gorillastore.New(s.sessions, gorillastore.Options{User: userOf})
	if err != nil {
		t.Fatal(err)
	}
	for way, leave := range map[string]func(*http.Request, *sessions.Session) error{
		"Get": func(r *http.Request, _ *sessions.Session) error {
			g, _ := second.Get(r, "app")
			g.Options.MaxAge = -1
			return g.Save(r, httptest.NewRecorder())
		},
		"Save": func(r *http.Request, g *sessions.Session) error {
			g.Options.MaxAge = -1
			return second.Save(r, httptest.NewRecorder(), g)
		},
	} {
		cookie, _ := s.saved("app")
		r := requestWith("app", cookie)
		g, _ := s.store.Get(r, "app")
		if err := leave(r, g); err != nil || s.stored() != 0 {
			t.Errorf("%s: %v, and %d sessions are stored", way, err, s.stored())
		}
	}
}
