package storm

import (
	"slices"

	"github.com/coatcheck/session"
)

// checkEnds wants that what was ended is gone.
func (v *verdict) checkEnds() {
	v.each(func(st *state) {
		if st.found == nil {
			return
		}
		for _, f := range v.facts {
			if v.surelyEnded(st, f) {
				v.wrong("%s is alive, which %v ended", st.life, v.describe(f))
			}
		}
		for _, d := range v.drops {
			if d.by != nil && v.lifeOf(d.id) == st.life && v.was(d.id) {
				v.wrong("%s is alive, which %v evicted", st.life, d.by)
			}
		}
	})
}

// was reports whether somebody had a session under that id. A login that is evicted before it was done may be done
// later.
func (v *verdict) was(id string) bool {
	return slices.ContainsFunc(v.sightings, func(s sighting) bool { return s.id == id })
}

func (v *verdict) describe(f *fact) string {
	switch {
	case len(f.ids) > 0:
		return "the revocation of " + v.name(f.ids[0])
	case f.user != "":
		return "the revocation of " + f.user
	}
	return "a logout"
}

// surelyEnded reports whether an end was answered that had to reach the session.
func (v *verdict) surelyEnded(st *state, f *fact) bool {
	if f.kind != ends || !f.sure || st.dropped || st.stranded {
		return false
	}
	signed := st.userAt > 0 && st.userAt < f.from
	switch {
	case f.user != "":
		return st.user == f.user && signed && !v.keeps(f, st, true)
	case len(f.ids) > 0: // one that signs in at this moment may be ended as what it was before, and remain that
		return v.lifeOf(f.ids[0]) == st.life && v.was(f.ids[0]) && (f.own == "" || f.own == st.user) && (signed ||
			len(st.users) == 0)
	}
	return slices.Contains(f.lives, st.life)
}

// perhapsEnded reports whether an end may have reached the session, or that from which it came.
func (v *verdict) perhapsEnded(st *state, f *fact) bool {
	switch {
	case f.kind != ends || f.tries == 0:
		return false
	case f.user != "":
		return slices.Contains(st.users, f.user) && !v.keeps(f, st, false)
	case len(f.ids) > 0:
		return v.descends(st.life, v.lifeOf(f.ids[0])) && (f.own == "" || slices.Contains(st.users, f.own))
	}
	return f.vague || slices.ContainsFunc(f.lives, func(life string) bool { return v.descends(st.life, life) })
}

// keeps reports whether a revocation keeps a session, or perhaps does: what is to be kept leads to the session that
// followed on the same browser, too. That may be one that followed an earlier one: a logout with an older ticket ends
// what that leads to by now. Whoever signs in while it runs may be ended, whatever the session was before.
func (v *verdict) keeps(f *fact, st *state, perhaps bool) bool {
	theirs := st.userAt > 0 && st.userAt < f.from
	kept := func(life string) bool {
		return life == st.life && (perhaps || theirs) || perhaps && v.akin(st.life, life)
	}
	return perhaps && slices.ContainsFunc(f.lives, kept) ||
		slices.ContainsFunc(f.keep, func(id string) bool { return kept(v.lifeOf(id)) })
}

// akin reports whether two lives followed one, or one the other.
func (v *verdict) akin(a, b string) bool {
	for ; b != ""; b = v.parents[b] {
		if v.descends(a, b) {
			return true
		}
	}
	return false
}

// descends reports whether a life is another one, or followed it.
func (v *verdict) descends(life, from string) bool {
	for ; life != ""; life = v.parents[life] {
		if life == from {
			return true
		}
	}
	return false
}

// perhapsEvicted reports whether a session may have made room for another one. It need not have been told where answers
// are lost.
func (v *verdict) perhapsEvicted(st *state) bool {
	return st.dropped || v.max > 0 && v.overflow == session.EvictOldest && slices.ContainsFunc(v.facts,
		func(f *fact) bool {
			return f.kind == logins && f.tries > 0 && (v.faults > 0 || v.killIn > 0) && slices.Contains(st.users,
				f.user)
		})
}

// lasts reports whether nobody can have ended a session that a client was told of.
func (v *verdict) lasts(st *state) bool {
	return st.created && !st.unsure && !v.perhapsEvicted(st) &&
		!slices.ContainsFunc(v.facts, func(f *fact) bool { return v.perhapsEnded(st, f) })
}

// checkAlive wants that nobody is signed out whom nobody signed out, with any ticket that he was given.
func (v *verdict) checkAlive() {
	const most = 60 // renewals that one load follows
	ids := map[string]int{}
	for id := range v.names {
		ids[v.lifeOf(id)]++
	}
	v.each(func(st *state) {
		if !v.lasts(st) {
			return
		}
		if st.found == nil {
			v.wrong("%s is gone, and nobody ended it", st.life)
			return
		}
		for _, t := range v.tickets {
			if t.life == st.life && !st.moved && v.opened[t] == nil && ids[st.life] < most {
				v.wrong("%v no longer opens %s", t, st.life)
			}
		}
	})
	for t, s := range v.opened {
		if now := mark.Or(s, ""); t.life != "" && t.life != now {
			v.wrong("%v opens %s instead of %s", t, now, t.life)
		}
	}
}

// checkUsers wants that everybody is who he is.
func (v *verdict) checkUsers() {
	v.each(func(st *state) {
		if st.found == nil {
			return
		}
		now := st.found.User()
		if now != st.user || now != "" && !slices.Contains(st.users, now) {
			v.wrong("%s is of %q, want %q", st.life, now, st.user)
		}
	})
}
