package explore

import (
	"errors"
	"net/http"

	"github.com/coatcheck/session"
)

// checkAnswers wants that each request succeeded, or was refused for a reason that another one gave it.
func (v *sight) checkAnswers() {
	for _, a := range v.acts {
		if !v.hasReason(a) {
			v.fail("each answer has its reason", "nothing explains that of %s", a)
		}
	}
}

func (v *sight) hasReason(a *act) bool {
	switch a.status {
	case http.StatusOK, http.StatusTooManyRequests: // of limits, see checkRates
		return true
	case http.StatusConflict, http.StatusUnauthorized:
		return v.disturbed(a) || v.usedBy(a)
	case http.StatusForbidden:
		return a.signs != "" && v.c.room.overflow == session.RefuseNew || a.name == "send a form" && v.formsMoved(a)
	case http.StatusServiceUnavailable, http.StatusInternalServerError:
		return a.faulted() || a.name == "limited user" && v.c.room.bound > 0 // which cannot keep a count
	}
	return false
}

// disturbed reports whether another request may have taken from this one the session that it came with.
func (v *sight) disturbed(a *act) bool {
	return len(v.evicted) > 0 || v.any(func(b *act) bool { return b != a && b.mayChangeID(a.by) })
}

// formsMoved reports whether the forms from before may be of no use any more.
func (v *sight) formsMoved(a *act) bool {
	return v.disturbed(a) || v.any(func(b *act) bool { return b.by == a.by && b.signs != "" })
}

// checkErrors wants that the manager fails where the store did, only.
func (v *sight) checkErrors() {
	for _, a := range v.acts {
		if a.err != nil && !a.faulted() && !errors.Is(a.err, session.ErrTooMany) {
			v.fail("each answer has its reason", "nothing explains %v", a.err)
		}
	}
}

// checkCookies wants that only who ended the session deletes the cookie.
func (v *sight) checkCookies() {
	for _, a := range v.acts {
		if a.deleted && !(a.mayEnd(a.by) && a.status == http.StatusOK) {
			v.fail("who ended the session deletes the cookie, nobody else", "%s did", a)
		}
	}
}

// checkLimit wants that no user has more sessions than are allowed.
func (v *sight) checkLimit() {
	if most := v.c.room.perUser; most > 0 && len(v.listed) > most {
		v.fail("nobody has more sessions than allowed", "ada has %d", len(v.listed))
	}
}

// checkRefusals wants that no login is refused while there is room. A session that gets another id is one.
func (v *sight) checkRefusals() {
	for _, a := range v.acts {
		if a.status != http.StatusForbidden || a.signs != "ada" {
			continue
		}
		taken := len(v.clients)
		if a.by != stranger && !v.disturbed(a) {
			taken-- // by itself
		}
		for _, b := range v.acts {
			if b != a && v.mayBegin(b) {
				taken++
			}
		}
		if taken < v.c.room.perUser {
			v.fail("no login is refused while there is room", "%s is, and at most %d are there", a, taken)
		}
	}
}

// mayBegin reports whether a request may have begun a session of ada's: a stranger who signs in, or who signs in where
// the session has ended meanwhile.
func (v *sight) mayBegin(a *act) bool {
	switch {
	case a.signs != "ada" || !a.done() && !a.faulted():
		return false
	case a.by == stranger || len(a.tickets) == 0:
		return true
	}
	s := v.opened[a.tickets[len(a.tickets)-1]]
	return s.IsNew() || owner.Or(s, "") != a.by
}
