// Package provider runs sign-ins by an OpenID provider, and what the provider says of them, in every order of their
// calls to a store. It is what internal/explore is for other requests, and only tests use it.
package provider

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

const (
	issuer = "https://id.example.com"
	client = "shop"
)

// Provider is an OpenID provider with one client. It is reached without a network, and safe for concurrent use.
type Provider struct {
	t     testing.TB
	key   jose.JSONWebKey
	about *oidc.Provider
}

// New returns a provider that the client has discovered.
func New(t testing.TB) *Provider {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &Provider{t: t, key: jose.JSONWebKey{Key: key, KeyID: "1", Algorithm: oidc.ES256, Use: "sig"}}
	if p.about, err = oidc.NewProvider(oidc.ClientContext(context.Background(), p.reached()), issuer); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *Provider) reached() *http.Client { return &http.Client{Transport: p} }

// RoundTrip answers with the document of the provider, or with its keys.
func (p *Provider) RoundTrip(r *http.Request) (*http.Response, error) {
	var page any = claims{"issuer": issuer, "jwks_uri": issuer + "/keys", "authorization_endpoint": issuer + "/auth",
		"id_token_signing_alg_values_supported": []string{oidc.ES256}}
	if r.URL.Path == "/keys" {
		page = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{p.key.Public()}}
	}
	body, err := json.Marshal(page)
	return &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)),
	}, err
}

// claims are those of a token.
type claims map[string]any

// sign makes a token of a type, which is good for two minutes.
func (p *Provider) sign(kind string, at time.Time, more claims) string {
	c := claims{"iss": issuer, "aud": client, "iat": at.Unix(), "exp": at.Add(2 * time.Minute).Unix()}
	maps.Copy(c, more)
	text, err := json.Marshal(c)
	if err != nil {
		p.t.Fatal(err)
	}
	opts := (&jose.SignerOptions{}).WithType(jose.ContentType(kind))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: p.key}, opts)
	if err != nil {
		p.t.Fatal(err)
	}
	signed, err := signer.Sign(text)
	if err != nil {
		p.t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		p.t.Fatal(err)
	}
	return token
}

// IDToken is what a person brings back from a sign-in.
func (p *Provider) IDToken(sub, sid string, at time.Time) string {
	return p.sign("JWT", at, claims{"sub": sub, "sid": sid})
}

// LogoutToken ends a sign-in, if by is "sid", and all of a person if it is "sub".
func (p *Provider) LogoutToken(by, value, jti string, at time.Time) string {
	event := claims{"http://schemas.openid.net/event/backchannel-logout": claims{}}
	return p.sign("logout+jwt", at, claims{by: value, "jti": jti, "events": event})
}

// Event is a security event token of the Continuous Access Evaluation Profile about the same.
func (p *Provider) Event(name, by, value, jti string, at time.Time) string {
	about := claims{"format": "opaque", "id": value}
	if by == "sub" {
		about = claims{"format": "iss_sub", "iss": issuer, "sub": value}
	}
	event := claims{"https://schemas.openid.net/secevent/caep/event-type/" + name: claims{}}
	return p.sign("secevent+jwt", at, claims{"jti": jti, "events": event, "sub_id": about})
}
