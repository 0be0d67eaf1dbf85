package sessiontest

import (
	"context"
	"slices"

	"github.com/coatcheck/session"
)

// rule is one thing that the contract demands.
type rule struct {
	name   string                            // of the subtest
	clause string                            // where in the contract it is written: a key of the map contract
	needs  []need                            // what the store or the options must have
	bare   bool                              // holds for a store that keeps nothing as well
	check  func(context.Context, *env) error // nil when the store keeps the rule
}

// rules returns all rules in the order of the contract.
func rules() []rule {
	return slices.Concat(loadRules, saveRules, raceRules, deleteRules, dataRules, contextRules, peerRules, outageRules,
		fieldRules, changeRules, corruptRules, idRules, touchRules, sweepRules, userRules, moveRules, pageRules,
		limitRules, limitCreateRules, watchRules, evictRules, shareRules)
}

func (r rule) why() string { return r.clause + ": " + contract[r.clause] }

// broken returns a *RuleError when the store breaks the rule.
func (r rule) broken(ctx context.Context, e *env) error {
	if err := r.check(ctx, e); err != nil {
		return &RuleError{Rule: r.name, Why: r.why(), Err: err}
	}
	return nil
}

// missing says what the rule needs and does not find, "" when it can be checked.
func (r rule) missing(e *env) string {
	if d, ok := e.Store.(session.Discarder); ok && d.Discards() && !r.bare {
		return "the store keeps nothing"
	}
	for _, n := range r.needs {
		if !n.met(e) {
			return n.without
		}
	}
	return ""
}

// need is something that not every store has.
type need struct {
	without string
	met     func(*env) bool
}

var (
	toucher = need{"the store is no session.Toucher", func(e *env) bool { return e.toucher() != nil }}
	sweeper = need{"the store is no session.Sweeper", func(e *env) bool { return e.sweeper() != nil }}
	lister  = need{"the store is no session.Lister", func(e *env) bool { return e.lister() != nil }}
	limiter = need{"the store is no session.Limiter", func(e *env) bool { return e.limiter() != nil }}
	watcher = need{"the store is no session.Watcher", func(e *env) bool { return e.watcher() != nil }}
	sharer  = need{"the store is no session.Sharer", func(e *env) bool { return e.sharer() != nil }}
	peer    = need{"Options.Peer is nil", func(e *env) bool { return e.opts.Peer != nil }}
	outage  = need{"Options.Break is nil", func(e *env) bool { return e.opts.Break != nil }}
	corrupt = need{"Options.Corrupt is nil", func(e *env) bool { return e.opts.Corrupt != nil }}
	bounded = need{"Options.Bounded is nil", func(e *env) bool { return e.opts.Bounded != nil }}
)

func (e *env) toucher() session.Toucher { s, _ := e.Store.(session.Toucher); return s }
func (e *env) sweeper() session.Sweeper { s, _ := e.Store.(session.Sweeper); return s }
func (e *env) sharer() session.Sharer   { s, _ := e.Store.(session.Sharer); return s }
func (e *env) limiter() session.Limiter { s, _ := e.Store.(session.Limiter); return s }

// lister lists without nil, which is an error there.
func (e *env) lister() session.Lister {
	if s, ok := e.Store.(session.Lister); ok {
		return wholeLister{s}
	}
	return nil
}
