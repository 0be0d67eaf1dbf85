package devicebound_test

import (
	"bytes"
	"encoding/binary"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/devicebound"
	"github.com/coatcheck/session/sessiontest"
)

// The reason for all of this: cookies that were copied are good until the bound cookie ends, and then open nothing.
func TestCopiedCookiesOpenNothingForLong(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce, Lifetime: 10 * time.Minute})
	owner := s.signedIn()
	thief, without := owner.Copy(), owner.Copy()
	without.SetCookie(boundCookie, "")
	wantPage(t, thief.Get("/"), "ada bound")
	wantPage(t, without.Get("/"), " none")
	s.clock.advance(11 * time.Minute)
	for range 3 {
		wantPage(t, thief.Get("/"), " none")
		wantPage(t, owner.Get("/"), "ada bound")
		s.clock.advance(20 * time.Minute)
	}
}

func TestABoundCookieIsTakenWithinItsGrace(t *testing.T) {
	for grace, last := range map[time.Duration]time.Duration{
		0: 66 * time.Second, -1: time.Minute, time.Minute: 2 * time.Minute,
	} {
		s := newSite(t, devicebound.Options{Policy: devicebound.Enforce, Lifetime: time.Minute, Grace: grace})
		b := s.signedIn()
		thief := b.Copy()
		thief.SetCookie(boundCookie, b.Cookie(boundCookie)) // without its Max-Age
		s.clock.advance(last - time.Microsecond)
		wantPage(t, thief.Get("/"), "ada bound")
		s.clock.advance(time.Microsecond)
		wantPage(t, thief.Get("/"), " none")
	}
}

func TestNoOtherBoundCookieServes(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	victim, mallory := s.signedIn(), s.signedIn()
	good := victim.Cookie(boundCookie)
	for name, value := range map[string]string{
		"of another session": mallory.Cookie(boundCookie),
		"changed":            "A" + good[1:],
		"cut short":          good[:len(good)-1],
		"longer":             good + "A",
		"of nothing":         ".",
		"a ticket":           victim.Cookie(ticketCookie),
	} {
		thief := victim.Copy()
		thief.SetCookie(boundCookie, value)
		resp := thief.Get("/")
		if len(resp.Cookies()) != 0 {
			t.Errorf("a cookie %s: the response sets %v", name, resp.Cookies())
		}
		wantPage(t, resp, " none")
	}
	r := request(victim)
	r.AddCookie(&http.Cookie{Name: boundCookie, Value: good})
	r.AddCookie(&http.Cookie{Name: boundCookie, Value: mallory.Cookie(boundCookie)})
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	if got := w.Body.String(); got != " none" {
		t.Errorf("two bound cookies open %q", got)
	}
	wantPage(t, victim.Get("/"), "ada bound")
}

// A request that is turned away changes nothing, and the next one of the right browser finds its session.
func TestARequestWithoutAProofEndsNothing(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	owner := s.signedIn()
	thief := owner.Copy()
	thief.SetCookie(boundCookie, "")
	resp := thief.Get("/set")
	if wantStatus(t, resp, http.StatusConflict); len(resp.Cookies()) != 0 {
		t.Errorf("the response sets %v", resp.Cookies())
	}
	s.clock.advance(time.Hour)
	wantPage(t, owner.Get("/"), "ada bound")
}

func TestWithPreferAMissingProofIsToldAndNoMore(t *testing.T) {
	s := newSite(t, devicebound.Options{})
	b := s.signedIn()
	b.SetCookie(boundCookie, "")
	b.Deaf = true
	r := httptest.NewRequest("GET", sessiontest.Site+"/", nil)
	r.Header.Set("Secure-Session-Skipped", `quota_exceeded;session_identifier="x"`)
	wantPage(t, b.Do(r), "ada bound")
	if got := s.told(devicebound.EventSkipped); len(got) != 1 || !strings.HasPrefix(got[0], "ada: ") ||
		!strings.Contains(got[0], "no bound cookie came; the browser says quota_exceeded") {
		t.Errorf("events %q, want one that says what the browser says", got)
	}
}

func TestOnlyARefusalTellsAReason(t *testing.T) {
	for policy, want := range map[devicebound.Policy]session.Reason{
		devicebound.Prefer: "", devicebound.Enforce: session.ReasonBinding,
	} {
		s := newSite(t, devicebound.Options{Policy: policy})
		b := s.signedIn()
		b.SetCookie(boundCookie, "")
		b.Deaf = true
		b.Get("/")
		s.mu.Lock()
		for _, e := range s.events {
			if e.Kind == devicebound.EventSkipped && e.Reason != want {
				t.Errorf("policy %v: the reason of the event is %q, want %q", policy, e.Reason, want)
			}
		}
		if len(s.events) == 0 {
			t.Errorf("policy %v: no event", policy)
		}
		s.mu.Unlock()
	}
}

