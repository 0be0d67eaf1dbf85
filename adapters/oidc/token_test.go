package oidcsession_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	oidcsession "github.com/coatcheck/session/adapters/oidc"
	"github.com/coatcheck/session/memstore"
)

// wrongTokens are claims that make a good token a wrong one.
func wrongTokens(now int64) map[string]object {
	return map[string]object{
		"another issuer":        {"iss": "https://evil.example"},
		"no issuer":             {"iss": nil},
		"an issuer in slashes":  {"iss": "/"},
		"another audience":      {"aud": "bank"},
		"other audiences":       {"aud": []string{"bank", "shops"}},
		"no audience":           {"aud": nil},
		"no iat":                {"iat": nil},
		"iat of tomorrow":       {"iat": now + 86400, "exp": now + 86500},
		"iat of a minute ahead": {"iat": now + 61},
		"a huge iat":            {"iat": 1e300},
		"expired":               {"exp": now - 61},
		"no jti":                {"jti": nil},
		"an empty jti":          {"jti": ""},
		"a jti that is no text": {"jti": 7},
		"a nonce":               {"nonce": "n"},
		"a nonce that is null":  {"nonce": json.RawMessage("null")},
		"a nonce that is empty": {"nonce": ""},
		"no events":             {"events": nil},
		"events as a list":      {"events": []string{logoutEvent}},
		"no event":              {"events": object{}},
	}
}

func TestALogoutTokenWithAWrongClaimEndsNothing(t *testing.T) {
	p, one, two := pair(t)
	phone := newBrowser(t)
	phone.signIn(one, "ada", "sid 1")
	now := p.clock.now().Unix()
	rows := wrongTokens(now)
	for name, more := range map[string]object{
		"issued too long ago":     {"iat": now - 181},
		"no exp":                  {"exp": nil},
		"another event":           {"events": object{sessionRevoked: object{}}},
		"an event that is null":   {"events": object{logoutEvent: json.RawMessage("null")}},
		"an event that is a text": {"events": object{logoutEvent: "yes"}},
		"events in capitals":      {"events": nil, "Events": object{logoutEvent: object{}}},
		"neither sub nor sid":     {"sub": nil, "sid": nil},
		"empty sub and sid":       {"sub": "", "sid": ""},
		"a sid that is no text":   {"sid": 7},
	} {
		rows[name] = more
	}
	for name, more := range rows {
		status, body := two.logout(p.sign(t, "logout+jwt", p.logoutClaims("ada", "sid 1").with(more)))
		var answer struct{ Error, Error_description string }
		if err := json.Unmarshal([]byte(body), &answer); status != http.StatusBadRequest || err != nil ||
			answer.Error != "invalid_request" || answer.Error_description == "" {
			t.Errorf("%s: %d %s, want 400 with an error", name, status, body)
		}
		if missing := name == "no exp"; (answer.Error_description == "exp is missing") != missing {
			t.Errorf("%s: the description is %q", name, answer.Error_description)
		}
	}
	phone.is(one, "ada|")
	if got := two.reported("refused", ""); got != len(rows) {
		t.Errorf("the site was told of %d refused tokens, want %d", got, len(rows))
	}
	two.logsOut(p.sign(t, "logout+jwt", p.logoutClaims("", "sid 2").with(object{"iat": now + 60})))
	two.logsOut(p.sign(t, "logout+jwt", p.logoutClaims("", "sid 2").with(object{"iat": now - 180, "exp": now - 60})))
	two.logsOut(p.sign(t, "logout+jwt", p.logoutClaims("ada", "sid 1").with(object{
		"aud": []string{"bank", clientID}, "iat": now - 170, "exp": now - 50, "more": "is not looked at"})))
	phone.is(one, ended)
}

