package passkey

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/coatcheck/session"
)

// Factors of a session whose user has shown a passkey, for guard.Fresh.
const (
	// Factor says that the user has the passkey. RFC 8176 has no name for that: the key may be in hardware (hwk) or in
	// software (swk), which a site that asks for no attestation cannot know.
	Factor = "webauthn"
	// FactorVerified says that the device has also verified who uses it, by a PIN, a finger or a face. It does not say
	// which.
	FactorVerified = "webauthn.uv"
)

// ErrNoAccount is what Accounts returns when there is no such account.
var ErrNoAccount = errors.New("passkey: no such account")

// ErrTaken is what Accounts.Add returns for a credential whose ID is registered already, whoever it belongs to.
var ErrTaken = errors.New("passkey: the credential is registered already")

// Account is an account of the site with its passkeys.
type Account struct {
	User        string // as given to Session.Login
	Handle      []byte // 1 to 64 random bytes that never change; authenticators keep it, so it must tell nothing
	Name        string // what people tell their accounts apart by; "": User
	DisplayName string // "": Name
	Credentials []webauthn.Credential
}

// Accounts is where a site keeps its passkeys. All methods are called from many goroutines. Any other error than
// ErrNoAccount and ErrTaken is answered like one of the store, by the manager's Options.OnError.
type Accounts interface {
	// Account returns the account of a user with all passkeys, or ErrNoAccount. It may return ErrNoAccount for a
	// blocked account, as AccountOf may: nobody can sign in to it then. Strangers choose the user, but only among the
	// names that Session.Login accepts.
	Account(ctx context.Context, user string) (Account, error)

	// AccountOf is Account by the handle.
	AccountOf(ctx context.Context, handle []byte) (Account, error)

	// Add keeps a new passkey of a user. IDs are unique among all accounts: return ErrTaken for one that is registered
	// already.
	Add(ctx context.Context, user string, c webauthn.Credential) error

	// Update keeps what the use of a passkey has changed: Authenticator.SignCount, Authenticator.CloneWarning and
	// Flags. It is called before the sign-in. Two uses may come in any order, so never lower the count, and never
	// add a passkey that was removed meanwhile: ErrNoAccount refuses its use.
	Update(ctx context.Context, user string, c webauthn.Credential) error
}

// Passkeys makes handlers for the passkeys of a site. It is safe for concurrent use.
type Passkeys struct {
	m        *session.Manager
	web      *webauthn.WebAuthn
	accounts Accounts
	opts     Options
	cookie   string // of visitors whose challenge has a session of its own
	programs bool   // whoever is new gets a ticket in a header, and keeps no cookie
	travels  bool   // the session is in its ticket, and in every copy of it
}

// New returns handlers for the sessions of a manager. A wrong option is an error that names it. With cookiestore it
// needs cookiestore.Options.Revocations, because a copied cookie would bring a challenge back; without them the error
// wraps session.ErrNotSupported.
func New(m *session.Manager, accounts Accounts, opts Options) (*Passkeys, error) {
	if m == nil || accounts == nil {
		return nil, errors.New("passkey: New needs a manager and accounts")
	}
	opts, err := opts.resolve()
	if err != nil {
		return nil, err
	}
	web, err := webauthn.New(opts.config())
	if err != nil {
		return nil, fmt.Errorf("passkey: Options: %w", err)
	}
	p := &Passkeys{m: m, web: web, accounts: accounts, opts: opts, travels: !passes(m, "no-write-is-lost")}
	if !passes(m, "logout-is-final") {
		return nil, fmt.Errorf("passkey: %w: a copied cookie brings a challenge back; set "+
			"cookiestore.Options.Revocations, or use a store on the server", session.ErrNotSupported)
	}
	first, _, _ := strings.Cut(m.VaryOn(), ",")
	p.programs = !strings.Contains(strings.ToLower(first), "cookie")
	p.cookie, err = p.cookieName()
	return p, err
}

// passes reports whether a manager passes a check of its Audit.
func passes(m *session.Manager, check string) bool {
	for _, f := range m.Audit() {
		if f.Name == check {
			return f.Pass
		}
	}
	return false
}

// user is an account as the library wants it.
type user struct{ Account }

var _ webauthn.User = user{}

func (u user) WebAuthnID() []byte                         { return u.Handle }
func (u user) WebAuthnCredentials() []webauthn.Credential { return u.Credentials }

func (u user) WebAuthnName() string {
	if u.Name == "" {
		return u.User
	}
	return u.Name
}

func (u user) WebAuthnDisplayName() string {
	if u.DisplayName == "" {
		return u.WebAuthnName()
	}
	return u.DisplayName
}

// account looks up the account of a user. A name that no user can have may be more than the site's database can take,
// so the site is not asked for it; the session that tells is never stored.
func (p *Passkeys) account(ctx context.Context, name string) (user, error) {
	s, err := p.m.Open(ctx, "")
	if err != nil {
		return user{}, fmt.Errorf("passkey: find an account: %w", err)
	}
	if s.TryLogin(name) != nil {
		return user{}, ErrNoAccount
	}
	a, err := p.accounts.Account(ctx, name)
	return checked(a, err)
}

// checked refuses an account that could not be told from another.
func checked(a Account, err error) (user, error) {
	switch {
	case err != nil:
		return user{}, fmt.Errorf("passkey: find an account: %w", err)
	case len(a.Handle) == 0 || len(a.Handle) > 64:
		return user{}, errors.New("passkey: Account.Handle has 1 to 64 random bytes: make one for each account")
	case a.User == "":
		return user{}, errors.New("passkey: Account.User is empty: it is the name for Session.Login")
	}
	return user{a}, nil
}
