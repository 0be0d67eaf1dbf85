package devicebound_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session/devicebound"
	"github.com/coatcheck/session/sessiontest"
)

func TestRequireSaysWhatToDo(t *testing.T) {
	s := newSite(t, devicebound.Options{})
	stranger, deaf, pending, bound := s.browser(), s.browser(), s.browser(), s.signedIn()
	deaf.Deaf, pending.Hold = true, true
	deaf.Get("/login")
	s.clock.advance(2 * time.Minute)
	pending.Get("/login")
	unproved := bound.Copy()
	unproved.SetCookie(boundCookie, "")
	wantPage(t, bound.Get("/vault"), "ada bound")
	for _, tt := range []struct {
		b      *sessiontest.Browser
		status int
		text   string
	}{
		{stranger, 401, "sign in first"},
		{deaf, 403, "browser that can do that"},
		{pending, 503, "One moment"},
		{unproved, 401, "Load the page again"},
	} {
		resp := tt.b.Get("/vault")
		var problem struct {
			Status int
			Detail string
		}
		if err := json.NewDecoder(resp.Body).Decode(&problem); err != nil || resp.StatusCode != tt.status ||
			problem.Status != tt.status || !strings.Contains(problem.Detail, tt.text) ||
			resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("status %d, %+v, %v, want %d and %q", resp.StatusCode, problem, err, tt.status, tt.text)
		}
		if got := resp.Header; (got.Get("Retry-After") != "") != (tt.status == 503) || got.Get("Refresh") != "" {
			t.Errorf("%d: Retry-After %q, Refresh %q", tt.status, got.Get("Retry-After"), got.Get("Refresh"))
		}
		page := tt.b.Follow("/vault", false)
		if got := body(t, page); page.StatusCode != tt.status || !strings.HasPrefix(got, "<!doctype html>") ||
			!strings.Contains(got, tt.text) || page.Header.Get("Cache-Control") != "no-store" ||
			page.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("status %d, %s, want a page with %d and %q", page.StatusCode, got, tt.status, tt.text)
		}
		if got := page.Header.Get("Refresh"); (got == "1") != (tt.status == 503) {
			t.Errorf("%d: Refresh %q", tt.status, got)
		}
	}
	pending.Register()
	wantPage(t, pending.Get("/vault"), "ada bound")
}

func TestRequireLetsALinkFromElsewhereIn(t *testing.T) {
	for _, policy := range []devicebound.Policy{devicebound.Prefer, devicebound.Enforce, devicebound.Require} {
		s := newSite(t, devicebound.Options{Policy: policy})
		b := s.signedIn()
		s.clock.advance(time.Hour)
		thief := b.Copy()
		wantPage(t, b.Follow("/vault", true), "ada bound")
		wantStatus(t, thief.Follow("/vault", true), 401)
	}
}

// What leads here from another site may have been chosen there, so nothing is done before the page has loaded itself.
func TestNoHandlerRunsForALinkThatIsSentBack(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	ticket := &http.Cookie{Name: ticketCookie, Value: s.signedIn().Cookie(ticketCookie)}
	ran := false
	h := s.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran = true }))
	for _, site := range []string{"cross-site", "same-site", "same-origin"} {
		r := httptest.NewRequest(http.MethodGet, "https://app.example.com/", nil)
		r.AddCookie(ticket)
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		r.Header.Set("Sec-Fetch-Site", site)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if back := site != "same-origin"; ran == back || (w.Header().Get("Refresh") == "0") != back ||
			back && w.Header().Get("WWW-Authenticate") == "" { // which a 401 must have (RFC 9110)
			t.Errorf("%s: the handler ran: %v, with %v", site, ran, w.Header())
		}
	}
}

func TestALinkToWhatReadsNoSessionCostsNothing(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	b := s.signedIn()
	wantStatus(t, b.Follow("/untouched", true), http.StatusOK)
	if got := s.store.trips(); got != "0 loads, 0 saves" {
		t.Errorf("it costs %s", got)
	}
}

func TestRefuseAnswersInPlaceOfThePages(t *testing.T) {
	var got error
	s := newSite(t, devicebound.Options{Refuse: func(w http.ResponseWriter, _ *http.Request, why error) {
		got = why
		w.WriteHeader(http.StatusTeapot)
	}})
	wantStatus(t, s.browser().Get("/vault"), http.StatusTeapot)
	if !errors.Is(got, devicebound.ErrNobody) {
		t.Errorf("the reason is %v", got)
	}
}

// The browser shows its key before the handler runs, once, and repeats what it sent.
func TestProveWantsTheKeyNow(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	b := s.signedIn()
	wantPage(t, b.Post("/pay"), "ada bound") // it was registered a moment ago
	wantLog(t, b, "POST /pay: 200")
	s.clock.advance(2 * time.Minute)
	thief := b.Copy()
	r := httptest.NewRequest("POST", sessiontest.Site+"/pay?to=bob", strings.NewReader("amount=1"))
	wantPage(t, b.Do(r), "ada bound")
	wantLog(t, b, "POST /pay: 307", "POST "+refreshPath+": 200", "POST /pay: 200")
	wantPage(t, b.Post("/pay"), "ada bound")
	wantLog(t, b, "POST /pay: 200")
	wantStatus(t, thief.Post("/pay"), 401)
	wantLog(t, thief, "POST /pay: 307", "POST /pay: 401")
	wantPage(t, s.browser().Get("/pay"), " none")
	deaf := s.browser()
	deaf.Deaf = true
	deaf.Get("/login")
	wantPage(t, deaf.Get("/pay"), "ada pending")
}

