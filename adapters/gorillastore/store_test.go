package gorillastore_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/sessions"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/gorillastore"
)

func TestValuesKeepTheirTypes(t *testing.T) {
	values := map[any]any{
		"string": "a", "empty": "", "bytes that are no text": "\xff", "bool": true, "int": 42, "nothing": nil,
		"int64": int64(42), "uint8": uint8(7), "float": 2.0, "bytes": []byte{1, 2}, "strings": []string{"a"},
		"list": []any{"a", 1, cart{Items: []string{"hat"}}}, "map": map[string]any{"a": 1, "b": []any{}},
		"cart":         cart{Items: []string{"hat"}, Total: 1.5},
		"a.dotted.key": "b", "": "no key", key(3): "of another type", 4: cart{}, "gob:x": 1,
	}
	s := open(t, gorillastore.Options{})
	s.handle("/set", func(g *sessions.Session) {
		for k, v := range values {
			g.Values[k] = v
		}
	})
	s.handle("/check", func(g *sessions.Session) {
		if !reflect.DeepEqual(g.Values, values) || g.IsNew {
			t.Errorf("the next request has %#v, want %#v", g.Values, values)
		}
	})
	b := s.browser()
	b.wantSaved("/set")
	b.wantSaved("/check")
}

func TestRequestsAtTheSameTimeKeepTheChangesOfBoth(t *testing.T) {
	s := open(t, gorillastore.Options{})
	inside, saved := make(chan bool), make(chan bool)
	s.handle("/first", func(g *sessions.Session) {
		g.Values["gone"], g.Values["cart"] = 1, cart{Total: 1}
		g.AddFlash("zero")
	})
	s.handle("/slow", func(g *sessions.Session) {
		inside <- true
		<-saved
		g.Values["slow"] = 1
		delete(g.Values, "gone")
		g.AddFlash("one")
	})
	s.handle("/fast", func(g *sessions.Session) {
		c := g.Values["cart"].(cart)
		c.Total = 2
		g.Values["cart"] = c
		g.AddFlash("two")
	})
	s.handle("/check", func(g *sessions.Session) {
		want := map[any]any{"slow": 1, "cart": cart{Total: 2}, "_flash": []any{"zero", "two", "one"}}
		if !reflect.DeepEqual(g.Values, want) {
			t.Errorf("the session has %v, want %v", g.Values, want)
		}
	})
	b := s.browser()
	b.wantSaved("/first")
	done := make(chan bool)
	go func() { b.wantSaved("/slow"); close(done) }()
	<-inside
	b.wantSaved("/fast")
	close(saved)
	<-done
	b.wantSaved("/check")
}

func TestALogoutIsFinal(t *testing.T) {
	s := open(t, gorillastore.Options{User: userOf})
	inside, loggedOut := make(chan bool), make(chan bool)
	s.handle("/login", func(g *sessions.Session) { g.Values["user"] = "ada" })
	s.handle("/slow", func(g *sessions.Session) { inside <- true; <-loggedOut; g.Values["slow"] = 1 })
	s.handle("/logout", func(g *sessions.Session) { g.Options.MaxAge = -1 })
	b := s.browser()
	b.wantSaved("/login")
	done := make(chan *http.Response)
	go func() { resp, _ := b.get("/slow"); done <- resp }()
	<-inside
	if resp := b.wantSaved("/logout"); len(resp.Cookies()) != 1 || resp.Cookies()[0].MaxAge != -1 {
		t.Errorf("the logout answers with the cookies %v", resp.Cookies())
	}
	close(loggedOut)
	if resp := <-done; resp.StatusCode != 500 || len(resp.Cookies()) != 0 || s.stored() != 0 {
		t.Errorf("%d with the cookies %v, and %d sessions are stored", resp.StatusCode, resp.Cookies(), s.stored())
	}
}

