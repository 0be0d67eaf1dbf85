package oidcsession

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/coatcheck/session"
)

// refusal is what is wrong with a token. Its text contains nothing of the token.
type refusal struct{ code, text string }

func (r *refusal) Error() string { return "oidcsession: " + r.text }

// The codes of RFC 8935, section 2.4.
const (
	invalidRequest  = "invalid_request"
	invalidKey      = "invalid_key"
	invalidIssuer   = "invalid_issuer"
	invalidAudience = "invalid_audience"
	notAuthentic    = "authentication_failed"
)

var (
	errMalformed = &refusal{invalidRequest, "the token is no JWT that one of the accepted algorithms has signed"}
	errSignature = &refusal{invalidKey, "none of the provider's keys has signed the token"}
	errIssuer    = &refusal{invalidIssuer, "the token is of another issuer"}
	errAudience  = &refusal{invalidAudience, "the token is for another audience"}
	errType      = &refusal{invalidRequest, "the header has another typ than such a token has"}
	errIssuedAt  = &refusal{invalidRequest, "iat is missing, or in the future"}
	errTooOld    = &refusal{invalidRequest, "the token has expired, or was issued too long ago"}
	errExpiry    = &refusal{invalidRequest, "exp is missing"}
	errJTI       = &refusal{invalidRequest, "jti is missing"}
	errReplayed  = &refusal{invalidRequest, "the token was used before"}
	errNonce     = &refusal{invalidRequest, "the token has a nonce"}
	errEvents    = &refusal{invalidRequest, "events is missing, or its members are not objects"}
	errNobody    = &refusal{invalidRequest, "the token names neither sub nor sid"}
	errSubject   = &refusal{invalidRequest, "sub_id is missing, or not what its format says"}
)

// verifier checks what is signed by one issuer for one audience.
type verifier struct {
	issuer, audience string
	algorithms       []string
	keys             oidc.KeySet
	now              func() time.Time
}

// signed is a token whose signature is good.
type signed struct {
	*oidc.IDToken
	kind   string // the typ of the header, "" for none
	raw    map[string]json.RawMessage
	events map[string]json.RawMessage

	jti, sub, sid string
}

// readClaims reads them by their exact names, unlike package json by itself.
func (t *signed) readClaims() error {
	if err := t.Claims(&t.raw); err != nil {
		return err
	}
	for name, to := range map[string]any{"jti": &t.jti, "sub": &t.sub, "sid": &t.sid, "events": &t.events} {
		if raw, ok := t.raw[name]; ok && json.Unmarshal(raw, to) != nil {
			return errMalformed
		}
	}
	return nil
}

// open checks what all tokens have in common. The error is a refusal, or wraps errNoKeys.
func (v *verifier) open(ctx context.Context, text string) (t signed, err error) {
	kind, err := typeOf(text)
	if err != nil {
		return signed{}, errMalformed
	}
	keys := &noticing{KeySet: v.keys}
	tokens := oidc.NewVerifier(v.issuer, keys, &oidc.Config{
		SupportedSigningAlgs: v.algorithms, Now: v.now,
		SkipClientIDCheck: true, SkipIssuerCheck: true, SkipExpiryCheck: true, // below, so as to say what is wrong
	})
	t = signed{kind: kind}
	t.IDToken, err = tokens.Verify(ctx, text)
	switch {
	case errors.Is(keys.err, errNoKeys):
		return signed{}, fmt.Errorf("oidcsession: %w", keys.err)
	case keys.err != nil && ctx.Err() != nil:
		return signed{}, fmt.Errorf("oidcsession: %w: %w", errNoKeys, ctx.Err())
	case keys.err != nil:
		return signed{}, errSignature
	case err != nil || t.readClaims() != nil:
		return signed{}, errMalformed
	}
	return t, v.check(t)
}

func (v *verifier) check(t signed) error {
	now, skew := v.now().Unix(), int64(clockSkew/time.Second)
	switch {
	case t.Issuer != v.issuer:
		return errIssuer
	case !slices.Contains(t.Audience, v.audience):
		return errAudience
	case !t.has("iat") || t.IssuedAt.Unix() <= 0 || t.IssuedAt.Unix() > now+skew:
		return errIssuedAt
	case t.has("exp") && t.Expiry.Unix() < now-skew:
		return errTooOld
	case t.jti == "":
		return errJTI
	case len(t.events) == 0:
		return errEvents
	}
	return nil
}

func (t signed) has(claim string) bool { return t.raw[claim] != nil }

// event is what an event of the token says, and whether it is there.
func (t signed) event(name string) (payload json.RawMessage, ok bool, err error) {
	if payload, ok = t.events[name]; ok && !isObject(payload) {
		err = errEvents
	}
	return payload, ok, err
}

func isObject(raw json.RawMessage) bool { return len(raw) > 0 && raw[0] == '{' }

// checkLogout checks what section 2.6 of OpenID Connect Back-Channel Logout 1.0 wants of a logout token in addition.
func (l *Links) checkLogout(t signed) error {
	_, is, err := t.event("http://schemas.openid.net/event/backchannel-logout")
	general := !l.opts.RequireType && (t.kind == "" || t.kind == "jwt")
	switch {
	case t.kind != "logout+jwt" && !general:
		return errType
	case err != nil || !is:
		return errEvents
	case t.has("nonce") || t.Nonce != "":
		return errNonce
	case t.sub == "" && t.sid == "":
		return errNobody
	case !t.has("exp"):
		return errExpiry
	case l.m.Now().Sub(t.IssuedAt) > l.opts.MaxAge+clockSkew:
		return errTooOld
	}
	return nil
}

// typeOf reads the type in the header of a JWT in its compact form. go-oidc would take other forms as well.
func typeOf(text string) (string, error) {
	var header struct {
		Type string `json:"typ"`
	}
	head, rest, _ := strings.Cut(text, ".")
	raw, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil || strings.Count(rest, ".") != 1 || strings.ContainsAny(text, " \t\r\n") {
		return "", errMalformed
	}
	if err := json.Unmarshal(raw, &header); err != nil {
		return "", errMalformed
	}
	return strings.TrimPrefix(strings.ToLower(header.Type), "application/"), nil
}

// noticing notes why a signature did not verify, of which go-oidc passes on the text only.
type noticing struct {
	oidc.KeySet
	err error
}

// VerifySignature is that of oidc.KeySet.
func (n *noticing) VerifySignature(ctx context.Context, jwt string) (payload []byte, err error) {
	payload, n.err = n.KeySet.VerifySignature(ctx, jwt)
	return payload, n.err
}

// refused tells whoever watches the site of a token that was not taken.
func (l *Links) refused(ctx context.Context, err error) {
	l.m.Report(ctx, session.Event{Kind: session.EventRefused, Err: err})
}
