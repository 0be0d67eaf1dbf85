package explore

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/coatcheck/session"
)

// checkReasons wants that whoever was signed out is told why, in the words of whoever ended the session first, and that
// nobody else is told anything. An event says who that was, for a session ends once. What ends without words may be
// deleted.
func (v *sight) checkReasons() {
	for ticket, s := range v.opened {
		told, whys := s.EndedBy(), v.ends[idOf(ticket)]
		switch {
		case told != "" && !s.IsNew():
			v.fail("a session that lives has not ended", "one of %q is told %q", s.User(), told)
		case told != "" && len(whys) == 0 && !v.anyEnded(told): // it was renewed before
			v.fail("a reason is that of who ended the session", "%q is none", told)
		case v.c.room.bound > 0 || v.any(func(a *act) bool { return a.faulted() }):
		case len(whys) > 1:
			v.fail("a session ends once", "it did as %q", whys)
		case len(whys) == 1 && told != whys[0] && (told != "" || whys[0] != session.ReasonRevoked):
			v.fail("who was signed out is told why", "it is %q, want %q", told, whys[0])
		}
	}
}

// anyEnded reports whether a session ended for that reason.
func (v *sight) anyEnded(why session.Reason) bool {
	for _, whys := range v.ends {
		for _, other := range whys {
			if other == why {
				return true
			}
		}
	}
	return false
}

// idOf is the id of a ticket, under which the store has its session.
func idOf(ticket string) string {
	_, rest, _ := strings.Cut(ticket, ".")
	text, _, _ := strings.Cut(rest, ".")
	secret, _ := base64.RawURLEncoding.DecodeString(text)
	sum := sha256.Sum256(secret)
	return hex.EncodeToString(sum[:])
}
