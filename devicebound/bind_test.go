package devicebound_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session/devicebound"
	"github.com/coatcheck/session/internal/dbsc"
	"github.com/coatcheck/session/sessiontest"
)

func TestASignInIsBoundAndStaysSo(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	for login, status := range map[string]string{"/login": "303", "/login-here": "200"} {
		for _, quoted := range []bool{false, true} {
			b := s.browser()
			b.Quoted = quoted
			b.Get(login)
			wantLog(t, b, "GET "+login+": "+status, "POST "+registerPath+": 200")
			for range 4 {
				wantPage(t, b.Get("/"), "ada bound")
				s.clock.advance(6 * time.Minute)
			}
		}
	}
	if got := s.told(devicebound.EventBound); len(got) != 4 || got[0] != "ada: <nil>" {
		t.Errorf("events bound: %q, want one for each sign-in", got)
	}
}

func TestABrowserThatKnowsNothingGoesOnAsBefore(t *testing.T) {
	for _, policy := range []devicebound.Policy{devicebound.Prefer, devicebound.Enforce} {
		s := newSite(t, devicebound.Options{Policy: policy})
		b := s.browser()
		b.Deaf = true
		b.Get("/login")
		for range 3 {
			wantPage(t, b.Get("/"), "ada pending")
			s.clock.advance(time.Hour)
		}
	}
}

func TestAStrangerIsOfferedNothing(t *testing.T) {
	s := newSite(t, devicebound.Options{})
	b := s.browser()
	for _, path := range []string{"/", "/set", "/untouched", "/logout", "/regenerate"} {
		if h := b.Get(path).Header; h.Get("Secure-Session-Registration") != "" {
			t.Errorf("%s offers a registration", path)
		}
	}
	b = s.signedIn()
	for _, path := range []string{"/", "/set", "/regenerate", "/logout"} {
		if h := b.Get(path).Header; h.Get("Secure-Session-Registration") != "" {
			t.Errorf("%s offers a registration to who is signed in already", path)
		}
	}
}

func TestTheOfferIsAHeaderOfTheDraft(t *testing.T) {
	for opts, want := range map[*devicebound.Options]string{
		{}:                                      `(ES256);path="/device-bound/register";challenge="`,
		{RSA: true, RegisterPath: "/a-b/start"}: `(ES256 RS256);path="/a-b/start";challenge="`,
	} {
		s := newSite(t, *opts)
		b := s.browser()
		b.Hold = true
		got := b.Get("/login").Header.Get("Secure-Session-Registration")
		if !strings.HasPrefix(got, want) || len(got) != len(want)+54+1 { // 40 bytes, of which 16 are random
			t.Errorf("the offer is %s, want %s", got, want)
		}
	}
}

func TestARegistrationNeedsTheOfferOfItsSession(t *testing.T) {
	s := newSite(t, devicebound.Options{})
	for name, do := range map[string]func(b, other *sessiontest.Browser){
		"of another session": func(b, other *sessiontest.Browser) {
			b.SetCookie(ticketCookie, other.Cookie(ticketCookie))
			b.Register()
		},
		"without a session": func(b, _ *sessiontest.Browser) {
			b.SetCookie(ticketCookie, "")
			b.Register()
		},
		"too late": func(b, _ *sessiontest.Browser) {
			s.clock.advance(time.Minute)
			b.Register()
		},
		"after the next sign-in": func(b, _ *sessiontest.Browser) {
			s.clock.advance(time.Second)
			b.Deaf = true
			b.Get("/login")
			b.Deaf = false
			b.Register()
		},
		"after a sign-in of somebody else": func(b, _ *sessiontest.Browser) {
			b.Deaf = true
			b.Get("/login?user=bob")
			b.Deaf = false
			b.Register()
		},
		"after the logout": func(b, _ *sessiontest.Browser) {
			b.Get("/logout")
			b.Register()
		},
		"with a challenge of another session": func(b, other *sessiontest.Browser) {
			b.Proof = func(p *sessiontest.Proof) { p.Claims["jti"] = offered(other) }
			b.Register()
		},
	} {
		b, other := s.browser(), s.browser()
		b.Hold, other.Hold = true, true
		b.Get("/login")
		other.Get("/login")
		s.told("")
		do(b, other)
		if len(b.Sessions()) != 0 || len(s.told(devicebound.EventProofFailed)) != 1 {
			t.Errorf("%s: the browser has %q, want it refused and told once", name, b.Sessions())
		}
		for _, b := range []*sessiontest.Browser{b, other} {
			if got := body(t, b.Get("/")); strings.Contains(got, "bound") {
				t.Errorf("%s: the session is %s", name, got)
			}
		}
	}
}

// offered signs in again and returns the challenge of that.
func offered(b *sessiontest.Browser) string {
	_, text, _ := strings.Cut(b.Get("/login").Header.Get("Secure-Session-Registration"), `challenge="`)
	return strings.TrimSuffix(text, `"`)
}

func TestASessionIsBoundOnce(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	b := s.browser()
	b.Hold = true
	b.Get("/login")
	var again *http.Request
	b.Alter = func(r *http.Request) { again = r.Clone(r.Context()) }
	b.Register()
	b.Alter = nil
	first := b.Sessions()
	wantStatus(t, b.Do(again), http.StatusForbidden)
	wantPage(t, b.Get("/"), "ada bound")
	s.clock.advance(20 * time.Minute)
	wantPage(t, b.Get("/"), "ada bound")
	if got := b.Sessions(); len(got) != 1 || got[0] != first[0] {
		t.Errorf("the sessions are %q, want %q", got, first)
	}
}

