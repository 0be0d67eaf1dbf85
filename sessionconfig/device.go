package sessionconfig

import (
	"net/http"
	"strings"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/devicebound"
)

// Bind wraps the handler of a site in the middleware of package devicebound, as the keys below device_bound say. It
// returns the handler itself if there are none, or if device_bound.policy is off. Nothing else reads these keys: a site
// that does not call Bind binds no session. Put it outside everything that could answer a POST in another way.
//
// If you want the binder itself, for Require or Prove, call devicebound.New with Config.DeviceBound instead, which may
// be nil.
func (c *Config) Bind(m *session.Manager, next http.Handler) (http.Handler, error) {
	if c.DeviceBound == nil {
		return next, nil
	}
	b, err := devicebound.New(m, *c.DeviceBound)
	if err != nil {
		return nil, err
	}
	return b.Middleware(next), nil
}

// device is what a key below device_bound sets.
func (c *Config) device() *devicebound.Options {
	if c.DeviceBound == nil {
		c.DeviceBound = &devicebound.Options{}
	}
	return c.DeviceBound
}

var policies = map[string]devicebound.Policy{
	"off": deviceOff, "prefer": devicebound.Prefer, "enforce": devicebound.Enforce, "require": devicebound.Require,
}

// deviceOff stands for no binding at all, so that a later file or a variable can switch it off.
const deviceOff = devicebound.Policy(255)

var deviceKeys = []entry{
	{Key: Key{"device_bound.policy", "what a session is worth without the key of its device: Config.Bind binds " +
		"sessions, so that copied cookies open nothing", "off, prefer, enforce or require",
		"devicebound.Options.Policy"},
		set: to(choice(policies), func(c *Config, _ string) *devicebound.Policy { return &c.device().Policy })},
	{Key: Key{"device_bound.lifetime", "how long a proof of the key holds", aDuration + ", from 1s to 24h",
		"devicebound.Options.Lifetime"},
		set: to(duration, func(c *Config, _ string) *time.Duration { return &c.device().Lifetime })},
	{Key: Key{"device_bound.grace", "how long after its lifetime a bound cookie is still accepted",
		aDuration + ", or none", "devicebound.Options.Grace"},
		set: to(durationOr("none"), func(c *Config, _ string) *time.Duration { return &c.device().Grace })},
	{Key: Key{"device_bound.pending_for", "how long after a login a browser may register its key",
		aDuration + ", from 1s to 5m", "devicebound.Options.PendingFor"},
		set: to(duration, func(c *Config, _ string) *time.Duration { return &c.device().PendingFor })},
	{Key: Key{"device_bound.register_path", "where browsers register their keys", "a path of the site",
		"devicebound.Options.RegisterPath"},
		set: to(path, func(c *Config, _ string) *string { return &c.device().RegisterPath })},
	{Key: Key{"device_bound.refresh_path", "where browsers prove that they have them", "a path of the site",
		"devicebound.Options.RefreshPath"},
		set: to(path, func(c *Config, _ string) *string { return &c.device().RefreshPath })},
	{Key: Key{"device_bound.cookie_name", "the name of the bound cookie", "a name that begins with __Host-",
		"devicebound.Options.CookieName"},
		set: to(name, func(c *Config, _ string) *string { return &c.device().CookieName })},
	{Key: Key{"device_bound.same_site", "whether requests that other sites cause carry the bound cookie",
		"lax, strict or none", "devicebound.Options.SameSite"},
		set: to(sameSite, func(c *Config, _ string) *http.SameSite { return &c.device().SameSite })},
	{Key: Key{"device_bound.rsa", "also accept keys of RSA", aBool, "devicebound.Options.RSA"},
		set: to(boolean, func(c *Config, _ string) *bool { return &c.device().RSA })},
	{Key: Key{"device_bound.exclude", "paths, with all below them, that need no proof, such as static files",
		"paths such as /static, as a list or with commas", "devicebound.Options.Exclude"},
		set: to(list, func(c *Config, _ string) *[]string { return &c.device().Exclude })},
	{Key: Key{"device_bound.refresh_initiators", "hosts of other origins whose pages may cause a proof",
		"hosts such as *.example.com, as a list or with commas", "devicebound.Options.RefreshInitiators"},
		set: to(list, func(c *Config, _ string) *[]string { return &c.device().RefreshInitiators })},
	{Key: Key{"device_bound.origin", "the site's own origin, where a proxy changes the Host of requests",
		"https:// and a host", "devicebound.Options.Origin"},
		set: to(text, func(c *Config, _ string) *string { return &c.device().Origin })},
	{Key: Key{"device_bound.clear_site_data", "make a browser forget cookies and storage of the site when its bound " +
		"session ends", aBool, "devicebound.Options.ClearSiteData"},
		set: to(boolean, func(c *Config, _ string) *bool { return &c.device().ClearSiteData })},
}

// checkDevice lets package devicebound judge its options on a manager with those of the configuration.
func (b *builder) checkDevice(m *session.Manager) {
	c := b.cfg
	if c.DeviceBound != nil && c.DeviceBound.Policy == deviceOff {
		c.DeviceBound = nil
	}
	b.checkDevicePaths()
	_, err := c.Bind(m, http.NotFoundHandler())
	if err == nil {
		return
	}
	for line := range strings.SplitSeq(strings.TrimPrefix(err.Error(), "devicebound: "), "\n") {
		if strings.Contains(line, ": ") {
			line = "devicebound.Options." + line
		}
		b.explain(line)
	}
}

// checkDevicePaths finds paths to which browsers do not send the session's cookie.
func (b *builder) checkDevicePaths() {
	c, below := b.cfg, strings.TrimSuffix(b.cfg.Options.Cookie.Path, "/")+"/"
	if c.DeviceBound == nil {
		return
	}
	for option, path := range map[string]string{
		"RegisterPath": c.DeviceBound.RegisterPath, "RefreshPath": c.DeviceBound.RefreshPath,
	} {
		if below != "/" && !strings.HasPrefix(path, below) {
			b.explain("devicebound.Options." + option + ": it must lie below cookie.path, or no browser sends the " +
				"ticket there")
		}
	}
}
