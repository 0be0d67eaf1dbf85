package oidcsession_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	oidcsession "github.com/coatcheck/session/adapters/oidc"
	"github.com/coatcheck/session/memstore"
)

// send sends a body to a handler.
func send(h http.Handler, kind, body string) int {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

const (
	formType = "application/x-www-form-urlencoded"
	setType  = "application/secevent+jwt"
)

// FuzzToken sends what anybody can send. Nothing of it is signed by the provider but what begins the corpus.
func FuzzToken(f *testing.F) {
	p := newProvider(f)
	n := newNode(f, p, memstore.New(memstore.Options{}), oidcsession.Options{})
	receiver, err := n.links.Receiver(oidcsession.Transmitter{})
	if err != nil {
		f.Fatal(err)
	}
	known := map[string]bool{}
	for _, kind := range []string{"logout+jwt", "secevent+jwt", "JWT", ""} {
		token := p.sign(f, kind, p.logoutClaims("ada", "sid 1"))
		known[token] = true
		f.Add(token)
	}
	for _, text := range []string{"", "..", "a.b.c", "e30.e30.e30", `{"payload":""}`, "eyJhbGciOiJub25lIn0.e30."} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, token string) {
		status := send(n.links.Logout(), formType, url.Values{"logout_token": {token}}.Encode())
		if status != http.StatusBadRequest && !(known[token] && status == http.StatusOK) {
			t.Errorf("as a logout token: %d", status)
		}
		status = send(receiver, setType, token)
		if status != http.StatusBadRequest && !(known[token] && status == http.StatusAccepted) {
			t.Errorf("as a security event token: %d", status)
		}
	})
}

// FuzzClaims has the provider sign anything. What is taken must say what such a token says.
func FuzzClaims(f *testing.F) {
	p := newProvider(f)
	p.rotate(f) // to a key that signs fast
	n := newNode(f, p, memstore.New(memstore.Options{}), oidcsession.Options{})
	receiver, err := n.links.Receiver(oidcsession.Transmitter{})
	if err != nil {
		f.Fatal(err)
	}
	add := func(claims object) {
		text, _ := json.Marshal(claims.with(object{"iss": "ISSUER"}))
		f.Add(text)
	}
	add(p.logoutClaims("ada", "sid 1"))
	for _, more := range wrongTokens(p.clock.now().Unix()) {
		add(p.logoutClaims("ada", "sid 1").with(more))
	}
	for _, subject := range []object{
		{"format": "opaque", "id": "sid 1"}, {"format": "iss_sub", "iss": "ISSUER", "sub": "ada"},
		{"format": "complex", "user": object{"format": "email", "email": "a@example.com"}}, {"session": object{}},
	} {
		add(p.event(sessionRevoked, object{}, subject))
		add(p.event(credentialChange, object{"change_type": "update"}, subject))
	}
	key := jose.SigningKey{Algorithm: jose.ES256, Key: p.keys[1]}
	f.Fuzz(func(t *testing.T, text []byte) {
		text = []byte(strings.ReplaceAll(string(text), "ISSUER", p.URL))
		var claims map[string]json.RawMessage
		_ = json.Unmarshal(text, &claims)
		events := string(claims["events"])
		token := signBytes(t, key, "logout+jwt", text)
		switch status := send(n.links.Logout(), formType, url.Values{"logout_token": {token}}.Encode()); {
		case status == http.StatusBadRequest:
		case status != http.StatusOK || claims["nonce"] != nil || claims["jti"] == nil || claims["iat"] == nil ||
			claims["exp"] == nil || claims["sub"] == nil && claims["sid"] == nil || !strings.Contains(events, "logout"):
			t.Errorf("as a logout token: %d for %s", status, text)
		}
		token = signBytes(t, key, "secevent+jwt", text)
		switch status := send(receiver, setType, token); {
		case status == http.StatusBadRequest:
		case status != http.StatusAccepted || claims["nonce"] != nil || claims["jti"] == nil || claims["iat"] == nil ||
			!strings.HasPrefix(events, "{"):
			t.Errorf("as a security event token: %d for %s", status, text)
		}
	})
}
