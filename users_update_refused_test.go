package session_test

import (
	"errors"
	"testing"

	"github.com/coatcheck/session"
)

// Whoever goes through the sessions of a user to change them ends with the first refusal.
func TestAnErrorOfTheFunctionEndsUpdateUser(t *testing.T) {
	r := newRig(t)
	for range 3 {
		r.signIn("ada")
	}
	calls, refused := 0, errors.New("refused")
	n, err := r.UpdateUser(t.Context(), "ada", func(s *session.Session) error {
		if s.IsNew() || s.Expired() {
			t.Errorf("new %v, expired %v, want a session that is there", s.IsNew(), s.Expired())
		}
		calls++
		return refused
	})
	if n != 0 || calls != 1 || !errors.Is(err, refused) {
		t.Errorf("UpdateUser = %d, %v after %d calls, want it ended by the first", n, err, calls)
	}
}