func TestATypeThatIsNotThatOfALogoutTokenIsRefused(t *testing.T) {
	p, loose, _ := pair(t)
	strict := newNode(t, p, memstore.New(memstore.Options{}), oidcsession.Options{RequireType: true})
	for kind, want := range map[string][2]int{
		"logout+jwt": {200, 200}, "Logout+JWT": {200, 200}, "application/logout+jwt": {200, 200},
		"": {200, 400}, "JWT": {200, 400}, "at+jwt": {400, 400}, "secevent+jwt": {400, 400}, "dpop+jwt": {400, 400},
	} {
		for i, n := range []*node{loose, strict} {
			if status, _ := n.logout(p.sign(t, kind, p.logoutClaims("ada", "sid 1"))); status != want[i] {
				t.Errorf("typ %q, strict %v: %d, want %d", kind, i == 1, status, want[i])
			}
		}
	}
}

func TestATokenThatTheProviderHasNotSignedIsRefused(t *testing.T) {
	p, one, _ := pair(t)
	phone := newBrowser(t)
	phone.signIn(one, "ada", "sid 1")
	claims := p.logoutClaims("ada", "sid 1")
	good := p.sign(t, "logout+jwt", claims)
	head, rest, _ := strings.Cut(good, ".")
	body, signature, _ := strings.Cut(rest, ".")
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	public, _ := json.Marshal(p.keys[0].Public())
	stranger := newProvider(t)
	stranger.keys = nil
	stranger.rotate(t)
	for name, token := range map[string]string{
		"nothing":             "",
		"no signature":        head + "." + body + ".",
		"alg none":            encode(`{"alg":"none","typ":"logout+jwt"}`) + "." + body + ".",
		"alg None":            encode(`{"alg":"None","typ":"logout+jwt"}`) + "." + body + ".",
		"the public key":      signWith(t, jose.SigningKey{Algorithm: jose.HS256, Key: public}, "logout+jwt", claims),
		"another alg":         signWith(t, jose.SigningKey{Algorithm: jose.RS512, Key: rsaKey()}, "logout+jwt", claims),
		"another key":         stranger.sign(t, "logout+jwt", claims),
		"other claims":        head + "." + encode(`{"sid":"sid 1"}`) + "." + signature,
		"another header":      encode(`{"alg":"RS256","typ":"logout+jwt","kid":"first","x":1}`) + "." + rest,
		"a key of its own":    encode(`{"alg":"RS256","jwk":`+string(public)+`}`) + "." + rest,
		"a critical header":   encode(`{"alg":"RS256","crit":["x"],"x":1}`) + "." + rest,
		"JSON":                `{"payload":"` + body + `","protected":"` + head + `","signature":"` + signature + `"}`,
		"five parts":          good + ".a.b",
		"one part":            head,
		"cut off":             good[:len(good)-2],
		"another spelling":    good + "=",
		"with a line break":   head + ".\n" + rest,
		"an ID token":         p.idToken(t, "ada", "sid 1", nil),
		"an ID token, nonce":  p.idToken(t, "ada", "sid 1", object{"nonce": "n"}),
		"not base64":          "%." + rest,
		"a header that lies":  encode(`[]`) + "." + rest,
		"a header of numbers": encode(`{"alg":7,"typ":7}`) + "." + rest,
	} {
		if status, answer := one.logout(token); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s, want 400", name, status, answer)
		}
	}
	phone.is(one, "ada|")
	one.logsOut(good)
	phone.is(one, ended)
}

func TestWhatIsNoFormWithATokenIsRefused(t *testing.T) {
	p, one, _ := pair(t)
	token := p.logoutToken(t, "ada", "sid 1")
	big := "logout_token=" + p.sign(t, "logout+jwt", p.logoutClaims("ada", "").with(object{
		"more": strings.Repeat("x", 1<<20)}))
	huge := "a=" + strings.Repeat("a", 1<<20) + "&logout_token="
	for name, row := range map[string]struct {
		method, query, kind, body string
		want                      int
	}{
		"GET":            {http.MethodGet, "", "", "", 405},
		"HEAD":           {http.MethodHead, "", "", "", 405},
		"PUT":            {http.MethodPut, "", formType, "logout_token=" + token, 405},
		"no type":        {http.MethodPost, "", "", "logout_token=" + token, 400},
		"JSON":           {http.MethodPost, "", "application/json", `{"logout_token":"` + token + `"}`, 400},
		"in the query":   {http.MethodPost, "?logout_token=" + token, formType, "", 400},
		"twice":          {http.MethodPost, "", formType, "logout_token=" + token + "&logout_token=" + token, 400},
		"not escaped":    {http.MethodPost, "", formType, "logout_token=%zz", 400},
		"a huge token":   {http.MethodPost, "", formType, big, 400},
		"in parts":       {http.MethodPost, "", "multipart/form-data; boundary=b", parts(token), 400},
		"huge":           {http.MethodPost, "", formType, huge + token, 400},
		"with a charset": {http.MethodPost, "", formType + "; charset=utf-8", "logout_token=" + token, 200},
	} {
		r, _ := http.NewRequestWithContext(t.Context(), row.method, one.URL+"/logout"+row.query,
			strings.NewReader(row.body))
		r.Header.Set("Content-Type", row.kind)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if status, body := read(t, resp); status != row.want {
			t.Errorf("%s: %d %s, want %d", name, status, body, row.want)
		}
	}
}

