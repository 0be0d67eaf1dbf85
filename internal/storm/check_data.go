package storm

import (
	"slices"
)

// contents are what a session had at the end.
type contents struct {
	log, told, set []string
	n              int
}

func (st *state) contents() contents {
	c := contents{log: log.Or(st.found, nil), told: told.Or(st.found, nil), n: counter.Or(st.found, 0)}
	if values, ok := st.found.Get("set").(map[string]any); ok {
		for token := range values {
			c.set = append(c.set, token)
		}
	}
	return c
}

// checkWrites wants that a session has every write that was answered, none twice, and no other.
func (v *verdict) checkWrites() {
	v.each(func(st *state) {
		if st.found == nil {
			return
		}
		c := st.contents()
		v.checkTokens(st, appends, c.log)
		v.checkTokens(st, sets, c.set)
		v.checkTold(st, c.told)
		least, most := 0, 0
		for _, f := range v.facts {
			if f.kind != counts {
				continue
			}
			if st.must(f) {
				least++
			}
			if v.may(st, f) {
				most += f.tries
			}
		}
		if c.n < least || c.n > most {
			v.wrong("the counter of %s is %d, want %d to %d", st.life, c.n, least, most)
		}
	})
}

func (v *verdict) checkTokens(st *state, k kind, have []string) {
	rest := slices.Clone(have)
	for _, f := range v.facts {
		if f.kind != k {
			continue
		}
		n := 0
		rest = slices.DeleteFunc(rest, func(token string) bool {
			if token == f.token {
				n++
			}
			return token == f.token
		})
		switch may := v.may(st, f); {
		case n == 0 && st.must(f):
			v.wrong("%s of %s is lost in %s", f.kind, f.token, st.life)
		case n > 0 && !may:
			v.wrong("%s has %s, which should not be there", st.life, f.token)
		case n > f.tries:
			v.wrong("%s has %s %d times", st.life, f.token, n)
		}
	}
	if len(rest) > 0 {
		v.wrong("%s has %v, which nobody wrote", st.life, rest)
	}
}

// must reports whether a write is there for certain.
func (st *state) must(f *fact) bool {
	return f.sure && f.life == st.life && !st.perhapsCleared(f)
}

// may reports whether a write can be there.
func (v *verdict) may(st *state, f *fact) bool {
	return slices.Contains(v.concerned(f), st) &&
		!slices.ContainsFunc(st.clears, func(c *fact) bool { return c.sure && c.life == st.life && f.to < c.from })
}

func (st *state) perhapsCleared(f *fact) bool {
	return slices.ContainsFunc(st.clears, func(c *fact) bool { return c.to > f.from })
}

// checkTold wants that every session of the user that was there has what UpdateUser changed, and nobody else's.
func (v *verdict) checkTold(st *state, have []string) {
	for _, f := range v.facts {
		if f.kind != tells {
			continue
		}
		there := slices.Contains(have, f.token)
		switch {
		case there && !slices.Contains(st.users, f.user):
			v.wrong("%s has what UpdateUser told %s", st.life, f.user)
		case !there && f.sure && st.user == f.user && st.userAt < f.from && !st.perhapsCleared(f):
			v.wrong("%s of %s lacks %s, which UpdateUser said was done", st.life, f.user, f.token)
		}
	}
}

// checkOnce wants that what can be taken once is not taken twice, and that flash data which a request has consumed come
// in no request that began later.
func (v *verdict) checkOnce() {
	taken, tries := map[string]int{}, map[string]int{}
	for _, f := range v.facts {
		switch {
		case f.kind == gives || f.kind == flashes:
			tries[f.token] = f.tries
		case f.kind == takes && f.sure && f.token != "":
			taken[f.token]++
		}
	}
	for token, n := range taken {
		if n > tries[token] {
			v.wrong("%s was taken %d times", token, n)
		}
	}
	for _, f := range v.facts {
		if f.kind != sees || !f.sure || f.life != f.lives[0] || tries[f.token] > 1 {
			continue
		}
		for _, later := range v.facts {
			if later.kind == sees && later.token == f.token && later.life == f.life && f.before(later) {
				v.wrong("the flash value %s came again after it was consumed", f.token)
			}
		}
	}
}
