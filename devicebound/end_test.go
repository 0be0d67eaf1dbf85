package devicebound_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/devicebound"
	"github.com/coatcheck/session/sessiontest"
)

// What ends a session ends the key that it has, and a browser that shows it is told to forget it.
func TestTheEndOfASessionEndsItsKey(t *testing.T) {
	for name, end := range map[string]func(*site, *sessiontest.Browser){
		"logout": func(s *site, b *sessiontest.Browser) {
			elsewhere := b.Copy()
			elsewhere.Get("/logout")
		},
		"revoked on another node": func(s *site, b *sessiontest.Browser) {
			node := s.node(devicebound.Options{Policy: devicebound.Enforce})
			if n, err := node.m.RevokeUser(s.t.Context(), "ada"); n != 1 || err != nil {
				s.t.Errorf("RevokeUser = %d, %v", n, err)
			}
		},
		"expired":       func(s *site, b *sessiontest.Browser) { s.clock.advance(25 * time.Hour) },
		"a lost ticket": func(s *site, b *sessiontest.Browser) { b.SetCookie(ticketCookie, "") },
	} {
		s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
		b := s.signedIn()
		end(s, b)
		thief := b.Copy()
		b.Refresh()
		if got := firstStatus(b); got != 401 || len(b.Sessions()) != 0 {
			t.Errorf("%s: a refresh gets %d, and the browser keeps %q", name, got, b.Sessions())
		}
		wantPage(t, thief.Get("/"), " none")
	}
}

// The browser itself learns of its logout, whatever it does with the cookies.
func TestALogoutForgetsTheKey(t *testing.T) {
	for _, clearing := range []bool{false, true} {
		s := newSite(t, devicebound.Options{Policy: devicebound.Enforce, ClearSiteData: clearing})
		b := s.signedIn()
		resp := b.Get("/logout")
		if got := resp.Header.Get("Clear-Site-Data"); (got == `"cookies", "storage"`) != clearing {
			t.Errorf("Clear-Site-Data: %q, want it: %v", got, clearing)
		}
		if c := setCookie(resp, boundCookie); c == nil || c.MaxAge >= 0 {
			t.Errorf("the logout leaves the bound cookie: %v", c)
		}
		wantPage(t, b.Get("/"), " none")
		if got := b.Sessions(); len(got) != 0 {
			t.Errorf("the browser keeps %q", got)
		}
	}
}

func TestARenewalOfTheIDKeepsTheKey(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce},
		func(o *session.Options) { o.RenewEvery = 3 * time.Minute })
	b := s.signedIn()
	before := b.Cookie(ticketCookie)
	for range 10 {
		s.clock.advance(4 * time.Minute)
		old := b.Cookie(ticketCookie)
		wantPage(t, b.Get("/"), "ada bound")
		if b.Cookie(ticketCookie) == old {
			t.Error("the id was not renewed")
		}
		b.SetCookie(ticketCookie, old) // a request that was under way
		b.Refresh()
		if got := b.Log(); !strings.HasSuffix(got[len(got)-1], "200") || b.Cookie(ticketCookie) == old {
			t.Errorf("a refresh with the ticket from before the renewal: %q", got)
		}
	}
	if before == b.Cookie(ticketCookie) || len(b.Sessions()) != 1 {
		t.Errorf("the browser has the sessions %q", b.Sessions())
	}
}

// A refresh that was under way when the id changed does not make the browser forget its key.
func TestAChangeOfTheIDMeanwhileKeepsTheKey(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	b := s.signedIn()
	old := b.Cookie(ticketCookie)
	b.Get("/regenerate")
	fresh := b.Cookie(ticketCookie)
	b.Log()
	b.SetCookie(ticketCookie, old)
	b.Refresh()
	wantLog(t, b, "POST "+refreshPath+": 503")
	b.SetCookie(ticketCookie, fresh)
	s.clock.advance(30 * time.Minute)
	wantPage(t, b.Get("/"), "ada bound")
}

// Where the manager's middleware stands outside of the binder's, it commits what the binder could not save once more.
func TestAChangeOfTheIDDuringARefreshKeepsTheKey(t *testing.T) {
	for _, outside := range []bool{false, true} {
		for path, want := range map[string]string{"/regenerate": "503", "/logout": "401", "/login": "503"} {
			s := newSite(t, devicebound.Options{Policy: devicebound.Enforce, ClearSiteData: true})
			if outside {
				s.h = s.m.Middleware(s.h)
			}
			b := s.signedIn()
			s.clock.advance(time.Second)
			tab := b.Copy()
			cookie := b.Cookie(boundCookie)
			var once sync.Once
			s.store.hook(func(call string) error {
				if call == "save" {
					once.Do(func() {
						s.store.hook(nil)
						tab.Get(path)
					})
				}
				return nil
			})
			b.Refresh()
			wantLog(t, b, "POST "+refreshPath+": "+want)
			if got := len(b.Sessions()); (got == 1) != (want == "503") {
				t.Errorf("%s: the browser has %d keys", path, got)
			}
			if b.Cookie(boundCookie) != cookie {
				t.Errorf("%s: the answer takes the bound cookie away", path)
			}
		}
	}
}

