package oidcsession

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/coatcheck/session"
)

// Options change how sessions are linked to a provider. The zero value is right for most sites.
type Options struct {
	// Algorithms are those with which the provider signs for this client, as registered there: "RS256", for example.
	// nil: those that its discovery document names, except symmetric ones, which are never accepted.
	Algorithms []string

	// RequireType refuses logout tokens whose header does not have the type logout+jwt, as ASVS 10.5.5 demands. Without
	// it a token may also have no type, or the general type JWT, like those of older providers; other types are always
	// refused.
	RequireType bool

	// MaxAge is how long after its issue a logout token is accepted, if it does not expire before. 0: two minutes.
	MaxAge time.Duration

	// SignInWithin is how long after its issue an ID token may be used for Login. The store remembers for as long that
	// a sign-in has ended at the provider. 0: 15 minutes, which leaves time for a second factor.
	SignInWithin time.Duration

	// LinkFor is how long a link is kept, and the longest that a linked session lasts, whatever its lifetime. Make it
	// as long as the longest session. 0: 30 days, which is the default of session.Options.Lifetime.
	LinkFor time.Duration

	// Client fetches the keys of the provider. nil: a client without special settings. A fetch takes at most ten
	// seconds, whatever the client says.
	Client *http.Client
}

// clockSkew is how far the clocks of two machines may be apart.
const clockSkew = time.Minute

// Links connect the sessions of a manager with the sign-ins of one client at one OpenID provider. They are safe for
// concurrent use, and all nodes that share the store and have the same client share the links. There is nothing to
// close.
type Links struct {
	m      *session.Manager
	store  session.Store
	opts   Options
	issuer string
	client string
	tokens *verifier
}

// New returns the links of a client of a provider, which are kept in the store. The manager's own will do, but not a
// session.Forgetter that may forget. The manager's store must be able to list the sessions of a user, which cookiestore
// cannot. The provider must come from oidc.NewProvider. New does no I/O, and every wrong option is an error that names
// it.
func New(m *session.Manager, store session.Store, provider *oidc.Provider, clientID string, o Options) (*Links, error) {
	if m == nil || provider == nil || clientID == "" {
		return nil, errors.New("oidcsession: New: the manager, the provider and the id of the client are all needed")
	}
	if err := lasting(m, store); err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	var about oidc.ProviderConfig
	if err := provider.Claims(&about); err != nil || about.IssuerURL == "" || about.JWKSURL == "" {
		return nil, errors.New("oidcsession: New: the provider was not discovered, or its document names no issuer " +
			"or jwks_uri; make it with oidc.NewProvider")
	}
	if len(o.Algorithms) == 0 {
		o.Algorithms = slices.DeleteFunc(about.Algorithms, func(alg string) bool { return !asymmetric(alg) })
	}
	l := &Links{m: m, store: store, opts: o.filled(), issuer: about.IssuerURL, client: clientID}
	l.tokens = &verifier{
		issuer: about.IssuerURL, audience: clientID, algorithms: o.Algorithms, now: m.Now,
		keys: &keySet{address: about.JWKSURL, client: o.Client, now: m.Now},
	}
	return l, nil
}

// lasting says what is wrong with where links and sessions are kept.
func lasting(m *session.Manager, store session.Store) error {
	if why := session.Forgets(store); why != "" {
		return fmt.Errorf("oidcsession: New: the store %T %s, and a link that is forgotten ends no session; use one "+
			"that keeps every record, such as memstore.New(memstore.Options{}) where there is one process", store, why)
	}
	lists := func(f session.Finding) bool { return f.Name == "sessions-can-be-listed" && f.Pass }
	if !slices.ContainsFunc(m.Audit(), lists) {
		return fmt.Errorf("oidcsession: New: %w: the manager's store cannot list the sessions of a user",
			session.ErrNotSupported)
	}
	return nil
}

func (o Options) check() error {
	for name, d := range map[string]time.Duration{
		"MaxAge": o.MaxAge, "SignInWithin": o.SignInWithin, "LinkFor": o.LinkFor,
	} {
		if d != 0 && (d < time.Second || d > maxTime) {
			return fmt.Errorf("oidcsession: Options.%s: it must be between a second and ten years, or 0", name)
		}
	}
	for _, alg := range o.Algorithms {
		if !asymmetric(alg) {
			return errors.New("oidcsession: Options.Algorithms: only RS256, RS384, RS512, ES256, ES384, ES512, " +
				"PS256, PS384, PS512 and EdDSA are accepted")
		}
	}
	return nil
}

// maxTime is longer than any session should last, and short enough to be added to any time.
const maxTime = 10 * 365 * 24 * time.Hour

func (o Options) filled() Options {
	o.MaxAge = cmp.Or(o.MaxAge, 2*time.Minute)
	o.SignInWithin = cmp.Or(o.SignInWithin, 15*time.Minute)
	o.LinkFor = cmp.Or(o.LinkFor, 30*24*time.Hour)
	return o
}

// asymmetric reports whether a signature is by a key that only the provider has.
func asymmetric(alg string) bool {
	return slices.Contains([]string{
		oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512,
		oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA,
	}, alg)
}
