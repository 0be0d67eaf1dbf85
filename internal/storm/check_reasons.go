package storm

import (
	"slices"
	"strings"

	"github.com/coatcheck/session"
)

// checkReasons wants that who was signed out is told why by nobody but who may have ended the session, and by who did,
// that a session that is alive tells of no end, and that one ends once.
func (v *verdict) checkReasons() {
	for _, t := range v.tickets {
		why := v.whys[t]
		st := v.lives[t.life]
		switch f := v.saying(why); {
		case why != "" && v.opened[t] != nil:
			v.wrong("%v opens a session, and tells that it ended: %q", t, why)
		case f == nil && strings.HasPrefix(string(why), reasonPrefix):
			v.wrong("%v tells what nobody has said: %q", t, why)
		case f != nil && st != nil && v.judges(st, f) && !v.perhapsEnded(st, f):
			v.wrong("%v tells %q of %s, which %v did not end", t, why, st.life, v.describe(f))
		}
	}
	if v.faults > 0 || v.killIn > 0 || v.bound > 0 { // one end may be told twice
		return
	}
	ends := map[string][]session.Reason{}
	for id, whys := range v.ends {
		if len(whys) > 1 {
			v.wrong("%s ended as %q", v.name(id), whys)
		}
		life := v.lifeOf(id)
		ends[life] = append(ends[life], whys...) // a record that was to take over is told of too
	}
	for _, t := range v.tickets {
		why, whys := v.whys[t], ends[t.life]
		if t.life != "" && why != "" && len(whys) > 0 && !slices.Contains(whys, why) {
			v.wrong("%v tells %q of %s, which ended as %q", t, why, t.life, whys)
		}
	}
}

// judges reports whether it is known that a revocation could not reach a session: an id leads to what followed on the
// same browser, and of two sign-ins at once on one browser the one whose id is given is kept.
func (v *verdict) judges(st *state, f *fact) bool {
	if st.dropped || st.stranded {
		return false
	}
	if len(f.ids) == 0 {
		return !v.keeps(f, st, true)
	}
	named := v.lifeOf(f.ids[0])
	return named != "" && !v.akin(st.life, named)
}

const reasonPrefix = "reason "

// reason is what a fact says when it ends a session.
func (f *fact) reason() session.Reason { return session.Reason(reasonPrefix + f.token) }

// saying is the fact that gave a reason, nil for none.
func (v *verdict) saying(why session.Reason) *fact {
	for _, f := range v.facts {
		if f.kind == ends && f.token != "" && f.reason() == why {
			return f
		}
	}
	return nil
}
