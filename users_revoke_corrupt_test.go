package session_test

import (
	"fmt"
	"testing"

	"github.com/coatcheck/session"
)

// Nobody can use a record that does not open. Whoever operates the site removes it by its id; people who end sessions
// of their own do not, for nobody can tell whose it is.
func TestRevokeRemovesWhatDoesNotOpen(t *testing.T) {
	r := newRig(t)
	_, id := r.signIn("ada")
	deleted := 0
	r.store.hook(func(call, of string) error {
		switch {
		case of == id && call == "load":
			return fmt.Errorf("torn: %w", session.ErrCorrupt)
		case of == id && call == "delete":
			deleted++
		}
		return nil
	})
	if n, err := r.RevokeOwn(t.Context(), "ada", id); n != 0 || err != nil || deleted != 0 {
		t.Errorf("RevokeOwn = %d, %v, and %d deleted, want nothing", n, err, deleted)
	}
	if n, err := r.Revoke(t.Context(), id); n != 0 || err != nil || deleted != 1 {
		t.Errorf("Revoke = %d, %v, and %d deleted, want 0, nil and 1", n, err, deleted)
	}
	r.store.hook(func(call, of string) error {
		switch {
		case of == id && call == "load":
			return session.ErrCorrupt
		case call == "delete":
			return errDown
		}
		return nil
	})
	if _, err := r.Revoke(t.Context(), id); err == nil {
		t.Error("Revoke = nil, although it removed nothing")
	}
}
