package session_test

import (
	"testing"

	"github.com/coatcheck/session"
)

// Of two logins in one request the second one leaves nothing of the first, its id neither.
func TestEachLoginOfARequestHasAnIDOfItsOwn(t *testing.T) {
	v := newRig(t).visitor()
	v.with(func(s *session.Session) {
		ids := map[string]bool{}
		for _, user := range []string{"ada", "bob", "bob"} {
			s.Login(user)
			ids[s.ID()] = true
		}
		if len(ids) != 3 || ids[""] {
			t.Errorf("three logins had %d ids", len(ids))
		}
	})
}
