package devicebound_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/devicebound"
	"github.com/coatcheck/session/sessiontest"
)

func TestARefreshIsOneLoadAndOneSave(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	b := s.signedIn()
	b.Refresh() // by the challenge that came with the registration
	wantLog(t, b, "POST "+refreshPath+": 200")
	if got := s.store.trips(); got != "1 loads, 1 saves" {
		t.Errorf("a refresh is %s", got)
	}
	s.clock.advance(20 * time.Minute) // the challenge is too old
	b.Get("/")
	wantLog(t, b, "POST "+refreshPath+": 403", "POST "+refreshPath+": 200", "GET /: 200")
	if got := s.store.trips(); got != "3 loads, 1 saves" {
		t.Errorf("a refresh that asks first, and the request itself, are %s", got)
	}
	if proved := s.told(devicebound.EventProved); len(proved) != 2 {
		t.Errorf("events proved: %q, want two", proved)
	}
}

func TestARequestCostsNoMoreThanWithoutABinding(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	b := s.signedIn()
	deaf := s.browser()
	deaf.Deaf = true
	deaf.Get("/login")
	s.store.trips()
	for _, b := range []*sessiontest.Browser{b, deaf, b.Copy()} {
		for path, want := range map[string]string{"/": "1 loads, 0 saves", "/untouched": "0 loads, 0 saves"} {
			b.Get(path)
			if got := s.store.trips(); got != want {
				t.Errorf("%s is %s, want %s", path, got, want)
			}
		}
	}
}

// lies are what a client can say at a refresh, with the status that it gets.
var lies = map[string]struct {
	proof  func(*sessiontest.Proof)
	alter  func(*http.Request)
	status int
}{
	"another key":  {status: 401, proof: func(p *sessiontest.Proof) { p.Key = otherKey }},
	"no algorithm": {status: 401, proof: func(p *sessiontest.Proof) { p.Header["alg"] = "none" }},
	"RS256":        {status: 401, proof: func(p *sessiontest.Proof) { p.Header["alg"] = "RS256" }},
	"HS256":        {status: 401, proof: func(p *sessiontest.Proof) { p.Header["alg"] = "HS256" }},
	"no type":      {status: 401, proof: func(p *sessiontest.Proof) { delete(p.Header, "typ") }},
	"another type": {status: 401, proof: func(p *sessiontest.Proof) { p.Header["typ"] = "dbsc+aik" }},
	"a key of its own": {status: 401, proof: func(p *sessiontest.Proof) {
		p.Header["jwk"], p.Key = otherJWK, otherKey
	}},
	"its key again":      {status: 401, proof: func(p *sessiontest.Proof) { p.Header["jwk"] = otherJWK }},
	"for another server": {status: 401, proof: func(p *sessiontest.Proof) { p.Claims["aud"] = "https://evil.example" }},
	"no challenge":       {status: 401, proof: func(p *sessiontest.Proof) { delete(p.Claims, "jti") }},
	"a challenge of its own": {status: 403, proof: func(p *sessiontest.Proof) {
		p.Claims["jti"] = strings.Repeat("A", 54)
	}},
	"an empty challenge": {status: 403, proof: func(p *sessiontest.Proof) { p.Claims["jti"] = "" }},
	"a challenge with a line break": {status: 403, proof: func(p *sessiontest.Proof) {
		p.Claims["jti"] = p.Claims["jti"].(string) + "\n"
	}},
	"no proof":       {status: 403, alter: func(r *http.Request) { r.Header.Del("Secure-Session-Response") }},
	"an empty proof": {status: 401, alter: func(r *http.Request) { r.Header.Set("Secure-Session-Response", "") }},
	"two proofs": {status: 401, alter: func(r *http.Request) {
		r.Header.Add("Secure-Session-Response", r.Header.Get("Secure-Session-Response"))
	}},
	"a list of proofs": {status: 401, alter: func(r *http.Request) {
		r.Header.Set("Secure-Session-Response", r.Header.Get("Secure-Session-Response")+", a")
	}},
	"a long proof": {status: 401, alter: func(r *http.Request) {
		r.Header.Set("Secure-Session-Response", strings.Repeat("A", 1<<16))
	}},
	"no session":   {status: 400, alter: func(r *http.Request) { r.Header.Del("Sec-Secure-Session-Id") }},
	"two sessions": {status: 400, alter: func(r *http.Request) { r.Header.Add("Sec-Secure-Session-Id", "x") }},
	"a wrong session": {status: 401, alter: func(r *http.Request) {
		r.Header.Set("Sec-Secure-Session-Id", "AAAAAAAAAAAAAAAAAAAAAA")
	}},
	"a GET": {status: 405, alter: func(r *http.Request) { r.Method = "GET" }},
}