// What a browser says of a refresh that it did not make is read by people alone: anybody can send it.
func TestWhatABrowserSkippedOpensNothing(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	b := s.signedIn()
	b.SetCookie(boundCookie, "")
	b.Deaf = true
	for line, told := range map[string]bool{
		"unreachable": true, "server_error": true, "quota_exceeded": true,
		`a, quota_exceeded;session_identifier="x"`: true,
		"anything": false, "": false, "(": false, "\x00": false, "quota_exceeded, (": false,
	} {
		r := httptest.NewRequest("GET", sessiontest.Site+"/", nil)
		r.Header.Set("Secure-Session-Skipped", line)
		wantPage(t, b.Do(r), " none")
		if got := s.told(devicebound.EventSkipped); len(got) != 1 || strings.Contains(got[0], "says") != told {
			t.Errorf("%q: events %q, want the reason in it: %v", line, got, told)
		}
	}
}

func TestWithRequireOnlyBoundSessionsStaySignedIn(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Require})
	deaf, b := s.browser(), s.browser()
	deaf.Deaf = true
	for _, one := range []*sessiontest.Browser{deaf, b} {
		one.Get("/login")
	}
	wantPage(t, deaf.Get("/"), "ada pending")
	s.clock.advance(time.Minute - time.Microsecond)
	wantPage(t, deaf.Get("/"), "ada pending")
	s.clock.advance(time.Microsecond)
	s.told("")
	wantPage(t, deaf.Get("/"), " none")
	if got := s.told(session.EventRefused); len(got) != 1 || !strings.Contains(got[0], "not bound") {
		t.Errorf("events %q, want one that says why", got)
	}
	for range 3 {
		wantPage(t, b.Get("/"), "ada bound")
		s.clock.advance(time.Hour)
	}
	thief := b.Copy()
	wantPage(t, thief.Get("/"), " none")
}

// Sessions from before the binder are no less good than they were, until the policy says so.
func TestSessionsFromBeforeAreNotBound(t *testing.T) {
	for policy, want := range map[devicebound.Policy]string{
		devicebound.Prefer: "ada none", devicebound.Enforce: "ada none", devicebound.Require: " none",
	} {
		s := newSite(t, devicebound.Options{Policy: policy})
		o, err := s.m.Open(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		o.Login("ada")
		if err := o.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
		b := s.browser()
		b.SetCookie(ticketCookie, o.Token())
		wantPage(t, b.Get("/"), want)
		b.Get("/login")
		wantPage(t, b.Get("/"), "ada bound")
	}
}

// A Login without HTTP cannot offer anything, and leaves no key from before it.
func TestALoginElsewhereLeavesNoKey(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	b := s.signedIn()
	o, err := s.m.Open(t.Context(), b.Cookie(ticketCookie))
	if err != nil {
		t.Fatal(err)
	}
	s.clock.advance(time.Second)
	o.Login("ada")
	if err := o.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.SetCookie(ticketCookie, o.Token())
	wantPage(t, b.Get("/"), "ada none")
	b.Refresh()
	if firstStatus := b.Log(); len(b.Sessions()) != 0 {
		t.Errorf("the key from before the Login is good: %q", firstStatus)
	}
}

func TestWhatIsExcludedIsOpenToCopiesToo(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce, Exclude: []string{"/static/", "/log"}})
	b := s.signedIn()
	s.clock.advance(time.Hour)
	b.Log()
	wantPage(t, b.Get("/static/x"), "ada bound")
	wantLog(t, b, "GET /static/x: 200")
	wantPage(t, b.Copy().Get("/static/x"), "ada bound")
	wantPage(t, b.Copy().Get("/"), " none")
	wantPage(t, b.Copy().Get("/login-here"), "ada none") // until the response
}

// A copy of the cookies does not open a page by another way of writing its path.
func TestAStrangePathIsNotExcluded(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce, Exclude: []string{"/static"}})
	b := s.signedIn()
	h := s.Middleware(s.m.HandlerFunc(pages["/"])) // which cleans no path
	for path, want := range map[string]string{
		"/static": "ada bound", "/static/": "ada bound", "/static/a/b": "ada bound",
		"/statics": " none", "/static/../account": " none", "/static/..": " none", "/static//a": " none",
		"//static/a": " none", "/static/./a": " none", "/static/%2e%2e/account": " none", "/static%2Fa": " none",
		"/static/a%2Fb": " none", `/static/..%5Caccount`: " none", "/x/../static": " none", "/": " none",
	} {
		r := httptest.NewRequest("GET", sessiontest.Site+path, nil)
		r.AddCookie(&http.Cookie{Name: ticketCookie, Value: b.Cookie(ticketCookie)})
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Body.String() != want {
			t.Errorf("%s: %q, want %q", path, w.Body, want)
		}
	}
}

