package otelsession

import "github.com/coatcheck/session"

// ability is a set of what a store can do.
type ability uint8

const (
	touch ability = 1 << iota
	sweep
	list
	limit // and list
	share
)

// has looks for one ability, and keeps it.
func has[T any](s session.Store, a ability, into *T) ability {
	var ok bool
	if *into, ok = s.(T); !ok {
		return 0
	}
	return a
}

// withAbilities is the store with the abilities of the one below, no more and no less. Sharing alone is left out where
// the store lacks another one: no store in memory does, and it only saves copies.
func (s *store) withAbilities() session.Store {
	if c, ok := s.next.(session.Carrier); ok {
		return &carries{s, c}
	}
	p := parts{s, &touches{s: s}, &sweeps{s: s}, &lists{s: s}, &limits{}, &shares{s: s}}
	p.limits.lists = p.lists
	can := has(s.next, touch, &p.touches.next) | has(s.next, sweep, &p.sweeps.next) | has(s.next, list, &p.lists.next)
	if can&list != 0 { // a limiter is a lister, too
		can |= has(s.next, limit, &p.limits.next)
	}
	if all := touch | sweep | list | limit; can == all {
		can |= has(s.next, share, &p.shares.next)
	}
	return p.with(can)
}

// parts are what a store is put together from.
type parts struct {
	*store
	*touches
	*sweeps
	*lists
	*limits
	*shares
}

// with puts together what can do just that. A method that a type has cannot be taken away, so that each set is a type.
func (p parts) with(can ability) session.Store {
	switch can {
	case touch:
		return &touching{p.store, p.touches}
	case sweep:
		return &sweeping{p.store, p.sweeps}
	case touch | sweep:
		return &touchingSweeping{p.store, p.touches, p.sweeps}
	case list:
		return &listing{p.store, p.lists}
	case touch | list:
		return &touchingListing{p.store, p.touches, p.lists}
	case sweep | list:
		return &sweepingListing{p.store, p.sweeps, p.lists}
	case touch | sweep | list:
		return &touchingSweepingListing{p.store, p.touches, p.sweeps, p.lists}
	case list | limit:
		return &limiting{p.store, p.limits}
	case touch | list | limit:
		return &touchingLimiting{p.store, p.touches, p.limits}
	case sweep | list | limit:
		return &sweepingLimiting{p.store, p.sweeps, p.limits}
	case touch | sweep | list | limit:
		return &everything{p.store, p.touches, p.sweeps, p.limits}
	case touch | sweep | list | limit | share:
		return &everythingShared{p.store, p.touches, p.sweeps, p.limits, p.shares}
	}
	return p.store
}

// The sets.
type (
	touching struct {
		*store
		*touches
	}
	sweeping struct {
		*store
		*sweeps
	}
	touchingSweeping struct {
		*store
		*touches
		*sweeps
	}
	listing struct {
		*store
		*lists
	}
	touchingListing struct {
		*store
		*touches
		*lists
	}
	sweepingListing struct {
		*store
		*sweeps
		*lists
	}
	touchingSweepingListing struct {
		*store
		*touches
		*sweeps
		*lists
	}
	limiting struct {
		*store
		*limits
	}
	touchingLimiting struct {
		*store
		*touches
		*limits
	}
	sweepingLimiting struct {
		*store
		*sweeps
		*limits
	}
	everything struct {
		*store
		*touches
		*sweeps
		*limits
	}
	everythingShared struct {
		*store
		*touches
		*sweeps
		*limits
		*shares
	}
)
