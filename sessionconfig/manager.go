package sessionconfig

import (
	"cmp"
	"context"
	"log/slog"
	"reflect"
	"time"

	"github.com/coatcheck/session"
)

// readTimeout is how long a program that prints the secrets may take for Manager.
const readTimeout = 30 * time.Second

// Manager returns a manager on a store that [Config.OpenStore] has opened, for sites with more than one manager: each
// has the options of the configuration, and change replaces those in which it differs, such as its cookie. nil changes
// none. The managers share the store with its connections, and the sweeper: the first manager of a store sweeps, and
// the others do not unless change sets SweepEvery. With secrets.reload each of them gets new secrets. The first manager
// logs [Config.Warnings], unless Open has. Do not call Manager from several goroutines at once.
//
//	store, closer, err := cfg.OpenStore(ctx)
//	…
//	site, err := cfg.Manager(store, nil)
//	…
//	staff, err := cfg.Manager(store, func(o *session.Options) { o.Cookie.Name = "__Host-staff" })
//
// Close the managers, and then the closer. For browsers and apps on one manager see the key transport instead.
func (c *Config) Manager(store session.Store, change func(*session.Options)) (*session.Manager, error) {
	opts := c.Options
	if opts.SecretSource == nil {
		ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
		defer cancel()
		secrets, err := c.Secrets(ctx)
		if err != nil {
			return nil, err
		}
		opts.Secrets = secrets
	}
	if c.isSwept(store) {
		opts.SweepEvery = session.Never
	}
	if change != nil {
		change(&opts)
	}
	m, err := session.New(store, opts)
	if err != nil {
		return nil, err
	}
	if opts.SweepEvery >= 0 {
		c.swept = append(c.swept, store)
	}
	if !c.warned {
		c.warn(context.Background(), cmp.Or(opts.Logger, slog.Default()))
	}
	return m, nil
}

// isSwept reports whether a manager on the store has a sweeper.
func (c *Config) isSwept(store session.Store) bool {
	for _, one := range c.swept {
		if reflect.TypeOf(one).Comparable() && one == store {
			return true
		}
	}
	return false
}
