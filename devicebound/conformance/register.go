package conformance

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/coatcheck/session/internal/dbsc"
	"github.com/coatcheck/session/sessiontest"
)

func rules() []rule { return slices.Concat(registrationRules(), refreshRules(), endRules()) }

func registrationRules() []rule {
	return []rule{
		{"a sign-in offers a registration", "Each item in the list must be an inner list, and each item in the inner " +
			"list MUST be an sf-token representing a supported algorithm (ES256, RS256, none)", offers},
		{"a registration is answered with instructions", "This key MUST be present " +
			"(session_identifier, scope, include_site, credentials); create-session.https.html", instructs},
		{"the bound cookie is the one of the instructions", "All of the following attributes of cookie match those " +
			"in credential's attributes: Domain, Path, Secure, HttpOnly, SameSite; " +
			"credentials-matching.https.html", matches},
		{"a bound session is signed in", "Issue new bound cookies", signsIn},
		{"strings are read with quotes", "Secure-Session-Response is a structured header. Its value must be a string",
			quoted(true)},
		{"strings are read without quotes", "What Chromium 156 sends", quoted(false)},
		{"what is not known is ignored", "The payload of DBSC proof MUST contain at least the following claims: jti",
			ignores},
		{"two sign-ins have two sessions", "a string that is a unique identifier of a session", differs},
		{"no key without a good proof is registered", "The header of a DBSC proof MUST contain at least typ, alg, " +
			"jwk; registration-sends-challenge.https.html", refusesRegistrations},
		{"no session is registered for another", "Validate the header has signed a recent challenge", refusesOthers},
		{"a challenge of a registration is good once", "The server should reject signed responses that use a stale " +
			"challenge", registersOnce},
	}
}

func offers(e *env) error {
	said, err := e.offered().tap.offer()
	if err != nil {
		return err
	}
	list, err := dbsc.List(said.resp.Header[dbsc.Registration])
	if err != nil {
		return err
	}
	for _, m := range list {
		path, hasPath := m.Params["path"].(string)
		challenge, _ := m.Params["challenge"].(string)
		known := func(a any) bool { return a == dbsc.Token(dbsc.ES256) || a == dbsc.Token(dbsc.RS256) }
		switch {
		case !slices.ContainsFunc(m.Inner, known) || slices.Contains(m.Inner, any(dbsc.Token("none"))):
			return fmt.Errorf("the algorithms are %v, want ES256 or RS256, and not none", m.Inner)
		case !hasPath || path == "":
			return fmt.Errorf("the parameters are %v, want a path", m.Params)
		case len(challenge) < 16:
			return fmt.Errorf("the challenge %q has too few characters to be of 128 bits", challenge)
		}
	}
	return nil
}

// answer are the instructions as they are on the wire.
type answer struct {
	ID    string `json:"session_identifier"`
	Scope *struct {
		IncludeSite *bool `json:"include_site"`
	} `json:"scope"`
	Credentials []struct{ Type, Name, Attributes string } `json:"credentials"`
}

// instructed is a client with a bound session, and the instructions that it got.
func (e *env) instructed() (*client, talk, answer, error) {
	var a answer
	c, err := e.signIn()
	if err != nil {
		return nil, talk{}, a, err
	}
	said, err := c.tap.registration()
	if err == nil {
		err = json.Unmarshal(said.body, &a)
	}
	return c, said, a, err
}

func instructs(e *env) error {
	_, said, a, err := e.instructed()
	switch {
	case err != nil:
		return err
	case said.resp.StatusCode != http.StatusOK || a.ID == "" || a.Scope == nil || a.Scope.IncludeSite == nil:
		return fmt.Errorf("status %d, %s, want 200 and session_identifier, scope and include_site",
			said.resp.StatusCode, said.body)
	case len(a.Credentials) == 0 || a.Credentials[0].Type != "cookie" || a.Credentials[0].Name == "":
		return fmt.Errorf("the credentials are %v, want a cookie with a name", a.Credentials)
	}
	return nil
}

func matches(e *env) error {
	_, said, a, err := e.instructed()
	if err != nil {
		return err
	}
	for _, want := range a.Credentials {
		wanted, err := http.ParseSetCookie(strings.TrimSuffix(want.Name+"=x; "+want.Attributes, "; "))
		if err != nil {
			return fmt.Errorf("the attributes %q are none of a cookie: %w", want.Attributes, err)
		}
		if !slices.ContainsFunc(said.resp.Cookies(), func(c *http.Cookie) bool {
			return c.Name == wanted.Name && c.Domain == wanted.Domain && c.Path == wanted.Path &&
				c.Secure == wanted.Secure && c.HttpOnly == wanted.HttpOnly && c.SameSite == wanted.SameSite
		}) {
			return fmt.Errorf("the response sets %v, want %s with %s", said.resp.Header["Set-Cookie"], want.Name,
				want.Attributes)
		}
	}
	return nil
}