// parts is a form of the other type.
func parts(token string) string {
	return "--b\r\nContent-Disposition: form-data; name=\"logout_token\"\r\n\r\n" + token + "\r\n--b--\r\n"
}

func TestKeysThatAreReplacedAreFetched(t *testing.T) {
	p, one, _ := pair(t)
	one.logsOut(p.logoutToken(t, "ada", "sid 1"))
	p.rotate(t)
	p.clock.advance(5 * time.Second)
	one.logsOut(p.logoutToken(t, "ada", "sid 2"))
	if n := p.fetches.Load(); n != 2 {
		t.Errorf("the keys were fetched %d times, want 2", n)
	}
}

func TestTokensOfUnknownKeysDoNotMakeTheSiteFetch(t *testing.T) {
	p, one, _ := pair(t)
	one.logsOut(p.logoutToken(t, "ada", "sid 0"))
	stranger := newProvider(t)
	stranger.rotate(t)
	flood := func() {
		for range 20 {
			if status, _ := one.logout(stranger.sign(t, "", p.logoutClaims("ada", "sid 1"))); status != 400 {
				t.Errorf("an unknown key: %d, want 400", status)
			}
		}
	}
	flood()
	if n := p.fetches.Load(); n != 1 {
		t.Errorf("the keys were fetched %d times, want once", n)
	}
	p.clock.advance(5 * time.Second)
	flood()
	if n := p.fetches.Load(); n != 2 {
		t.Errorf("five seconds later the keys were fetched %d times, want twice", n)
	}
	p.clock.advance(-time.Hour) // a clock that is put back must not lock the keys
	one.logsOut(p.logoutToken(t, "ada", "sid 1"))
}

func TestAProviderThatIsDownIsAskedAgainLater(t *testing.T) {
	for name, instead := range map[string]string{
		"an error": "status", "a page": "<p>down", "JSON": `"down"`, "no keys": "{}",
		"too many": strings.Repeat(" ", 2<<20),
	} {
		t.Run(name, func(t *testing.T) {
			p, one, two := pair(t)
			phone := newBrowser(t)
			phone.signIn(two, "ada", "sid 1")
			before := p.fetches.Load()
			p.down.Store(instead)
			token := p.logoutToken(t, "ada", "sid 1")
			for range 5 {
				if status, body := one.logout(token); status != http.StatusServiceUnavailable {
					t.Errorf("without keys: %d %s, want 503", status, body)
				}
			}
			if n := p.fetches.Load() - before; n != 1 {
				t.Errorf("the keys were asked for %d times, want once", n)
			}
			p.down.Store("")
			p.clock.advance(5 * time.Second)
			one.logsOut(token)
			phone.is(two, ended)
		})
	}
}

func TestKeysAtHandServeWhileOthersCannotBeFetched(t *testing.T) {
	p, one, _ := pair(t)
	one.logsOut(p.logoutToken(t, "ada", "sid 1"))
	p.down.Store("status")
	p.clock.advance(time.Minute)
	stranger := newProvider(t)
	stranger.rotate(t)
	if status, _ := one.logout(stranger.sign(t, "", p.logoutClaims("ada", "sid 2"))); status != 503 {
		t.Errorf("an unknown key: %d, want 503", status)
	}
	one.logsOut(p.logoutToken(t, "ada", "sid 2"))
}
