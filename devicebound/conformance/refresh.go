package conformance

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/coatcheck/session/internal/dbsc"
	"github.com/coatcheck/session/sessiontest"
)

func refreshRules() []rule {
	return []rule{
		{"a refresh without a proof is asked for one", "to request a newly signed DBSC proof immediately during a " +
			"cookie refresh if the status is 403; Challenges MUST have an sf-parameter named id", asks},
		{"a proof is answered with the bound cookie", "Issue new bound cookies; refresh-replaces-config.https.html",
			refreshes},
		{"a challenge comes at most once", "New challenges issued should have a short lifetime", differentChallenges},
		{"a challenge that came early is good", "The challenge is to be used next time a DBSC proof is to be sent; " +
			"set-early-challenge.https.html, refresh-does-not-send-challenge.https.html", early},
		{"an older challenge is good yet", "it's possible to receive a signature for an old challenge after issuing " +
			"a new challenge", older},
		{"a used challenge is good no more", "The server should reject signed responses that use a stale challenge",
			usedUp},
		{"a refresh may come at any time", "Sites should not assume that a refresh will only happen when a bound " +
			"cookie is expired", anyTime},
		{"no bad proof is answered with a cookie", "Validate the Secure-Session-Response header has signed a recent " +
			"challenge with the correct key", refusesProofs},
		{"a refresh brings no key", "jwk: It MUST not be present for refresh requests", refusesKeys},
		{"a challenge of a registration is none of a refresh", "Validate that the header has signed a recent challenge",
			keepsPurposes},
	}
}

// bare is a refresh without a proof.
func bare(r *http.Request) { r.Header.Del(dbsc.Response) }

func asks(e *env) error {
	c, err := e.signIn()
	if err != nil {
		return err
	}
	id := c.Sessions()[0]
	_, err = ask(c, id)
	return err
}

// ask returns a challenge for a session.
func ask(c *client, id string) (string, error) {
	c.Alter = bare
	c.Refresh()
	c.Alter = nil
	said, err := c.tap.refresh()
	if err != nil {
		return "", err
	}
	list, err := dbsc.List(said.resp.Header[dbsc.Challenge])
	if err != nil {
		return "", fmt.Errorf("%s: %w", dbsc.Challenge, err)
	}
	for _, m := range list {
		if text, ok := m.Value.(string); ok && m.Params["id"] == id && said.resp.StatusCode == http.StatusForbidden &&
			!said.sets() {
			return text, nil
		}
	}
	return "", fmt.Errorf("status %d, %s %q, want 403 and a challenge with the id %q", said.resp.StatusCode,
		dbsc.Challenge, said.resp.Header[dbsc.Challenge], id)
}

// good wants the last refresh to have been answered with a cookie, or not.
func good(c *client, want bool) error {
	said, err := c.tap.refresh()
	switch {
	case err != nil:
		return err
	case want && (said.resp.StatusCode != http.StatusOK || !said.sets()):
		return fmt.Errorf("status %d, cookies %v, want 200 and the bound cookie", said.resp.StatusCode,
			said.resp.Cookies())
	case !want && said.gives():
		return fmt.Errorf("status %d, cookies %v, want it refused", said.resp.StatusCode, said.resp.Cookies())
	}
	return nil
}

func refreshes(e *env) error {
	c, err := e.signIn()
	if err != nil {
		return err
	}
	c.Refresh()
	if err = good(c, true); err == nil && !e.s.SignedIn(c.Browser) {
		err = errors.New("after it the browser is not signed in")
	}
	return err
}

func differentChallenges(e *env) error {
	c, err := e.signIn()
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for range 4 {
		text, err := ask(c, c.Sessions()[0])
		if err != nil {
			return err
		}
		if seen[text] {
			return errors.New("the same challenge came twice")
		}
		seen[text] = true
	}
	return nil
}

// early: a server that sends no challenge ahead asks for a proof, and is in order too.
func early(e *env) error {
	c, err := e.signIn()
	if err != nil {
		return err
	}
	said, err := c.tap.registration()
	if err != nil || said.resp.Header.Get(dbsc.Challenge) == "" {
		return err
	}
	c.Log()
	c.Refresh()
	if log := c.Log(); len(log) != 1 {
		err = fmt.Errorf("the browser had to send %q for a challenge that it had", log)
	}
	return errors.Join(err, good(c, true))
}

// with makes the browser sign this challenge.
func (c *client) with(challenge string) {
	c.Proof = func(p *sessiontest.Proof) {
		if p.Refresh {
			p.Claims["jti"] = challenge
		}
	}
	c.Refresh()
	c.Proof = nil
}

func older(e *env) error {
	c, err := e.signIn()
	if err != nil {
		return err
	}
	first, err := ask(c, c.Sessions()[0])
	if err != nil {
		return err
	}
	if _, err = ask(c, c.Sessions()[0]); err != nil {
		return err
	}
	c.Log()
	c.with(first)
	if log := c.Log(); len(log) != 1 {
		err = fmt.Errorf("the browser had to send %q", log)
	}
	return errors.Join(err, good(c, true))
}

func usedUp(e *env) error {
	c, err := e.signIn()
	if err != nil {
		return err
	}
	text, err := ask(c, c.Sessions()[0])
	if err != nil {
		return err
	}
	if c.with(text); good(c, true) != nil {
		return good(c, true)
	}
	c.with(text)
	if err := good(c, false); err != nil {
		return err
	}
	c.Refresh() // which ends nothing
	return good(c, true)
}

func anyTime(e *env) error {
	c, err := e.signIn()
	if err != nil {
		return err
	}
	for range 5 {
		c.Refresh()
		if err := good(c, true); err != nil {
			return err
		}
	}
	return nil
}

func refusesProofs(e *env) error {
	for name, lie := range badProofs {
		c, err := e.signIn()
		if err != nil {
			return err
		}
		c.Proof = lie
		c.Refresh()
		if err := good(c, false); err != nil {
			return fmt.Errorf("a proof %s: %w", name, err)
		}
	}
	return nil
}

func refusesKeys(e *env) error {
	c, err := e.signIn()
	if err != nil {
		return err
	}
	said, err := c.tap.registration()
	if err != nil {
		return err
	}
	text, err := dbsc.Text(said.r.Header[dbsc.Response])
	if err != nil {
		return err
	}
	c.Alter = func(r *http.Request) { r.Header.Set(dbsc.Response, text) }
	c.Refresh() // with the proof of the registration
	if err := good(c, false); err != nil {
		return err
	}
	c, err = e.signIn()
	if err != nil {
		return err
	}
	key := stranger()
	raw, err := key.PublicKey.Bytes()
	if err != nil {
		return err
	}
	c.Proof = func(p *sessiontest.Proof) {
		p.Key = key
		p.Header["jwk"] = map[string]any{
			"kty": "EC", "crv": "P-256", "x": dbsc.Encode(raw[1:33]), "y": dbsc.Encode(raw[33:]),
		}
	}
	c.Refresh()
	return good(c, false)
}

func keepsPurposes(e *env) error {
	c, err := e.signIn()
	if err != nil {
		return err
	}
	text, err := c.tap.offeredChallenge()
	if err != nil {
		return err
	}
	c.with(text)
	said, err := c.tap.refresh()
	if err == nil && said.gives() && len(c.Log()) == 0 {
		err = errors.New("it is good")
	}
	return err
}
