package oidcsession

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/coatcheck/session"
)

// The events that end sessions.
const (
	sessionRevoked   = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
	credentialChange = "https://schemas.openid.net/secevent/caep/event-type/credential-change"
)

// Transmitter is who sends security events. The zero value is the provider itself, which sends to its client.
type Transmitter struct {
	// Issuer, KeysURL and Audience are the issuer and jwks_uri of the transmitter's configuration, and the aud of the
	// stream. Each that is "" is that of the provider and its client.
	Issuer, KeysURL, Audience string

	// Algorithms are those by which it signs. nil: those of the Links.
	Algorithms []string

	// Authorization is the value of that header, which the transmitter was given when the stream was made. "": the
	// header is not checked; the signature is what counts.
	Authorization string

	// Email returns the subject (sub) at the provider that has this address, for transmitters that name people by their
	// address; "" for nobody. nil: an event with an address ends nothing. An error is answered with 503.
	Email func(ctx context.Context, address string) (subject string, err error)

	// Credential returns the reason for which a change of a credential ends the sessions of a subject, or "" for a
	// change that ends none. The arguments are credential_type and change_type of the event, such as "password" and
	// "update". nil: session.ReasonPassword, unless the change is "create".
	Credential func(credential, change string) session.Reason
}

// Format prints the issuer, and not the value of Authorization, which is a secret.
func (t Transmitter) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "transmitter "+t.Issuer) }

// LogValue logs the issuer alone.
func (t Transmitter) LogValue() slog.Value { return slog.StringValue("transmitter " + t.Issuer) }

// setRemembered is how long a security event is known to have been seen. One that comes again later than that ends
// nothing that it has not ended before.
const setRemembered = 24 * time.Hour

// receiver takes the events of one transmitter.
type receiver struct {
	*Links
	from   *Transmitter // whose Authorization a value would print
	tokens *verifier
}

// Receiver returns the handler of an endpoint to which a transmitter pushes security event tokens (RFC 8417) as RFC
// 8935 says: POST, with the token as the body, of the type application/secevent+jwt. It handles session-revoked and
// credential-change of the Continuous Access Evaluation Profile.
//
// Both end sessions that were linked by Login: those of a session id, if the subject is one (opaque, or a complex one
// with a session), and otherwise those that the subject has begun before the event (iss_sub, or a complex one with a
// user). Anything else in a complex subject, such as a device, is ignored: it is better to end too many sessions than
// too few. A subject of another format ends nothing, and is reported as session.EventRefused.
//
// The answer is 202, even for other events and for a token that has come before. A token that is not valid gets 400
// with err and description, and 503 says that the store or the keys are out of reach. A wrong field is an error that
// names it.
func (l *Links) Receiver(from Transmitter) (http.Handler, error) {
	keysAt, err := url.Parse(from.KeysURL)
	switch web := err == nil && keysAt.Host != "" && (keysAt.Scheme == "https" || keysAt.Scheme == "http"); {
	case slices.ContainsFunc(from.Algorithms, func(alg string) bool { return !asymmetric(alg) }):
		return nil, errors.New("oidcsession: Transmitter.Algorithms: only asymmetric ones are accepted, such as RS256")
	case from.KeysURL != "" && !web:
		return nil, errors.New("oidcsession: Transmitter.KeysURL: use an address such as https://example.com/keys")
	}
	r := &receiver{Links: l, from: &from, tokens: &verifier{
		issuer: cmp.Or(from.Issuer, l.issuer), audience: cmp.Or(from.Audience, l.client),
		algorithms: l.tokens.algorithms, keys: l.tokens.keys, now: l.m.Now,
	}}
	if len(from.Algorithms) > 0 {
		r.tokens.algorithms = slices.Clone(from.Algorithms)
	}
	if from.KeysURL != "" {
		r.tokens.keys = &keySet{address: from.KeysURL, client: l.opts.Client, now: l.m.Now}
	}
	return l.m.Middleware(r), nil
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	ctx, cancel := noticed(req)
	defer cancel()
	text, err := r.body(w, req)
	if err == nil {
		err = r.receive(ctx, text)
	}
	r.reply(ctx, w, err, http.StatusAccepted, func(no *refusal) any {
		w.Header().Set("Content-Language", "en")
		return map[string]string{"err": no.code, "description": no.text}
	})
}

func (r *receiver) body(w http.ResponseWriter, req *http.Request) (string, error) {
	if err := takes(req, "application/secevent+jwt"); err != nil {
		return "", err
	}
	if want := r.from.Authorization; want != "" && !same(req.Header.Get("Authorization"), want) {
		return "", &refusal{notAuthentic, "the header Authorization is not the one that was agreed upon"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
	if err != nil {
		return "", &refusal{invalidRequest, "the body was cut off, or has more than 64 KiB"}
	}
	return string(body), nil
}

func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// receive does what a token says. A token that comes again has been acknowledged, and is again.
func (r *receiver) receive(ctx context.Context, text string) error {
	t, err := r.tokens.open(ctx, text)
	switch {
	case err != nil:
		return err
	case t.kind != "secevent+jwt":
		return errType
	case t.has("nonce"):
		return errNonce
	}
	ctx = session.WithActor(ctx, t.Issuer)
	if spent, err := r.spent(ctx, t.Issuer, t.jti); err != nil || spent {
		return err
	}
	for _, name := range []string{sessionRevoked, credentialChange} {
		if err := r.take(ctx, t, name); err != nil {
			return err
		}
	}
	_, err = r.spend(ctx, t.Issuer, t.jti, r.m.Now().Add(setRemembered))
	return err
}

// take does what one event of a token says, if it is there.
func (r *receiver) take(ctx context.Context, t signed, name string) error {
	payload, ok, err := t.event(name)
	if err != nil || !ok {
		return err
	}
	var event struct {
		Credential string          `json:"credential_type"`
		Change     string          `json:"change_type"`
		Subject    json.RawMessage `json:"subject"` // as in early drafts
	}
	if json.Unmarshal(payload, &event) != nil {
		return errEvents
	}
	why := session.ReasonProvider
	if name == credentialChange {
		if why = r.reason(event.Credential, event.Change); why == "" {
			return nil
		}
	}
	about := t.raw["sub_id"]
	if about == nil {
		about = event.Subject
	}
	who, err := r.subject(ctx, about, name == sessionRevoked)
	if err != nil {
		return err
	}
	if who == (named{}) {
		r.refused(ctx, fmt.Errorf("oidcsession: a security event ends nothing: %w", errNobodyKnown))
		return nil
	}
	return r.end(ctx, who, t.IssuedAt, why)
}

func (r *receiver) reason(credential, change string) session.Reason {
	switch {
	case r.from.Credential != nil:
		return r.from.Credential(credential, change)
	case change == "create":
		return ""
	}
	return session.ReasonPassword
}
