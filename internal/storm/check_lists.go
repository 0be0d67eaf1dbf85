package storm

import (
	"slices"

	"github.com/coatcheck/session"
)

// checkLimit wants that nobody has more sessions than MaxPerUser, and that none was refused or ended while there was
// room.
func (v *verdict) checkLimit() {
	if v.max == 0 {
		return
	}
	for user, live := range v.byUser() {
		if len(live) > v.max {
			v.wrong("%s has %d sessions, want %d", user, len(live), v.max)
		}
	}
	for _, f := range v.facts {
		if n := 0; f.kind == logins && f.refused {
			if n = v.mostOf(f.user, f.from, f.to, f.lives); n < v.max || v.overflow != session.RefuseNew {
				v.wrong("%s was refused with %d other sessions", f.user, n)
			}
		}
	}
	for _, d := range v.drops {
		if d.by == nil {
			continue
		}
		if n := v.mostOf(d.user, d.by.no, d.at, d.by.lives); n < v.max {
			v.wrong("%v evicted a session of %s, who had %d others", d.by, d.user, n)
		}
	}
}

// mostOf is how many other sessions a user can have had at some time. What a request had is another one when it has
// moved: a login that comes too late for it begins afresh. Where the store has dropped an id, or a revocation has
// deleted it, nobody can tell for a moment that what was to take over from it has lost, and it is another one too.
func (v *verdict) mostOf(user string, from, to int, but []string) (n int) {
	v.each(func(st *state) {
		signedIn := slices.ContainsFunc(v.facts, func(f *fact) bool {
			return f.kind == logins && f.user == user && f.from < to && slices.Contains(v.concerned(f), st)
		})
		if signedIn && !v.over(st, from, to) && (st.moved || st.dropped || st.bereft || v.faults > 0 || v.killIn > 0 ||
			!slices.Contains(but, st.life)) {
			n++
			if st.dropped || st.stranded {
				n++
			}
		}
	})
	return n
}

// checkBound wants that a store with a bound drops a session for a new one alone, and not for one that moves.
func (v *verdict) checkBound() {
	gone := map[string]bool{}
	for _, d := range v.drops {
		if d.by == nil && d.live && v.was(d.id) {
			gone[v.root(d.id)] = true
		}
	}
	if most := max(0, v.made+v.unfinished()-v.bound); v.bound > 0 && len(gone) > most {
		v.wrong("the store dropped %d sessions, want at most %d", len(gone), most)
	}
}

// unfinished are the moves that the store was never told to decide, because the request had gone or got no answer.
// Their records are sessions to the store when the old id moves elsewhere.
func (v *verdict) unfinished() (n int) {
	for id, before := range v.kin {
		if before != "" && v.heirs[before] != id && !v.lost[id] {
			n++
		}
	}
	return n
}

// checkListings wants that every answer had each session once, those that lasted, and none that was over.
func (v *verdict) checkListings() {
	for _, l := range v.listings {
		if !l.sure {
			continue
		}
		times := map[string]int{}
		for _, id := range l.ids {
			times[v.lifeOf(id)]++
		}
		v.each(func(st *state) { v.checkListed(l, st, times[st.life]) })
	}
}

func (v *verdict) checkListed(l *listing, st *state, times int) {
	theirs := !l.all && st.user == l.user && st.userAt > 0 && st.userAt < l.from
	switch lasts := v.lasts(st); {
	case theirs && times == 0 && lasts:
		v.wrong("a list of the sessions of %s at %d to %d lacks %s", l.user, l.from, l.to, st.life)
	case times > 1 && v.pace.settled == nil && v.inUse(st, l.from, l.to): // its ids were not read at the same time
	case times > 1 && !v.perhapsTold(st, l.to) && (lasts || !v.perhapsOrphaned(st, l.from, l.to)):
		v.wrong("a list at %d to %d has %s twice", l.from, l.to, st.life)
	case times > 0 && v.over(st, l.from, l.to):
		v.wrong("a list at %d to %d has %s, which is over", l.from, l.to, st.life)
	}
}

// over reports whether nothing can be left of a session at some time.
func (v *verdict) over(st *state, from, to int) bool {
	return !v.perhapsOrphaned(st, from, to) &&
		slices.ContainsFunc(v.facts, func(f *fact) bool { return v.surelyEnded(st, f) && f.to < from })
}

// perhapsOrphaned reports whether a record may have been there that was made for a move of a session which had ended
// meanwhile. It goes when the request finds that out; when the store fails it then, a second later.
func (v *verdict) perhapsOrphaned(st *state, from, to int) bool {
	return v.faults > 0 || v.killIn > 0 || v.inUse(st, from, to)
}

// inUse reports whether a visit had to do with a session between two ticks.
func (v *verdict) inUse(st *state, from, to int) bool {
	return slices.ContainsFunc(v.visits, func(by *visit) bool {
		return by.no < to && by.end > from && slices.Contains(by.lives, st.life)
	})
}

// perhapsTold reports whether UpdateUser may have changed the record of a login that was not done. It is listed until
// it goes.
func (v *verdict) perhapsTold(st *state, to int) bool {
	return slices.ContainsFunc(v.facts, func(f *fact) bool {
		return f.kind == tells && f.from < to && slices.Contains(st.users, f.user)
	})
}