func TestTheUserSignsInAndOutWithTheValues(t *testing.T) {
	s := open(t, gorillastore.Options{User: userOf})
	var ids []string
	page := func(path, user string) {
		s.handle(path, func(g *sessions.Session) {
			ids = append(ids, g.ID)
			g.Values["user"], g.Values["theme"] = user, "dark"
			if user == "" {
				delete(g.Values, "user")
			}
		})
	}
	page("/visit", "")
	page("/ada", "ada")
	page("/bob", "bob")
	b := s.browser()
	for _, user := range []string{"ada", "bob"} {
		b.wantSaved("/visit")
		b.wantSaved("/" + user)
		infos, err := s.sessions.Sessions(t.Context(), user)
		if err != nil || len(infos) != 1 || infos[0].RemoteIP.String() != "127.0.0.1" || infos[0].UserAgent == "" {
			t.Errorf("Sessions(%q) = %+v, %v; want the one of the browser", user, infos, err)
		}
	}
	b.wantSaved("/ada")
	b.wantSaved("/bob")
	if n := s.stored(); n != 1 {
		t.Errorf("%d sessions are stored, want 1", n)
	}
	if n, err := s.sessions.RevokeUser(t.Context(), "bob"); n != 1 || err != nil {
		t.Errorf("RevokeUser = %d, %v", n, err)
	}
	b.wantSaved("/visit")
	seen := map[string]int{}
	for _, id := range ids {
		if seen[id]++; seen[id] > 1 && id != "" {
			t.Errorf("an id was kept over a sign-in: %q", ids)
		}
	}
}

func TestAUserNameThatIsRefusedChangesNothing(t *testing.T) {
	s := open(t, gorillastore.Options{User: userOf})
	s.handle("/login", func(g *sessions.Session) { g.Values["user"] = "a\x00b" })
	if resp, body := s.browser().get("/login"); resp.StatusCode != 500 || len(resp.Cookies()) != 0 || s.stored() != 0 {
		t.Errorf("%d %q with the cookies %v", resp.StatusCode, body, resp.Cookies())
	}
}

func TestAnOutageKeepsTheCookie(t *testing.T) {
	s := open(t, gorillastore.Options{})
	s.handle("/set", func(g *sessions.Session) { g.Values["a"] = 1 })
	s.handle("/again", func(g *sessions.Session) {
		if g.Values["a"] != 1 {
			t.Errorf("after the outage the session has %v", g.Values)
		}
	})
	b := s.browser()
	b.wantSaved("/set")
	s.records.down.Store(true)
	if resp, _ := b.get("/set"); resp.StatusCode != 500 || len(resp.Cookies()) != 0 {
		t.Errorf("%d with the cookies %v", resp.StatusCode, resp.Cookies())
	}
	g, err := s.store.New(requestWith("app", "v1.x"), "app")
	if g == nil || err == nil && g.Values == nil {
		t.Errorf("New = %v, %v; want a session whatever comes", g, err)
	}
	s.records.down.Store(false)
	b.wantSaved("/again")
}

func TestAnOutageIsAnErrorThatPeopleCanTell(t *testing.T) {
	s := open(t, gorillastore.Options{})
	w := httptest.NewRecorder()
	g, _ := s.store.New(httptest.NewRequest("GET", "/", nil), "app")
	g.Values["a"] = 1
	if err := g.Save(httptest.NewRequest("GET", "/", nil), w); err != nil {
		t.Fatal(err)
	}
	s.records.down.Store(true)
	r := requestWith("app", w.Result().Cookies()[0].Value)
	g, err := s.store.Get(r, "app")
	if g == nil || !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("Get = %v, %v; want ErrUnavailable", g, err)
	}
	behind := gorillastore.Of(g)
	behind.Login("ada")
	if err := behind.Save(t.Context()); !errors.Is(err, session.ErrUnavailable) || !errors.Is(behind.Err(), err) {
		t.Errorf("the session behind has the error %v, and Save returns %v; want ErrUnavailable", behind.Err(), err)
	}
	s.records.down.Store(false)
	g.Values["b"] = 1
	w = httptest.NewRecorder()
	if err := g.Save(r, w); !errors.Is(err, session.ErrUnavailable) || len(w.Header()) != 0 || s.stored() != 1 {
		t.Errorf("Save = %v with the header %v; want the error again, and nothing new", err, w.Header())
	}
}

func TestHostileCookiesAreNobody(t *testing.T) {
	s := open(t, gorillastore.Options{})
	for _, value := range []string{"", "v1.", "v1." + strings.Repeat("A", 43) + "." + strings.Repeat("A", 43), "\x00",
		strings.Repeat("a", 9000)} {
		g, err := s.store.New(requestWith("app", value), "app")
		if err != nil || !g.IsNew || len(g.Values) != 0 {
			t.Errorf("New = %v, %v for the cookie %.20q", g, err, value)
		}
	}
	w := httptest.NewRecorder()
	g, _ := s.store.New(httptest.NewRequest("GET", "/", nil), "app")
	g.Values["a"] = 1
	if err := g.Save(httptest.NewRequest("GET", "/", nil), w); err != nil {
		t.Fatal(err)
	}
	r := requestWith("app", w.Result().Cookies()[0].Value)
	r.AddCookie(&http.Cookie{Name: "app", Value: "planted"})
	if g, err := s.store.New(r, "app"); err != nil || !g.IsNew {
		t.Errorf("of two cookies one is believed: %v, %v", g, err)
	}
}