func signsIn(e *env) error {
	c, err := e.signIn()
	if err == nil && !e.s.SignedIn(c.Browser) {
		err = fmt.Errorf("the browser is not signed in; it sent %q", c.Log())
	}
	return err
}

func quoted(on bool) func(*env) error {
	return func(e *env) error {
		c := e.offered()
		c.Quoted = on
		c.Register()
		c.Refresh()
		said, err := c.tap.refresh()
		if err == nil && said.resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("the browser sent %q, want a registration and a refresh that are good", c.Log())
		}
		return err
	}
}

func ignores(e *env) error {
	c := e.offered()
	c.Proof = func(p *sessiontest.Proof) {
		p.Header["kid"], p.Claims["iat"], p.Claims["unheard-of"] = "x", "1725579055", map[string]any{"of": 1}
		if jwk, ok := p.Header["jwk"].(map[string]any); ok {
			jwk["use"] = "sig"
		}
	}
	c.Register()
	c.Refresh()
	said, err := c.tap.refresh()
	if err == nil && said.resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("the browser sent %q", c.Log())
	}
	return err
}

func differs(e *env) error {
	one, err := e.signIn()
	if err != nil {
		return err
	}
	two, err := e.signIn()
	if err == nil && one.Sessions()[0] == two.Sessions()[0] {
		err = fmt.Errorf("both are %s", one.Sessions()[0])
	}
	return err
}

// stranger is a key of nobody's.
func stranger() *ecdsa.PrivateKey {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // which does not fail
	return key
}

// badProofs are proofs that no server takes, for a registration and for a refresh.
var badProofs = map[string]func(*sessiontest.Proof){
	"signed by another key":     func(p *sessiontest.Proof) { p.Key = stranger() },
	"of the algorithm none":     func(p *sessiontest.Proof) { p.Header["alg"] = "none" },
	"of another algorithm":      func(p *sessiontest.Proof) { p.Header["alg"] = "HS256" },
	"without an algorithm":      func(p *sessiontest.Proof) { delete(p.Header, "alg") },
	"of another type":           func(p *sessiontest.Proof) { p.Header["typ"] = "JWT" },
	"without a type":            func(p *sessiontest.Proof) { delete(p.Header, "typ") },
	"without a challenge":       func(p *sessiontest.Proof) { delete(p.Claims, "jti") },
	"of an empty challenge":     func(p *sessiontest.Proof) { p.Claims["jti"] = "" },
	"of a challenge of its own": func(p *sessiontest.Proof) { p.Claims["jti"] = strings.Repeat("A", 54) },
}

func refusesRegistrations(e *env) error {
	bad := map[string]func(*sessiontest.Proof){
		"without a key": func(p *sessiontest.Proof) { delete(p.Header, "jwk") },
		"of a key off the curve": func(p *sessiontest.Proof) {
			p.Header["jwk"].(map[string]any)["y"] = dbsc.Encode(make([]byte, 32))
		},
	}
	for name, lie := range badProofs {
		bad[name] = lie
	}
	for name, lie := range bad {
		c := e.offered()
		c.Proof = lie
		c.Register()
		said, err := c.tap.registration()
		if err != nil {
			return err
		}
		if said.gives() {
			return fmt.Errorf("a proof %s: status %d, cookies %v", name, said.resp.StatusCode, said.resp.Cookies())
		}
	}
	return nil
}

func refusesOthers(e *env) error {
	one, two := e.offered(), e.offered()
	text, err := two.tap.offeredChallenge()
	if err != nil {
		return err
	}
	one.Proof = func(p *sessiontest.Proof) { p.Claims["jti"] = text }
	one.Register()
	said, err := one.tap.registration()
	if err == nil && said.gives() {
		err = fmt.Errorf("the challenge of another session is good: status %d", said.resp.StatusCode)
	}
	return err
}

func registersOnce(e *env) error {
	c, err := e.signIn()
	if err != nil {
		return err
	}
	first, err := c.tap.registration()
	if err != nil {
		return err
	}
	same := first.r.Clone(first.r.Context())
	same.Header.Del("Cookie")
	c.Deaf = true
	c.Do(same)
	again, err := c.tap.registration()
	if err == nil && again.gives() {
		err = fmt.Errorf("the same registration again: status %d", again.resp.StatusCode)
	}
	return err
}
