package sessionconfig

import (
	"cmp"
	"strings"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

// Limit returns a limit of package guard with the numbers that the keys below guard.limits.NAME say, where NAME is the
// name of the limit, "" for "default". What they leave out stays as it is in l: the program's own numbers, and By and
// the stores, which no key sets.
//
//	search := g.Rate(cfg.Limit(guard.Limit{Name: "search", Requests: 30, Per: time.Minute, By: guard.Address}))
//
// A limit that no program asks for has no effect.
func (c *Config) Limit(l guard.Limit) guard.Limit {
	if said := c.limits[cmp.Or(l.Name, "default")]; said != nil {
		l.Requests = cmp.Or(said.Requests, l.Requests)
		l.Per = cmp.Or(said.Per, l.Per)
		l.Burst = cmp.Or(said.Burst, l.Burst)
	}
	return l
}

// limit is what a key below guard.limits sets.
func (c *Config) limit(name string) *guard.Limit {
	if c.limits == nil {
		c.limits = map[string]*guard.Limit{}
	}
	if c.limits[name] == nil {
		c.limits[name] = &guard.Limit{}
	}
	return c.limits[name]
}

const (
	signInOption = "guard.Options.SignIn."
	aPositive    = "a whole number, 1 or more"
)

var guardKeys = []entry{
	{Key: Key{"guard.sign_in.attempts", "how many sign-ins may fail for one account, or on a device of its owner, " +
		"before people have to wait; 0: 10", aCount, signInOption + "Attempts"},
		set: to(count, func(c *Config, _ string) *int { return &c.Guard.SignIn.Attempts })},
	{Key: Key{"guard.sign_in.wait", "the first wait, which each further failure doubles; 1m if left out", aDuration,
		signInOption + "Wait"},
		set: to(duration, func(c *Config, _ string) *time.Duration { return &c.Guard.SignIn.Wait })},
	{Key: Key{"guard.sign_in.forgive", "in what time one failure is forgiven, and the longest wait; 24h if left out",
		aDuration, signInOption + "Forgive"},
		set: to(duration, func(c *Config, _ string) *time.Duration { return &c.Guard.SignIn.Forgive })},
	{Key: Key{"guard.sign_in.address_attempts", "how many sign-ins may fail in an hour from one address, a fifth of " +
		"them at once; 0: 100", aCount, signInOption + "AddressAttempts"},
		set: to(count, func(c *Config, _ string) *int { return &c.Guard.SignIn.AddressAttempts })},
	{Key: Key{"guard.sign_in.known_for", "how long a device is known after a sign-in; 365d if left out", aDuration,
		signInOption + "KnownFor"},
		set: to(duration, func(c *Config, _ string) *time.Duration { return &c.Guard.SignIn.KnownFor })},
	{Key: Key{"guard.ipv4_prefix", "how many bits of an IPv4 address one visitor has; 0: 32", "a number from 0 to 32",
		"guard.Options.IPv4Prefix"},
		set: to(count, func(c *Config, _ string) *int { return &c.Guard.IPv4Prefix })},
	{Key: Key{"guard.ipv6_prefix", "how many bits of an IPv6 address one visitor has; 0: 64", "a number from 0 to 128",
		"guard.Options.IPv6Prefix"},
		set: to(count, func(c *Config, _ string) *int { return &c.Guard.IPv6Prefix })},
	{Key: Key{"guard.end_within", "how recent a sign-in must be to end other sessions on the page of devices; 10m if " +
		"left out and there is a login page", aDuration + ", or never", "guard.Options.EndWithin"},
		set: to(durationOr("never"), func(c *Config, _ string) *time.Duration { return &c.Guard.EndWithin })},
	{Key: Key{"guard.limits.*.requests", "how many requests the limit of this name lets through in each per; the " +
		"program's number if left out", aPositive, "guard.Limit.Requests"},
		set: to(positive, func(c *Config, name string) *int { return &c.limit(name).Requests })},
	{Key: Key{"guard.limits.*.per", "the time in which that many are let through; the program's if left out", aDuration,
		"guard.Limit.Per"},
		set: to(duration, func(c *Config, name string) *time.Duration { return &c.limit(name).Per })},
	{Key: Key{"guard.limits.*.burst", "how many may be made at once; the program's number if left out", aPositive,
		"guard.Limit.Burst"},
		set: to(positive, func(c *Config, name string) *int { return &c.limit(name).Burst })},
}

// positive is a whole number above zero.
func positive(v any) (int, error) {
	n, err := count(v)
	if err == nil && n == 0 {
		err = errKind
	}
	return n, err
}

// checkGuard lets package guard judge its options on a manager with those of the configuration.
func (b *builder) checkGuard(m *session.Manager) {
	if _, err := guard.New(m, b.cfg.Guard); err != nil {
		b.explain("guard." + strings.TrimPrefix(err.Error(), "guard: "))
	}
}

// mostFailures is how many failed attempts in a row NIST SP 800-63B-4 allows at one account, in section 3.2.2.
const mostFailures = 100