// A lost answer leaves a session that its browser cannot prove; to sign in again mends that.
func TestASignInMendsARegistrationWhoseAnswerWasLost(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	b := s.signedIn()
	lost := b.Copy()
	lost.SetCookie(boundCookie, "")
	wantPage(t, lost.Get("/"), " none")
	lost.Get("/login")
	wantPage(t, lost.Get("/"), "ada bound")
}

func TestASignInBindsAnew(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	for _, again := range []string{"/login", "/login-here", "/login?user=bob"} {
		b := s.signedIn()
		before, old := b.Sessions()[0], b.Cookie(boundCookie)
		s.clock.advance(time.Second)
		resp := b.Get(again)
		if c := setCookie(resp, boundCookie); c == nil || c.MaxAge >= 0 {
			t.Errorf("%s leaves the old bound cookie: %v", again, c)
		}
		wantPage(t, b.Get("/"), map[bool]string{true: "bob bound", false: "ada bound"}[strings.Contains(again, "bob")])
		fresh := b.Sessions()
		if fresh[len(fresh)-1] == before {
			t.Errorf("%s: the key is still that of %s", again, before)
		}
		thief := b.Copy()
		thief.SetCookie(boundCookie, old)
		wantPage(t, thief.Get("/"), " none")
		s.clock.advance(20 * time.Minute)
		b.Get("/")
		if got := b.Sessions(); len(got) != 1 || got[0] == before {
			t.Errorf("%s: the browser has %q, and should have forgotten %s", again, got, before)
		}
	}
}

func setCookie(resp *http.Response, name string) *http.Cookie {
	for _, c := range resp.Cookies() {
		if c.Name == name {
			return c
		}
	}
	return nil
}

func TestABindingIsNoDataOfTheApplication(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	b := s.signedIn()
	b.Get("/clear")
	wantPage(t, b.Get("/"), "ada bound")
	found := sessiontest.After(t, s.m, request(b), &http.Response{Header: http.Header{}})
	state := devicebound.StateOf(found)
	if got := found.All(); len(got) != 0 || found.Has("coatcheck:bound") || state != devicebound.Bound {
		t.Errorf("All = %v of a session that is %v", got, state)
	}
}

// request is one with the browser's ticket.
func request(b *sessiontest.Browser) *http.Request {
	r := httptest.NewRequest("GET", sessiontest.Site+"/", nil)
	r.AddCookie(&http.Cookie{Name: ticketCookie, Value: b.Cookie(ticketCookie)})
	return r
}

func TestABindingTakesLittleRoom(t *testing.T) {
	s := newSite(t, devicebound.Options{})
	b := s.signedIn()
	atFirst := s.recordSize()
	for range 10 {
		s.clock.advance(time.Second)
		b.Refresh()
	}
	atMost := s.recordSize()
	s.clock.advance(11 * time.Minute)
	b.Get("/")
	usually := s.recordSize()
	b.Get("/logout")

	bare := newSite(t, devicebound.Options{})
	o, err := bare.m.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	o.Login("ada")
	if err := o.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	without := bare.recordSize()
	if atFirst-without > 250 || usually-without > 250 || atMost-without > 350 {
		t.Errorf("a binding has %d bytes, usually %d and at most %d, want 250, 250 and 350",
			atFirst-without, usually-without, atMost-without)
	}
	t.Logf("%d bytes, usually %d, at most %d", atFirst-without, usually-without, atMost-without)
}

// recordSize is the size of the data of the one session.
func (s *site) recordSize() int {
	s.t.Helper()
	recs, err := s.store.Page(s.t.Context(), "", 10)
	if err != nil || len(recs) != 1 {
		s.t.Fatalf("%d records, %v, want one", len(recs), err)
	}
	return len(recs[0].Data)
}

// The proof is as it should be, but for the kind of its key.
func TestAnRSAKeyIsForThoseWhoAskForIt(t *testing.T) {
	for asked, want := range map[bool]string{false: "ada pending", true: "ada bound"} {
		s := newSite(t, devicebound.Options{RSA: asked})
		b := s.browser()
		b.Alter = func(r *http.Request) {
			if r.URL.Path == registerPath {
				r.Header.Set(dbsc.Response, dbsc.Quote(byRSA(t, r.Header.Get(dbsc.Response))))
			}
		}
		b.Get("/login")
		b.Alter = nil
		wantPage(t, b.Get("/"), want)
	}
}

// byRSA makes the same proof with a key of the other kind.
func byRSA(t *testing.T, quoted string) string {
	t.Helper()
	old := strings.Split(strings.Trim(quoted, `"`), ".")
	raw, err := base64.RawURLEncoding.DecodeString(old[0])
	if err != nil {
		t.Fatal(err)
	}
	var header map[string]any
	if err := json.Unmarshal(raw, &header); err != nil {
		t.Fatal(err)
	}
	header["alg"], header["jwk"] = "RS256", rsaJWK
	if raw, err = json.Marshal(header); err != nil {
		t.Fatal(err)
	}
	text := dbsc.Encode(raw) + "." + old[1]
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, rsaKey, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + dbsc.Encode(signature)
}