func requestWith(name, value string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", name+"="+value)
	return r
}

func TestNothingIsStoredForAVisitorWhoDidNothing(t *testing.T) {
	s := open(t, gorillastore.Options{User: userOf})
	s.handle("/", func(g *sessions.Session) { g.Values["a"] = 1; delete(g.Values, "a") })
	if resp := s.browser().wantSaved("/"); len(resp.Cookies()) != 0 || s.stored() != 0 {
		t.Errorf("the cookies are %v, and %d sessions are stored", resp.Cookies(), s.stored())
	}
}

func TestTheCookieHasTheOptionsOfTheSession(t *testing.T) {
	s := open(t, gorillastore.Options{Cookie: &sessions.Options{Path: "/a", MaxAge: 60, Secure: true}})
	s.handle("/a/set", func(g *sessions.Session) { g.Values["a"] = 1 })
	s.handle("/a/browser", func(g *sessions.Session) { g.Values["a"] = 2; g.Options.MaxAge = 0 })
	b := s.browser()
	c := b.wantSaved("/a/set").Cookies()[0]
	if c.Name != "app" || c.Path != "/a" || c.MaxAge != 60 || !c.Secure || c.HttpOnly {
		t.Errorf("the cookie is %v", c)
	}
	if c := b.wantSaved("/a/browser").Cookies()[0]; c.MaxAge != 0 || !c.Expires.IsZero() {
		t.Errorf("the cookie is %v, want one that ends with the browser", c)
	}
	s.store.MaxAge(-5)
	if g, _ := s.store.New(httptest.NewRequest("GET", "/", nil), "app"); g.Options.MaxAge != -5 {
		t.Errorf("MaxAge is %d, want that of the store", g.Options.MaxAge)
	}
}

func TestASessionLastsUnusedAsLongAsItsCookie(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := open(t, gorillastore.Options{}, func(o *session.Options) {
		o.Now = func() time.Time { return now }
		o.IdleTimeout, o.Lifetime = time.Hour, session.Never
	})
	const huge = int(^uint(0) >> 1)
	for _, tt := range []struct {
		maxAge int
		lasts  time.Duration
	}{{30 * 86400, 30 * 24 * time.Hour}, {7, 7 * time.Second}, {0, time.Hour}, {huge, 60 * 365 * 24 * time.Hour}} {
		b := s.browser()
		path := "/" + tt.lasts.String()
		s.handle(path, func(g *sessions.Session) { g.Values["a"], g.Options.MaxAge = 1, tt.maxAge })
		var fresh bool
		s.handle(path+"/check", func(g *sessions.Session) { fresh = g.IsNew })
		b.wantSaved(path)
		now = now.Add(tt.lasts - time.Second)
		if b.wantSaved(path + "/check"); fresh {
			t.Errorf("MaxAge %d: the session is over before %v", tt.maxAge, tt.lasts)
		}
	}
}

func TestASaveSendsOneCookieAndKeepsThoseOfTheHandler(t *testing.T) {
	s := open(t, gorillastore.Options{})
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark"})
		w.Header().Set("Cloudflare-CDN-Cache-Control", "max-age=3600")
		w.Header().Set("Expires", "Tue, 01 Jan 2030 00:00:00 GMT")
		g, _ := s.store.Get(r, "app")
		for i := range 3 {
			g.Values["a"] = i
			if err := sessions.Save(r, w); err != nil {
				t.Error(err)
			}
		}
	})
	resp, _ := s.browser().get("/")
	h := resp.Header
	if len(resp.Cookies()) != 2 || h.Get("Cache-Control") != "no-store" || h.Get("Vary") != "Cookie" ||
		h.Get("Cloudflare-CDN-Cache-Control") != "" || h.Get("Expires") != "" {
		t.Errorf("the header is %v", h)
	}
	if n := s.stored(); n != 1 {
		t.Errorf("%d sessions are stored, want 1", n)
	}
}
