package passkey

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// Register serves the two paths by which the user of the session adds a passkey. Whoever adds one can sign in with it
// from then on, so put guard.Fresh around it.
func (p *Passkeys) Register() http.Handler {
	return p.steps((*visit).beginRegistration, (*visit).finishRegistration)
}

func (v *visit) beginRegistration([]byte) error {
	u, err := v.signedIn()
	if err != nil {
		return err
	}
	known := webauthn.Credentials(u.Credentials).CredentialDescriptors()
	options, data, err := v.p.web.BeginRegistration(u, webauthn.WithExclusions(known))
	if err != nil {
		return fmt.Errorf("passkey: begin a registration: %w", err)
	}
	return v.ask(toRegister, u.User, data, options)
}

func (v *visit) finishRegistration(body []byte) error {
	answer, err := protocol.ParseCredentialCreationResponseBytes(body)
	if err != nil {
		return malformed(err)
	}
	c, err := v.take(toRegister, answer.Response.CollectedClientData.Challenge)
	if err != nil {
		return err
	}
	u, err := v.signedIn()
	if err != nil {
		return err
	}
	data, err := c.data()
	if err != nil {
		return err
	}
	made, err := v.p.web.CreateCredential(u, data, answer)
	if err != nil {
		return unverified(err)
	}
	switch err := v.p.accounts.Add(v.r.Context(), u.User, *made); {
	case errors.Is(err, ErrTaken):
		return refusal{http.StatusConflict, "This passkey is registered already.", err.Error()}
	case err != nil:
		return fmt.Errorf("passkey: add a passkey: %w", err)
	}
	v.done()
	return nil
}

// signedIn is the account of the session's user.
func (v *visit) signedIn() (user, error) {
	no := refusal{http.StatusUnauthorized, "Please sign in first.", "passkey: nobody is signed in"}
	if v.s.User() == "" {
		return user{}, no
	}
	u, err := v.p.account(v.r.Context(), v.s.User())
	if errors.Is(err, ErrNoAccount) {
		no.why = "passkey: the user of the session has no account"
		return user{}, no
	}
	return u, err
}

// ask keeps a challenge and sends it to the browser.
func (v *visit) ask(what purpose, name string, data *webauthn.SessionData, options any) error {
	c, err := newChallenge(what, name, data, v.p.m.Now())
	if err == nil {
		err = v.keep(c)
	}
	if err != nil {
		return err
	}
	v.json(http.StatusOK, "application/json", options)
	return nil
}

// malformed refuses bytes that no authenticator answers.
func malformed(err error) refusal {
	return refusal{http.StatusBadRequest, "This is not the answer of a passkey.", "passkey: " + reason(err)}
}

// unverified refuses an answer for what the library says of it.
func unverified(err error) refusal { return notAccepted(reason(err)) }

// reason is what the library says, without the details in which it repeats what was sent.
func reason(err error) string {
	var e *protocol.Error
	if errors.As(err, &e) {
		return e.Type + ": " + e.Details
	}
	return "the library refused the answer"
}