// A lie opens nothing, and takes nothing from the browser that does not lie.
func TestALieAtARefreshOpensNothing(t *testing.T) {
	for name, lie := range lies {
		s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
		b := s.signedIn()
		liar := s.signedIn()
		liar.Proof = lie.proof
		cookie := liar.Cookie(boundCookie)
		var status int
		liar.Alter = func(r *http.Request) {
			if lie.alter != nil {
				lie.alter(r)
			}
		}
		liar.Refresh()
		status = firstStatus(liar)
		if told := s.told(devicebound.EventProofFailed); lie.status == http.StatusUnauthorized && len(told) == 0 {
			t.Errorf("%s: nobody is told", name)
		}
		if status != lie.status || liar.Cookie(boundCookie) != cookie {
			t.Errorf("%s: status %d, want %d, and no other bound cookie", name, status, lie.status)
		}
		s.clock.advance(30 * time.Minute)
		wantPage(t, b.Get("/"), "ada bound")
	}
}

// firstStatus is that of the first request in the log.
func firstStatus(b *sessiontest.Browser) (status int) {
	for _, c := range b.Log()[0] {
		if '0' <= c && c <= '9' {
			status = status*10 + int(c-'0')
		}
	}
	return status
}

func TestALieAtARegistrationBindsNothing(t *testing.T) {
	for name, lie := range map[string]func(*sessiontest.Proof){
		"no key":         func(p *sessiontest.Proof) { delete(p.Header, "jwk") },
		"another key":    func(p *sessiontest.Proof) { p.Header["jwk"] = otherJWK },
		"no algorithm":   func(p *sessiontest.Proof) { p.Header["alg"] = "none" },
		"another type":   func(p *sessiontest.Proof) { p.Header["typ"] = "JWT" },
		"no challenge":   func(p *sessiontest.Proof) { delete(p.Claims, "jti") },
		"its own":        func(p *sessiontest.Proof) { p.Claims["jti"] = strings.Repeat("A", 54) },
		"another server": func(p *sessiontest.Proof) { p.Claims["aud"] = "https://evil.example" },
		"an RSA key":     func(p *sessiontest.Proof) { p.Header["jwk"], p.Header["alg"] = rsaJWK, "RS256" },
	} {
		s := newSite(t, devicebound.Options{})
		b := s.browser()
		b.Proof = lie
		b.Get("/login")
		wantLog(t, b, "GET /login: 303", "POST "+registerPath+": 403")
		if got := s.told(devicebound.EventProofFailed); len(got) != 1 || !strings.HasPrefix(got[0], "ada: ") {
			t.Errorf("%s: events %q, want one that says why", name, got)
		}
		wantPage(t, b.Get("/"), "ada pending")
	}
}

func TestAProofMayNameThisServer(t *testing.T) {
	for aud, origin := range map[any]string{
		"https://app.example.com/device-bound/refresh": "", "https://app.example.com": "",
		"https://www.example.com/device-bound/refresh": "https://www.example.com",
	} {
		s := newSite(t, devicebound.Options{Policy: devicebound.Enforce, Origin: origin})
		b := s.signedIn()
		b.Proof = func(p *sessiontest.Proof) { p.Claims["aud"] = aud }
		b.Refresh()
		wantLog(t, b, "POST "+refreshPath+": 200")
	}
}

