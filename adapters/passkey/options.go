package passkey

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/coatcheck/session"
)

// Options say how a site uses passkeys. Origins is required.
type Options struct {
	// Origins are those of the pages that use passkeys, such as "https://example.com". Plain http is for localhost
	// alone. Apps have origins such as "android:apk-key-hash:…".
	Origins []string

	// RPID is the domain for which passkeys are valid: the host of the origins, or a domain above it. After a change of
	// RPID the old passkeys are of no use, so choose it once. "": the host of the first origin.
	RPID string

	// Name is what browsers call the site. "": RPID.
	Name string

	// UserVerification says whether devices verify who uses them, by a PIN, a finger or a face. "": required, so that a
	// passkey is two factors. With another value a stolen device may be enough to sign in; ask for FactorVerified where
	// that matters.
	UserVerification protocol.UserVerificationRequirement

	// EmbeddedIn are origins of other sites that may use passkeys in a frame with a page of this one. nil: none. The
	// frame needs the permissions publickey-credentials-get and publickey-credentials-create.
	EmbeddedIn []string

	// Login returns further options of a sign-in, such as session.Remember. nil: none.
	Login func(*http.Request, Account) []session.LoginOption

	// Confirm notes that the user has shown a factor. It is called with Factor, and then with FactorVerified if that
	// was shown as well. It may call guard.Confirm for the operation that the request names. An error is answered by
	// the manager's Options.OnError. nil: Session.Confirm.
	Confirm func(r *http.Request, s *session.Session, factor string) error
}

// resolve fills in what is empty. The error names the wrong option.
func (o Options) resolve() (Options, error) {
	o.Origins, o.EmbeddedIn = slices.Clone(o.Origins), slices.Clone(o.EmbeddedIn)
	o.UserVerification = cmp.Or(o.UserVerification, protocol.VerificationRequired)
	if !slices.Contains([]protocol.UserVerificationRequirement{protocol.VerificationRequired,
		protocol.VerificationPreferred, protocol.VerificationDiscouraged}, o.UserVerification) {
		return o, errors.New(`passkey: Options.UserVerification is "", "required", "preferred" or "discouraged"`)
	}
	if len(o.Origins) == 0 || protocol.IsOpaqueOrigin(o.Origins[0]) {
		return o, errors.New(`passkey: Options.Origins begins with the site's own, such as "https://example.com"`)
	}
	if o.RPID == "" {
		o.RPID = hostOf(o.Origins[0])
	}
	o.Name = cmp.Or(o.Name, o.RPID)
	for _, origin := range o.Origins {
		if err := o.checkOrigin(origin); err != nil {
			return o, err
		}
	}
	for _, origin := range o.EmbeddedIn {
		if !isOrigin(origin) {
			return o, fmt.Errorf("passkey: Options.EmbeddedIn: %q is not an origin such as https://example.com", origin)
		}
	}
	return o, nil
}

func (o Options) checkOrigin(origin string) error {
	switch host := hostOf(origin); {
	case protocol.IsOpaqueOrigin(origin) && protocol.IsKnownOpaqueOrigin(origin):
		return nil
	case !isOrigin(origin):
		return fmt.Errorf("passkey: Options.Origins: %q is not an origin such as https://example.com", origin)
	case host != o.RPID && !strings.HasSuffix(host, "."+o.RPID):
		return fmt.Errorf("passkey: Options.RPID: browsers refuse %q on the pages of %s: choose its host, or a domain "+
			"above", o.RPID, origin)
	}
	return nil
}

// isOrigin reports whether a text is an origin whose pages browsers let use passkeys.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme+"://"+u.Host != text {
		return false
	}
	local := u.Hostname() == "localhost" || strings.HasSuffix(u.Hostname(), ".localhost")
	return u.Scheme == "https" || u.Scheme == "http" && local
}

func hostOf(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// config is what the library is told. A client may send outputs of extensions that nobody asked for, as some password
// managers do: they are not looked at.
func (o Options) config() *webauthn.Config {
	c := &webauthn.Config{
		RPID: o.RPID, RPDisplayName: o.Name,
		RPAllowCrossOrigin: len(o.EmbeddedIn) > 0, RPTopOrigins: o.EmbeddedIn,
		RPTopOriginVerificationMode: protocol.TopOriginExplicitVerificationMode,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: o.UserVerification,
		},
		AttestationPreference:             protocol.PreferNoAttestation,
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	}
	for _, origin := range o.Origins {
		if protocol.IsOpaqueOrigin(origin) {
			c.RPOpaqueOrigins = append(c.RPOpaqueOrigins, origin)
		} else {
			c.RPOrigins = append(c.RPOrigins, origin)
		}
	}
	return c
}
