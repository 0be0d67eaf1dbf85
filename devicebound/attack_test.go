package devicebound_test

import (
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/devicebound"
)

// through puts a middleware around the site.
func (s *site) through(around func(http.Handler) http.Handler) *site {
	s.h = around(s.h)
	return s
}

// isOfProtocol reports whether a strict proxy might take a header for none of its business.
func isOfProtocol(name string) bool {
	return strings.HasPrefix(name, "Sec-Secure-") || strings.HasPrefix(name, "Secure-Session-")
}

// A proxy that removes the headers of the protocol leaves sessions as they are in browsers without it.
func TestAProxyThatStripsResponsesBindsNothing(t *testing.T) {
	for policy, want := range map[devicebound.Policy]string{
		devicebound.Prefer: "ada pending", devicebound.Enforce: "ada pending", devicebound.Require: " none",
	} {
		s := newSite(t, devicebound.Options{Policy: policy}).through(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				next.ServeHTTP(&stripping{w}, r)
			})
		})
		b := s.browser()
		b.Get("/login")
		wantPage(t, b.Get("/"), "ada pending")
		s.clock.advance(time.Hour)
		wantPage(t, b.Get("/"), want)
		if len(b.Sessions()) != 0 {
			t.Errorf("the browser has %q", b.Sessions())
		}
	}
}

type stripping struct{ http.ResponseWriter }

func (s *stripping) WriteHeader(status int) {
	for name := range s.Header() {
		if isOfProtocol(name) {
			s.Header().Del(name)
		}
	}
	s.ResponseWriter.WriteHeader(status)
}

func (s *stripping) Write(text []byte) (int, error) {
	s.WriteHeader(http.StatusOK)
	return s.ResponseWriter.Write(text)
}

// One that begins to remove them from requests makes browsers sign in again. Nobody else gets in, and no session ends.
func TestAProxyThatStripsRequestsOpensNothing(t *testing.T) {
	strips := false
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce}).through(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for name := range r.Header {
				if strips && isOfProtocol(name) {
					r.Header.Del(name)
				}
			}
			next.ServeHTTP(w, r)
		})
	})
	b := s.signedIn()
	strips = true
	wantPage(t, b.Get("/"), "ada bound")
	s.clock.advance(time.Hour)
	resp := b.Get("/")
	wantPage(t, resp, " none")
	if c := setCookie(resp, ticketCookie); c != nil {
		t.Errorf("the ticket becomes %v", c)
	}
	if infos, err := s.m.Sessions(t.Context(), "ada"); err != nil || len(infos) != 1 || !infos[0].Bound {
		t.Errorf("Sessions = %+v, %v, want the session as it was", infos, err)
	}
	b.Get("/login")
	wantPage(t, b.Get("/"), "ada pending")
}

// A handler that panics after a Login has signed nobody in, and nothing is left to be bound.
func TestAPanicAfterALoginOffersNothing(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	site := s.h
	s.h = s.Middleware(s.m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, o *session.Session) {
		o.Login("ada")
		panic("a mistake")
	}))
	s.through(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				if recover() != nil {
					w.WriteHeader(http.StatusInternalServerError)
				}
			}()
			next.ServeHTTP(w, r)
		})
	})
	b := s.browser()
	resp := b.Get("/login")
	if got := resp.Header.Get("Secure-Session-Registration"); resp.StatusCode != 500 || got != "" ||
		len(resp.Cookies()) != 0 || len(b.Sessions()) != 0 {
		t.Errorf("status %d, offer %q, cookies %v", resp.StatusCode, got, resp.Cookies())
	}
	s.h = site
	wantPage(t, s.browserWith(b).Get("/"), " none")
}

// Whatever a client sends as its bound cookie, it is none, and the answer comes.
func TestAHugeBoundCookieOpensNothing(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	b := s.signedIn()
	genuine := b.Cookie(boundCookie)
	value, signature, _ := strings.Cut(genuine, ".")
	for _, cookie := range []string{
		strings.Repeat("A", 30<<10), strings.Repeat("A", 30<<10) + "." + signature,
		value + "." + strings.Repeat("A", 30<<10), genuine + strings.Repeat(".", 30<<10),
		strings.Repeat(value, 600) + "." + signature, ".", "." + signature, value + ".",
	} {
		thief := b.Copy()
		thief.SetCookie(boundCookie, cookie)
		wantPage(t, thief.Get("/"), " none")
		wantStatus(t, thief.Get("/vault"), http.StatusUnauthorized)
	}
	wantPage(t, b.Get("/"), "ada bound")
}

// The longest times a handler can give mean what they say.
func TestProveTakesTheShortestAndTheLongestTime(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce, Grace: math.MinInt64, Lifetime: time.Second})
	always := s.Middleware(s.Prove(math.MinInt64)(s.m.HandlerFunc(pages["/"])))
	ever := s.Middleware(s.Prove(math.MaxInt64)(s.m.HandlerFunc(pages["/"])))
	site := s.h
	s.h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := map[string]http.Handler{"/always": always, "/ever": ever}[r.URL.Path]; h != nil {
			h.ServeHTTP(w, r)
			return
		}
		site.ServeHTTP(w, r)
	})
	b := s.signedIn()
	wantPage(t, b.Get("/ever"), "ada bound")
	wantLog(t, b, "GET /ever: 200")
	wantPage(t, b.Get("/always"), "ada bound")
	wantLog(t, b, "GET /always: 307", "POST "+refreshPath+": 200", "GET /always: 200")
	thief := b.Copy()
	s.clock.advance(time.Second)
	wantPage(t, thief.Get("/"), " none")
}

// A logout or a Login that could not be stored leaves the browser what it has, and offers nothing.
func TestAnOutageDuringALogoutLeavesTheBoundCookie(t *testing.T) {
	for _, path := range []string{"/logout", "/login", "/login?user=bob"} {
		s := newSite(t, devicebound.Options{Policy: devicebound.Enforce, ClearSiteData: true})
		b := s.signedIn()
		s.store.hook(func(call string) error {
			if call == "load" {
				return nil
			}
			return errors.New("down")
		})
		s.clock.advance(time.Second)
		resp := b.Get(path)
		wantStatus(t, resp, http.StatusServiceUnavailable)
		if got := resp.Header; len(got["Set-Cookie"]) != 0 || got.Get("Secure-Session-Registration") != "" ||
			got.Get("Clear-Site-Data") != "" {
			t.Errorf("%s: the answer says %v", path, got)
		}
		wantPage(t, b.Get("/"), "ada bound")
	}
}