// A binding that cannot be read may have been one: it opens nothing where one is wanted.
func TestADamagedBindingOpensNothing(t *testing.T) {
	for policy, want := range map[devicebound.Policy]string{
		devicebound.Prefer: "ada none", devicebound.Enforce: " none", devicebound.Require: " none",
	} {
		for _, damage := range []any{
			[]byte{}, []byte{2}, []byte("\x07xxxx"), bytes.Repeat([]byte{2}, 40), "no base64", 7, nil,
		} {
			s := newSite(t, devicebound.Options{Policy: policy})
			b := s.signedIn()
			o, err := s.m.Open(t.Context(), b.Cookie(ticketCookie))
			if err != nil {
				t.Fatal(err)
			}
			session.Key[any]("coatcheck:bound").Set(o, damage)
			if err := o.Save(t.Context()); err != nil {
				t.Fatal(err)
			}
			wantPage(t, b.Get("/"), want)
			b.Refresh()
			b.Get("/login")
			wantPage(t, b.Get("/"), "ada bound")
		}
	}
}

// A newer version of the program may keep a state that this one does not know.
func TestABindingOfAnUnknownStateOpensNothing(t *testing.T) {
	for _, state := range []byte{0, 3, 255} {
		s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
		b := s.signedIn()
		o, err := s.m.Open(t.Context(), b.Cookie(ticketCookie))
		if err != nil {
			t.Fatal(err)
		}
		raw := binary.BigEndian.AppendUint64([]byte{state}, uint64(o.LoginAt().UnixMicro()))
		session.Key[[]byte]("coatcheck:bound").Set(o, append(raw, make([]byte, 40)...))
		if err := o.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantPage(t, b.Get("/"), " none")
	}
}

// A link from another site comes with the ticket, and the browser does not show its key because of another site.
func TestALinkFromElsewhereLeadsIn(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	b := s.signedIn()
	s.clock.advance(time.Hour)
	wantPage(t, b.Follow("/?a=1", true), "ada bound")
	wantLog(t, b, "GET /: 401", "POST "+refreshPath+": 403", "POST "+refreshPath+": 200", "GET /: 200")
	wantPage(t, b.Follow("/", true), "ada bound")
	wantLog(t, b, "GET /: 200")
	thief := b.Copy()
	s.clock.advance(time.Hour)
	wantPage(t, thief.Follow("/", true), " none")
	wantLog(t, thief, "GET /: 401", "GET /: 200")
	deaf := s.browser()
	deaf.Deaf = true
	deaf.Get("/login")
	wantPage(t, deaf.Follow("/", true), "ada pending")
	wantPage(t, s.browser().Follow("/", true), " none")
}

func TestOtherHostsMayBeLetMakeTheBrowserProve(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce, RefreshInitiators: []string{"*"}})
	b := s.signedIn()
	s.clock.advance(time.Hour)
	b.Log()
	wantPage(t, b.Follow("/", true), "ada bound")
	wantLog(t, b, "POST "+refreshPath+": 403", "POST "+refreshPath+": 200", "GET /: 200")
}

// A program that answers in the place of the application meets the binder too, wherever it stands.
func TestTheBinderJudgesAlsoWhereItDoesNotStandBefore(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	b := s.signedIn()
	inner := s.h
	for name, h := range map[string]http.Handler{
		"no middleware": s.m.HandlerFunc(pages["/"]),
		"inside":        s.m.Middleware(inner),
		"twice":         s.Middleware(inner),
	} {
		for cookie, want := range map[string]string{"": " none", b.Cookie(boundCookie): "ada bound"} {
			r := request(b)
			if cookie != "" {
				r.AddCookie(&http.Cookie{Name: boundCookie, Value: cookie})
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Body.String() != want {
				t.Errorf("%s: %q, want %q", name, w.Body, want)
			}
		}
	}
}

func TestSkippedRequestsAreNotJudged(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Require}, func(o *session.Options) {
		o.Skip = session.SkipHeader("X-Skip", "*")
	})
	b := s.signedIn()
	for path, want := range map[string]int{"/": 200, refreshPath: 401, registerPath: 401, "/vault": 401} {
		r := httptest.NewRequest("POST", sessiontest.Site+path, nil)
		r.Header.Set("X-Skip", "1")
		r.Header.Set("Sec-Secure-Session-Id", "x")
		r.Header.Set("Secure-Session-Response", "x")
		wantStatus(t, b.Do(r), want)
	}
}
