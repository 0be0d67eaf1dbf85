package guard

import (
	"cmp"
	"errors"
	"time"

	"github.com/coatcheck/session"
)

// SignInLimits are the numbers of Guard.SignIn. The zero value is good: somebody who guesses the password of one
// account, from however many addresses, has about 20 attempts in the first two days and one a day afterwards.
type SignInLimits struct {
	// Attempts is how many sign-ins to one account may fail before people have to wait, and how many on a device that
	// has been signed in to the account before. 0: 10
	Attempts int

	// Wait is the first wait, and each further failure doubles it. 0: 1 minute
	Wait time.Duration

	// Forgive is the time in which one failure is forgiven, and the longest wait. 0: 24 hours
	Forgive time.Duration

	// AddressAttempts is how many sign-ins may fail in an hour from one address, a fifth of them at once. Many people
	// can share an address. 0: 100
	AddressAttempts int

	// KnownFor is how long a device stays known after a sign-in. Browsers forget it after 400 days at most. 0: 365 days
	KnownFor time.Duration

	// Store keeps the counts, as Limit.Store does: at most 3072 records. nil: they are in the memory of this process,
	// and each process counts by itself.
	Store session.Store
}

// resolveLimits fills in what is zero.
func (o *Options) resolveLimits() error {
	l := &o.SignIn
	l.Attempts, l.AddressAttempts = cmp.Or(l.Attempts, 10), cmp.Or(l.AddressAttempts, 100)
	l.Wait, l.Forgive = cmp.Or(l.Wait, time.Minute), cmp.Or(l.Forgive, 24*time.Hour)
	l.KnownFor = cmp.Or(l.KnownFor, 365*24*time.Hour)
	o.IPv4Prefix, o.IPv6Prefix = cmp.Or(o.IPv4Prefix, 32), cmp.Or(o.IPv6Prefix, 64)
	for _, wrong := range []struct {
		is   bool
		what string
	}{
		{l.Attempts < 0, "SignIn.Attempts: it must not be negative; leave it 0 for 10"},
		{l.AddressAttempts < 0, "SignIn.AddressAttempts: it must not be negative; leave it 0 for 100"},
		{l.Wait < time.Millisecond, "SignIn.Wait: it is at least 1ms, or 0 for a minute"},
		{l.Forgive < 0, "SignIn.Forgive: it must not be negative; leave it 0 for 24 hours"},
		{l.Wait > l.Forgive, "SignIn.Wait: it must not be longer than Forgive, which is the longest wait"},
		{l.KnownFor < time.Second, "SignIn.KnownFor: it is at least 1s, or 0 for a year"},
		{o.IPv4Prefix < 0 || o.IPv4Prefix > 32, "IPv4Prefix: it is at most 32, and not negative"},
		{o.IPv6Prefix < 0 || o.IPv6Prefix > 128, "IPv6Prefix: it is at most 128, and not negative"},
	} {
		if wrong.is {
			return errors.New("guard: Options." + wrong.what)
		}
	}
	return lasts("Options.SignIn.Store", l.Store)
}

// signIns is what SignIn counts by.
type signIns struct{ address, account, device signInLimit }

type signInLimit struct {
	rule
	in  counts
	own bool // the count is that of the client alone, which may be told of it
	why error
}

func (g *Guard) newSignIns() signIns {
	l := g.opts.SignIn
	limit := func(r rule, own bool, why string) signInLimit {
		r.name = "\x00" + r.name // is no Limit's of the site
		return signInLimit{r, g.countsOf(r.name, l.Store), own, errors.New("guard: SignIn: too many attempts " + why)}
	}
	slow := func(name string) rule { return newSlowRule(name, l.Attempts, l.Wait, l.Forgive) }
	address := Limit{Name: "signin-address", Requests: l.AddressAttempts, Per: time.Hour,
		Burst: (l.AddressAttempts-1)/5 + 1}
	return signIns{
		address: limit(newRule(address), true, "from one address"),
		account: limit(slow("signin-account"), false, "at one account"),
		device:  limit(slow("signin-device"), true, "at one account, on a device that was signed in to it"),
	}
}