// A browser whose answer was lost sends what it has signed again: it is asked anew, and keeps its session.
func TestAUsedChallengeIsNoneAndEndsNothing(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	b := s.signedIn()
	var sent *http.Request
	b.Alter = func(r *http.Request) { sent = r.Clone(r.Context()) }
	b.Refresh()
	b.Alter = nil
	b.Log()
	for range 3 {
		resp := b.Do(sent)
		if wantStatus(t, resp, 403); resp.Header.Get("Secure-Session-Challenge") == "" || len(resp.Cookies()) != 0 {
			t.Errorf("the answer to a used challenge is %v", resp.Header)
		}
		b.Refresh()
	}
	s.clock.advance(30 * time.Minute)
	wantPage(t, b.Get("/"), "ada bound")
	if got := s.told(devicebound.EventProofFailed); len(got) != 4 || !strings.Contains(got[0], "used already") {
		t.Errorf("events %q, want three of used challenges and one of an old one", got)
	}
}

// Of requests with one proof on two nodes, which have all seen the same state, one gets a cookie.
func TestAProofIsGoodOnceOnAllNodes(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	node := s.node(devicebound.Options{Policy: devicebound.Enforce})
	b := s.signedIn()
	var sent *http.Request
	b.Alter = func(r *http.Request) {
		sent = r.Clone(r.Context())
		r.Header.Del("Secure-Session-Response") // so that it is not used here
	}
	b.Refresh()
	b.Alter = nil
	const n = 8
	var met, done sync.WaitGroup
	met.Add(n)
	var loads atomic.Int32
	s.store.hook(func(call string) error {
		if call == "load" && loads.Add(1) <= n { // all have seen the same state
			met.Done()
			met.Wait()
		}
		return nil
	})
	good := 0
	var mu sync.Mutex
	for i := range n {
		done.Add(1)
		go func() {
			defer done.Done()
			one := b.Copy()
			if i%2 == 1 {
				one = node.browserWith(b)
			}
			one.Deaf = true
			if resp := one.Do(sent.Clone(t.Context())); resp.StatusCode == 200 {
				mu.Lock()
				good++
				mu.Unlock()
			} else {
				wantStatus(t, resp, 403)
			}
		}()
	}
	done.Wait()
	if good != 1 {
		t.Errorf("%d of %d requests with one proof got a cookie, want 1", good, n)
	}
}

func TestAnOutageKeepsTheKey(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce}, func(o *session.Options) {
		o.OnError = func(w http.ResponseWriter, r *http.Request, _ error) { http.NotFound(w, r) }
	})
	errDown := errors.New("the disk is on fire")
	for _, down := range []string{"load", "save"} {
		b := s.signedIn()
		s.store.hook(func(call string) error {
			if call == down {
				return errDown
			}
			return nil
		})
		b.Refresh()
		wantLog(t, b, "POST "+refreshPath+": 503")
		s.store.hook(nil)
		s.clock.advance(30 * time.Minute)
		wantPage(t, b.Get("/"), "ada bound")
	}
}

func TestARegistrationDuringAnOutageBindsNothing(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	b := s.browser()
	b.Hold = true
	b.Get("/login")
	s.store.hook(func(call string) error { return errors.New("down") })
	b.Register()
	s.store.hook(nil)
	wantLog(t, b, "GET /login: 303", "POST "+registerPath+": 503")
	wantPage(t, b.Get("/"), "ada pending")
}

func TestOtherSitesLearnNothingAtARefresh(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	b := s.signedIn()
	resp := b.Post(refreshPath)
	wantStatus(t, resp, 400)
	if got := s.store.trips(); got != "0 loads, 0 saves" {
		t.Errorf("a request without the header is %s", got)
	}
	b.Alter = func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }
	var answers []http.Header
	for _, resp := range []*http.Response{resp, b.Get(refreshPath), b.Post(registerPath)} {
		answers = append(answers, resp.Header)
	}
	for _, h := range answers {
		if h.Get("Cross-Origin-Resource-Policy") != "same-origin" || h.Get("Cache-Control") != "no-store" ||
			h.Get("Access-Control-Allow-Origin") != "" || h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("an answer has the headers %v", h)
		}
	}
}

func TestTheEndpointsAreForPostAlone(t *testing.T) {
	s := newSite(t, devicebound.Options{})
	for _, path := range []string{registerPath, refreshPath} {
		w := httptest.NewRecorder()
		s.h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, sessiontest.Site+path, nil))
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != http.MethodPost {
			t.Errorf("%s: status %d, Allow %q, want 405 and POST", path, w.Code, w.Header().Get("Allow"))
		}
	}
}
