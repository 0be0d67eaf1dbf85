package passkey

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/coatcheck/session"
)

// SignIn serves the two paths by which people sign in, with the factors Factor and FactorVerified.
//
// A request to /begin may name the user, as in {"user":"ada"}: the browser then offers the passkeys of that account,
// including those on keys that keep no list of their own. Without a name it offers all that it has for the site. For an
// account that does not exist, or has no passkey, the answer names one or two passkeys that nobody has, which stay the
// same until the secrets of the manager are replaced. They have common lengths: an account whose passkeys have other
// lengths, or that has more of them, can still be told. A sign-in without a name gives nothing away.
func (p *Passkeys) SignIn() http.Handler {
	return p.steps((*visit).beginSignIn, (*visit).finishSignIn)
}

// maxName is how long the name of a user is at most, as for Session.Login.
const maxName = 255

func (v *visit) beginSignIn(body []byte) error {
	var who struct {
		User string `json:"user"`
	}
	if err := json.Unmarshal(body, &who); err != nil {
		return refusal{http.StatusBadRequest, "This is not JSON.", "passkey: the body for /begin is not JSON"}
	}
	if len(who.User) > maxName {
		return refusal{http.StatusBadRequest, "This name is too long.", "passkey: the name of the user is too long"}
	}
	if who.User == "" {
		options, data, err := v.p.web.BeginDiscoverableLogin()
		if err != nil {
			return fmt.Errorf("passkey: begin a sign-in: %w", err)
		}
		return v.ask(toSignIn, "", data, options)
	}
	u, err := v.p.account(v.r.Context(), who.User)
	if err != nil && !errors.Is(err, ErrNoAccount) {
		return err
	}
	if err != nil || len(u.Credentials) == 0 {
		u = v.p.nobody(who.User)
	}
	return v.askFor(toSignIn, u)
}

// idSizes are lengths of the IDs of passkeys as they are met: 16 bytes from password managers, 20 from Apple, 32 from
// Windows, 64 from security keys.
var idSizes = [...]int{16, 16, 16, 20, 20, 20, 32, 64}

// nobody stands for an account without a passkey, and has one or two that look like those of many people. Another
// spelling is another account here, and has other passkeys.
func (p *Passkeys) nobody(name string) user {
	const longest = 64
	draw, _ := hkdf.Expand(sha256.New, p.m.Pseudonyms("passkey", name)[0], "ids", 2*(1+longest)) // is short enough
	var made []webauthn.Credential
	for one := range slices.Chunk(draw, 1+longest) {
		size := idSizes[int(one[0])%len(idSizes)]
		made = append(made, webauthn.Credential{ID: one[1 : 1+size]})
	}
	if draw[0] < 192 { // three in four
		made = made[:1]
	}
	return user{Account{User: name, Handle: p.m.Pseudonyms("passkey handle", name)[0], Credentials: made}}
}

// askFor asks for one of the passkeys of an account. How they are connected would tell which are made up.
func (v *visit) askFor(what purpose, u user) error {
	options, data, err := v.p.web.BeginLogin(u)
	if err != nil {
		return fmt.Errorf("passkey: begin a sign-in: %w", err)
	}
	if what == toSignIn {
		for i := range options.Response.AllowedCredentials {
			options.Response.AllowedCredentials[i].Transport = nil
		}
	}
	return v.ask(what, u.User, data, options)
}

func (v *visit) finishSignIn(body []byte) error {
	u, verified, err := v.answered(toSignIn, body)
	if err != nil {
		return err
	}
	opts := []session.LoginOption{session.Factor(Factor)}
	if verified {
		opts = append(opts, session.Factor(FactorVerified))
	}
	if v.p.opts.Login != nil {
		opts = append(opts, v.p.opts.Login(v.r, u.Account)...)
	}
	if err := v.s.TryLogin(u.User, opts...); err != nil {
		return fmt.Errorf("passkey: sign in: %w", err)
	}
	v.done()
	return nil
}

// answered takes the challenge of an answer and checks it. It returns whose passkey it was, and whether the device has
// verified who uses it.
func (v *visit) answered(what purpose, body []byte) (u user, verified bool, err error) {
	answer, err := protocol.ParseCredentialRequestResponseBytes(body)
	if err != nil {
		return u, false, malformed(err)
	}
	c, err := v.take(what, answer.Response.CollectedClientData.Challenge)
	if err != nil {
		return u, false, err
	}
	u, err = v.owner(c, answer)
	if errors.Is(err, ErrNoAccount) {
		return u, false, notAccepted("there is no such account")
	}
	if err != nil {
		return u, false, err
	}
	if err := v.check(c, u, answer); err != nil {
		return u, false, err
	}
	return u, answer.Response.AuthenticatorData.Flags.HasUserVerified(), nil
}

// owner is the account that the challenge names, or else the answer.
func (v *visit) owner(c challenge, answer *protocol.ParsedCredentialAssertionData) (user, error) {
	if c.User != "" {
		return v.p.account(v.r.Context(), c.User)
	}
	if n := len(answer.Response.UserHandle); n == 0 || n > 64 {
		return user{}, notAccepted("the answer has no user handle of 1 to 64 bytes")
	}
	a, err := v.p.accounts.AccountOf(v.r.Context(), answer.Response.UserHandle)
	return checked(a, err)
}

// check checks an answer, and keeps what it changes of the passkey.
func (v *visit) check(c challenge, u user, answer *protocol.ParsedCredentialAssertionData) error {
	data, err := c.data()
	if err != nil {
		return err
	}
	if c.User == "" { // the library wants to be told whom it asked, and nobody was asked
		data.UserID = u.Handle
	}
	used, err := v.p.web.ValidateLogin(u, data, answer)
	if err != nil {
		return unverified(err)
	}
	switch err := v.p.accounts.Update(v.r.Context(), u.User, *used); {
	case errors.Is(err, ErrNoAccount):
		return notAccepted("the passkey was removed meanwhile")
	case err != nil:
		return fmt.Errorf("passkey: keep the use of a passkey: %w", err)
	}
	if used.Authenticator.CloneWarning {
		return notAccepted("the count of its signatures did not grow, so the key may have been copied; " +
			"clear CloneWarning of the credential if you know better")
	}
	return nil
}
