package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/coatcheck/session"
)

// Options tell the kit more about a store, so that it can check more. The zero value is fine: rules that need something
// more are skipped, and the log says so.
type Options struct {
	// Peer opens a second store on the backend of s, as another process would.
	Peer func(t *testing.T, s session.Store) session.Store
	// Break makes the backend of s fail from now on, as an outage would.
	Break func(t *testing.T, s session.Store)
	// Corrupt damages the stored record of that id so that it can no longer be read whole.
	Corrupt func(t *testing.T, s session.Store, id string)
	// Bounded makes a new store that keeps at most max records, for a store that is a [session.Evicter].
	Bounded func(t *testing.T, max int) session.Store
	// Skip names rules that are not to be checked, exactly as the output names them. The log says which were skipped. A
	// name that no rule has fails the test.
	Skip []string
}

// CheckOptions are Options without a *testing.T. The zero value is fine.
type CheckOptions struct {
	Peer    func(s session.Store) session.Store
	Break   func(s session.Store)
	Corrupt func(s session.Store, id string)
	Bounded func(max int) session.Store
	Skip    []string
}

// RuleError says that a store broke a rule.
type RuleError struct {
	Rule string // its name
	Why  string // the sentence of the contract that it checks
	Err  error  // what happened
}

func (e *RuleError) Error() string {
	return fmt.Sprintf("%s: %v\n\tbroken: %s", e.Rule, e.Err, e.Why)
}

// Unwrap returns Err.
func (e *RuleError) Unwrap() error { return e.Err }

// Run checks every rule of the contract in a subtest of its own, each on a fresh store from newStore. Whatever must be
// closed or inspected after a rule belongs in t.Cleanup. Call Run once for every configuration of the store that
// matters. The rules about many goroutines find most under the race detector.
func Run(t *testing.T, newStore func(t *testing.T) session.Store, opts Options) {
	t.Helper()
	if err := checkSkip(opts.Skip); err != nil {
		t.Error(err)
	}
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			if slices.Contains(opts.Skip, r.name) {
				t.Skipf("named in Options.Skip, not checked: %s", r.why())
			}
			e := &env{Store: newStore(t), opts: opts.bind(t)}
			if missing := r.missing(e); missing != "" {
				t.Skip(missing)
			}
			if err := r.broken(t.Context(), e); err != nil {
				t.Error(err)
			}
		})
	}
}

// Check is Run for places without a *testing.T that can make subtests, such as a bubble of testing/synctest. It returns
// the broken rules joined, each as a [*RuleError], or nil if there are none. At most one CheckOptions may be given.
func Check(ctx context.Context, newStore func() session.Store, opts ...CheckOptions) error {
	o, err := only(opts)
	if err != nil {
		return err
	}
	errs := []error{checkSkip(o.Skip)}
	for _, r := range rules() {
		if slices.Contains(o.Skip, r.name) {
			continue
		}
		if e := (&env{Store: newStore(), opts: o}); r.missing(e) == "" {
			errs = append(errs, r.broken(ctx, e))
		}
	}
	return errors.Join(errs...)
}

func only(opts []CheckOptions) (CheckOptions, error) {
	switch len(opts) {
	case 0:
		return CheckOptions{}, nil
	case 1:
		return opts[0], nil
	}
	return CheckOptions{}, errors.New("sessiontest: more than one CheckOptions")
}

func checkSkip(names []string) error {
	var errs []error
	for _, name := range names {
		if !slices.ContainsFunc(rules(), func(r rule) bool { return r.name == name }) {
			errs = append(errs, fmt.Errorf("sessiontest: Skip: there is no rule %q", name))
		}
	}
	return errors.Join(errs...)
}

// bind gives the options the test in which they are used.
func (o Options) bind(t *testing.T) CheckOptions {
	c := CheckOptions{Skip: o.Skip}
	if o.Peer != nil {
		c.Peer = func(s session.Store) session.Store { return o.Peer(t, s) }
	}
	if o.Break != nil {
		c.Break = func(s session.Store) { o.Break(t, s) }
	}
	if o.Corrupt != nil {
		c.Corrupt = func(s session.Store, id string) { o.Corrupt(t, s, id) }
	}
	if o.Bounded != nil {
		c.Bounded = func(max int) session.Store { return o.Bounded(t, max) }
	}
	return c
}
