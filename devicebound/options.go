package devicebound

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/coatcheck/session"
)

// Policy says what a session is worth without a proof of its key.
type Policy uint8

// The policies, from the mildest to the strictest. Introduce them in this order.
const (
	// Prefer binds the sessions of browsers that support it, and lets everybody in: a missing proof is an event, and no
	// more.
	Prefer Policy = iota
	// Enforce lets nobody in with a bound session whose bound cookie is missing. Sessions that are not bound work as
	// before.
	Enforce
	// Require is Enforce, and lets nobody in with a session that is still not bound when its registration is overdue.
	// Only browsers that support the protocol can stay signed in.
	Require
)

// Options say how sessions are bound. The zero value is valid.
type Options struct {
	Policy Policy

	// RegisterPath and RefreshPath are where browsers send proofs, as they are in the requests that reach Middleware.
	// "": "/device-bound/register" and "/device-bound/refresh". The session's cookie must be sent there: they lie below
	// Options.Cookie.Path of the manager. A browser goes on using the path it was told.
	RegisterPath, RefreshPath string

	// CookieName is the name of the bound cookie. "": "__Host-bound". It must begin with "__Host-", and not with
	// "__Host-Http-", with which Chromium 156 binds no session. Two binders on one host need two names, and paths of
	// their own.
	CookieName string

	// SameSite is for the bound cookie, and should be the same as for the session's cookie. 0: Lax.
	SameSite http.SameSite

	// Lifetime is how long a proof is valid, which is how long stolen cookies may be of use. 0: 10 min. At least a
	// second, at most a day.
	Lifetime time.Duration

	// Grace is how long after its Lifetime a bound cookie is still accepted, for clocks that differ and requests under
	// way. 0: a tenth of Lifetime. Negative: none. At most Lifetime.
	Grace time.Duration

	// PendingFor is how long after a Login the browser may register. Until then the session is accepted without a key,
	// even with Require. 0: 1 min. At most 5 min.
	PendingFor time.Duration

	// RSA also accepts RSA keys of 2048 to 4096 bits, for devices without ECDSA. Otherwise only ECDSA keys on P-256 are
	// accepted.
	RSA bool

	// Exclude lists paths, with everything below them, that need no proof and for which browsers do not wait, such as
	// "/static". A path that ends in a slash stands only for what is below it. A thief can open them, too.
	Exclude []string

	// RefreshInitiators are hosts of other origins, such as "*.example.com", whose pages may make the browser send a
	// proof with a request to this site. nil: none; a link from elsewhere then leads to a page that loads itself again.
	// Those hosts can tell from the time that a request takes whether somebody is signed in here.
	RefreshInitiators []string

	// Origin is the site's own, such as "https://app.example.com", for proofs that name the site they are for. "":
	// https and the Host of the request, which is wrong behind a proxy that changes it.
	Origin string

	// ClearSiteData makes a browser forget cookies and storage of the site when a bound session is logged out, and with
	// them the key, unless the same response begins another session. Otherwise, and when a session ends elsewhere, the
	// browser forgets only the key, when it next tries to use it: Chromium 156 heeds neither Clear-Site-Data nor a
	// cookie in an answer that refuses a proof.
	ClearSiteData bool

	// Refuse answers what Require and Prove do not let through. The error wraps ErrNobody, ErrPending, ErrNotBound or
	// ErrUnproved. nil: a page, or application/problem+json.
	Refuse func(http.ResponseWriter, *http.Request, error)
}

// finding is what Audit says of the policy.
func (o Options) finding() session.Finding {
	f := session.Finding{Name: "device-bound", Pass: true}
	switch o.Policy {
	case Prefer:
		f.Pass = false
		f.Advice = "devicebound.Options.Policy: set Enforce when the events skipped are few, so that cookies that " +
			"were stolen from a bound session open nothing"
	case Enforce:
		f.Advice = "a bound session is open to its device alone"
	case Require:
		f.Advice = "nobody stays signed in without the key of a device"
	}
	return f
}

const (
	longestLifetime = 24 * time.Hour
	longestPending  = challengeLife
)

// resolve fills in what is zero. The error names every wrong option.
func (o Options) resolve() (Options, error) {
	set(&o.RegisterPath, "/device-bound/register")
	set(&o.RefreshPath, "/device-bound/refresh")
	set(&o.CookieName, "__Host-bound")
	set(&o.SameSite, http.SameSiteLaxMode)
	set(&o.Lifetime, 10*time.Minute)
	set(&o.Grace, o.Lifetime/10)
	set(&o.PendingFor, time.Minute)
	o.Grace = max(o.Grace, 0)
	o.Exclude, o.RefreshInitiators = slices.Clone(o.Exclude), slices.Clone(o.RefreshInitiators)
	return o, errors.Join(o.checkTimes(), o.checkPaths(), o.checkCookie(), o.checkOrigin())
}

