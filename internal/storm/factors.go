package storm

import (
	"slices"

	"github.com/coatcheck/session"
)

// Factors tell whose they are: by what a user has signed in, and what was shown since.
const (
	signedIn = "in."
	shown    = "shown."
)

// confirm shows a factor, if somebody is signed in and the session is there.
func (v *visit) confirm() {
	if v.s.User() == "" || v.lost {
		return
	}
	v.pendMove()
	v.pend(&fact{kind: shows})
	confirm(v.s)
}

func confirm(s *session.Session) {
	if user := s.User(); user != "" {
		s.Confirm(shown + user)
	}
}

// checkFactors wants that every user has the factor of the sign-in, and none of another user's.
func (v *verdict) checkFactors() {
	v.each(func(st *state) {
		if st.found == nil {
			return
		}
		user, has := st.found.User(), st.found.Factors()
		if _, ok := has[signedIn+user]; !ok && user != "" {
			v.wrong("%s of %s has lost the factor of the sign-in: %v", st.life, user, has)
		}
		for name := range has {
			if user == "" || name != signedIn+user && (name != shown+user || !v.perhapsShown(st)) {
				v.wrong("%s of %q has the factor %s", st.life, user, name)
			}
		}
	})
}

// perhapsShown reports whether a factor may have been shown since the last Login.
func (v *verdict) perhapsShown(st *state) bool {
	return slices.ContainsFunc(v.facts, func(f *fact) bool {
		return f.kind == shows && slices.Contains(v.concerned(f), st) && !v.signedInBetween(f, st.life, v.tick)
	})
}