func TestASecretThatIsReplacedEndsNoBinding(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	b := s.signedIn()
	if err := s.m.SetSecrets([]session.Secret{session.NewSecret(), secret}); err != nil {
		t.Fatal(err)
	}
	wantPage(t, b.Get("/"), "ada bound")
	s.clock.advance(time.Hour)
	wantPage(t, b.Get("/"), "ada bound")
	wantPage(t, b.Copy().Get("/"), "ada bound")
}

// The browser may have a newer ticket by then, from another tab.
func TestASessionThatEndedElsewhereClearsNothing(t *testing.T) {
	for _, meanwhile := range []string{"/regenerate", "/login", "/logout", "/login?user=bob"} {
		for name, then := range map[string]func(*session.Session){
			"looks again":               func(s *session.Session) { _ = s.Reload(t.Context()) },
			"looks again and leaves":    func(s *session.Session) { _ = s.Reload(t.Context()); s.Logout() },
			"writes":                    func(s *session.Session) { s.Set("n", 1) },
			"saves what can be no more": func(s *session.Session) { s.Set("n", 1); _ = s.Save(t.Context()) },
		} {
			s := newSite(t, devicebound.Options{Policy: devicebound.Enforce, ClearSiteData: true})
			b := s.signedIn()
			tab, old := b.Copy(), b.Copy()
			s.mux.Handle("/slow", s.m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, o *session.Session) {
				tab.Get(meanwhile)
				then(o)
			}))
			wantKept(t, meanwhile+", and a request that "+name, old.Get("/slow"))
		}
	}
}

// Whoever signs in between two logouts stays signed in.
func TestALogoutThatComesTooLateClearsNothing(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce, ClearSiteData: true})
	b := s.signedIn()
	tab, slow := b.Copy(), b.Copy()
	var once sync.Once
	s.store.hook(func(call string) error {
		if call == "save" {
			once.Do(func() {
				s.store.hook(nil)
				tab.Get("/logout")
				tab.Get("/login")
			})
		}
		return nil
	})
	wantKept(t, "the second logout", slow.Get("/logout"))
	wantPage(t, tab.Get("/"), "ada bound")
}

// wantKept wants a response that takes nothing from the browser.
func wantKept(t *testing.T, name string, resp *http.Response) {
	t.Helper()
	clears := resp.Header.Get("Clear-Site-Data")
	if got := resp.Cookies(); clears != "" || len(got) != 0 {
		t.Errorf("%s: status %d, Clear-Site-Data %q, cookies %v, want neither", name, resp.StatusCode, clears, got)
	}
}

// A response that brings a new ticket clears nothing: the browser would drop it with the others.
func TestALogoutThatBeginsAnotherSessionClearsNothing(t *testing.T) {
	s := newSite(t, devicebound.Options{ClearSiteData: true})
	for name, leave := range map[string]func(*session.Session){
		"logout":     func(o *session.Session) { o.Logout(); o.Flash("note", "bye") },
		"invalidate": func(o *session.Session) { o.Invalidate(); o.Set("n", 1) },
	} {
		b := s.signedIn()
		r := request(b)
		w := httptest.NewRecorder()
		s.m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, o *session.Session) { leave(o) }).ServeHTTP(w, r)
		resp := w.Result()
		if c := setCookie(resp, ticketCookie); c == nil || c.MaxAge < 0 || resp.Header.Get("Clear-Site-Data") != "" {
			t.Errorf("%s: the ticket is %v, and Clear-Site-Data %q", name, c, resp.Header.Get("Clear-Site-Data"))
		}
	}
}

// A request that may not have its session can still end it, and its browser then forgets as much as any other.
func TestALogoutOfARefusedSessionForgetsTheKey(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce, ClearSiteData: true})
	b := s.signedIn()
	r := request(b)
	r.Header.Del("Cookie")
	r.AddCookie(&http.Cookie{Name: ticketCookie, Value: b.Cookie(ticketCookie)})
	w := httptest.NewRecorder()
	s.m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, o *session.Session) {
		if o.Refused() == nil {
			t.Error("without its proof the session is not refused")
		}
		o.Logout()
	}).ServeHTTP(w, r)
	resp := w.Result()
	if c := setCookie(resp, boundCookie); c == nil || c.MaxAge >= 0 {
		t.Errorf("the logout leaves the bound cookie: %v", c)
	}
	if got := resp.Header.Get("Clear-Site-Data"); got != `"cookies", "storage"` {
		t.Errorf("Clear-Site-Data: %q", got)
	}
	wantPage(t, b.Get("/"), " none")
}