func set[T comparable](option *T, value T) {
	var zero T
	if *option == zero {
		*option = value
	}
}

func (o Options) checkTimes() error {
	switch {
	case o.Policy > Require:
		return errors.New("Policy: it must be Prefer, Enforce or Require")
	case o.Lifetime < time.Second || o.Lifetime > longestLifetime:
		return fmt.Errorf("Lifetime: %v is not between 1s and %v", o.Lifetime, longestLifetime)
	case o.Grace > o.Lifetime:
		return fmt.Errorf("Grace: %v is longer than Lifetime, %v", o.Grace, o.Lifetime)
	case o.PendingFor < time.Second || o.PendingFor > longestPending:
		return fmt.Errorf("PendingFor: %v is not between 1s and %v", o.PendingFor, longestPending)
	}
	return nil
}

func (o Options) checkPaths() error {
	for _, p := range []struct{ name, path string }{
		{"RegisterPath", o.RegisterPath}, {"RefreshPath", o.RefreshPath},
	} {
		if !isPath(p.path) || path.Clean(p.path) != p.path || p.path == "/" {
			return fmt.Errorf("%s: it must be a path of this site, such as /device-bound/refresh", p.name)
		}
	}
	if o.RegisterPath == o.RefreshPath {
		return errors.New("RefreshPath: it must not be RegisterPath")
	}
	for _, p := range o.Exclude {
		if !isPath(p) || p == "/" {
			return errors.New("Exclude: each must be a path of this site, such as /static, and not all of it")
		}
	}
	return nil
}

// isPath reports whether a text is a local path that is the same in a URL and in a header.
func isPath(text string) bool {
	u, err := url.Parse(text)
	return err == nil && strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//") && u.Path == text &&
		u.EscapedPath() == text
}

func (o Options) checkCookie() error {
	c := o.cookie("x", 1)
	switch {
	case !strings.HasPrefix(o.CookieName, "__Host-"):
		return errors.New("CookieName: it must begin with __Host-, so that no other host can set it")
	case strings.HasPrefix(strings.ToLower(o.CookieName), "__host-http-"):
		return errors.New("CookieName: it must not begin with __Host-Http-, which browsers do not bind")
	case c.Valid() != nil:
		return errors.New("CookieName: it is no name of a cookie")
	case c.SameSite < http.SameSiteLaxMode || c.SameSite > http.SameSiteNoneMode:
		return errors.New("SameSite: it must be Lax, Strict or None")
	}
	return nil
}

func (o Options) checkOrigin() error {
	for _, host := range o.RefreshInitiators {
		if host == "" || strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r > '~' || r == '/' }) {
			return errors.New("RefreshInitiators: each must be a host, *. and a domain, or *")
		}
	}
	u, err := url.Parse(o.Origin)
	if o.Origin != "" && (err != nil || u.Scheme != "https" || u.Host == "" || "https://"+u.Host != o.Origin) {
		return errors.New("Origin: it must be https:// and a host, and nothing after it")
	}
	return nil
}

// excludes reports whether no proof is wanted for an address, by the rule by which browsers match a path. A path that
// is written in a strange way is not excluded, for a handler may take it for another one: /static/../account is none of
// /static.
func (o Options) excludes(u *url.URL) bool {
	if u.RawPath != "" || strings.Contains(u.Path, `\`) || strings.TrimSuffix(path.Clean(u.Path), "/") !=
		strings.TrimSuffix(u.Path, "/") {
		return false
	}
	return u.Path == o.RegisterPath || u.Path == o.RefreshPath || slices.ContainsFunc(o.Exclude, func(p string) bool {
		return u.Path == p || strings.HasPrefix(u.Path, strings.TrimSuffix(p, "/")+"/")
	})
}

// checkManager refuses a manager whose tickets are in no cookie, for the bound cookie would protect nothing, and one
// whose cookie goes where the bound one does not.
func checkManager(m *session.Manager) error {
	switch {
	case m == nil:
		return errors.New("the manager is nil")
	case !strings.Contains(strings.ToLower(m.VaryOn()), "cookie"):
		return errors.New("the manager's tickets come in no cookie, and only cookies are bound to a device")
	case isEmbedded(m):
		return errors.New("the manager's cookie is partitioned, for pages of other sites, and browsers bind no such " +
			"cookie to a device; unset Cookie.Partitioned, or leave sessions unbound")
	}
	return nil
}

// isEmbedded reports whether browsers keep a session's cookie apart for every site that embeds this one. A bound cookie
// cannot be kept so: it would be missing there. With another SameSite than None the session is missing, too.
func isEmbedded(m *session.Manager) bool {
	probe := http.Header{}
	m.Transport().Write(probe, "ticket", time.Time{}, m.Now())
	c, err := http.ParseSetCookie(probe.Get("Set-Cookie"))
	return err == nil && c.Partitioned && c.SameSite == http.SameSiteNoneMode
}