// Some servers do not set Request.RequestURI.
func TestProveSendsARequestBackByItsURL(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	b := s.signedIn()
	s.clock.advance(2 * time.Minute)
	r := httptest.NewRequest(http.MethodPost, sessiontest.Site+"/pay?to=bob", nil)
	r.RequestURI = ""
	for _, name := range []string{ticketCookie, boundCookie} {
		r.AddCookie(&http.Cookie{Name: name, Value: b.Cookie(name)})
	}
	w := httptest.NewRecorder()
	if s.h.ServeHTTP(w, r); w.Code != http.StatusTemporaryRedirect || w.Header().Get("Location") != "/pay?to=bob" {
		t.Errorf("status %d, Location %q, want the same page", w.Code, w.Header().Get("Location"))
	}
}

// Whatever the time, no browser is sent around twice.
func TestProveAsksOnce(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	for _, d := range []time.Duration{-1, 0, 1, 1<<63 - 1} {
		b := s.signedIn()
		h := s.Middleware(s.Prove(d)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text, _ := io.ReadAll(r.Body)
			_, _ = w.Write(text)
		})))
		at := sessiontest.NewBrowser(t, s.m.Now, h)
		s.clock.advance(time.Second)
		moving := func(*http.Request) { s.clock.advance(time.Second) } // a slow device
		b.Alter, at.Alter = moving, moving
		carry(b, at)
		if resp := at.Get("/"); resp.StatusCode != 401 && d < time.Hour || d > time.Hour && resp.StatusCode != 200 {
			t.Errorf("Prove(%v): status %d for copies", d, resp.StatusCode)
		}
	}
	b := s.signedIn()
	s.clock.advance(time.Hour)
	b.Alter = func(*http.Request) { s.clock.advance(time.Second) }
	wantPage(t, b.Post("/now"), "ada bound")
	wantLog(t, b, "POST "+refreshPath+": 403", "POST "+refreshPath+": 200", "POST /now: 307",
		"POST "+refreshPath+": 200", "POST /now: 200")
	if b.Cookie(boundCookie+"-asked") != "" {
		t.Error("the mark of having been asked stays")
	}
}

// Whoever copies the cookies of the request that was repeated, out of a log for example, has them for ten seconds.
func TestAProofThatWasAskedForIsSoonOld(t *testing.T) {
	for after, want := range map[time.Duration]int{
		0: http.StatusOK, 10 * time.Second: http.StatusOK, 11 * time.Second: http.StatusUnauthorized,
		50 * time.Second: http.StatusUnauthorized, 2 * time.Minute: http.StatusTemporaryRedirect,
	} {
		s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
		h, log := s.h, []string(nil)
		s.h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			log = r.Header["Cookie"]
			h.ServeHTTP(w, r)
		})
		b := s.signedIn()
		s.clock.advance(time.Hour)
		wantPage(t, b.Post("/now"), "ada bound")
		s.clock.advance(after)
		r := httptest.NewRequest(http.MethodPost, sessiontest.Site+"/now", nil)
		r.Header["Cookie"], r.RequestURI = log, "/now"
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != want {
			t.Errorf("%v after the proof: status %d, want %d", after, w.Code, want)
		}
		wantPage(t, b.Post("/now"), "ada bound") // who has the key is asked again
	}
}

// The node that asks and the one that is shown the key need not have the same time.
func TestProveTakesAProofFromANodeWhoseClockDiffers(t *testing.T) {
	for _, ahead := range []time.Duration{-9 * time.Second, -time.Second, time.Second, 50 * time.Second} {
		s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
		other := &clock{t: s.clock.now().Add(ahead)}
		node := newSiteOn(t, s.store, other, devicebound.Options{Policy: devicebound.Enforce})
		h := s.h
		s.h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == refreshPath {
				node.h.ServeHTTP(w, r)
				return
			}
			h.ServeHTTP(w, r)
		})
		b := s.signedIn()
		s.clock.advance(time.Minute)
		other.advance(time.Minute)
		thief := b.Copy()
		wantPage(t, b.Post("/now"), "ada bound")
		wantStatus(t, thief.Post("/now"), http.StatusUnauthorized)
	}
}

// A browser that was asked, and has shown its key in time for another page, has no use for the mark.
func TestTheMarkOfHavingBeenAskedGoesInAnyCase(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	b := s.signedIn()
	s.clock.advance(2 * time.Minute)
	wantPage(t, b.Post("/pay"), "ada bound")
	if b.Cookie(boundCookie+"-asked") != "" {
		t.Error("the mark stays after a proof that is young enough")
	}
}

// carry gives one browser the cookies of another.
func carry(from, to *sessiontest.Browser) {
	for _, name := range []string{ticketCookie, boundCookie} {
		to.SetCookie(name, from.Cookie(name))
	}
}

func TestProveSendsNobodyToAnotherHost(t *testing.T) {
	s := newSite(t, devicebound.Options{})
	b := s.signedIn()
	s.clock.advance(5 * time.Minute)
	h := s.Middleware(s.Prove(time.Minute)(http.NotFoundHandler()))
	elsewhere := []string{"//evil.example/", "//evil.example", `/\evil.example/`, `/\\evil.example`, "*", ""}
	for _, target := range elsewhere {
		r := request(b)
		r.AddCookie(&http.Cookie{Name: boundCookie, Value: b.Cookie(boundCookie)})
		r.RequestURI = target
		if target == "" {
			r.URL.Path = "//evil.example/"
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 401 || w.Header().Get("Location") != "" {
			t.Errorf("%q: status %d, Location %q", target, w.Code, w.Header().Get("Location"))
		}
	}
}
