package integration_test

import "testing"

// PostgreSQL fails when it is asked for a text with a NUL or with bytes that are no UTF-8. Anybody who is signed in can
// send one from the page of their devices.
func TestNoIDThatSomebodySendsIsAnOutage(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		m := node(t, s.store(t, s.open(t), s.table()))
		signedIn(t, m, "ada")
		for _, id := range []string{"\x00", "\xff", "'", ""} {
			if n, err := m.RevokeOwn(t.Context(), "ada", id); n != 0 || err != nil {
				t.Errorf("RevokeOwn(%q) = %d, %v", id, n, err)
			}
			if n, err := m.Revoke(t.Context(), id); n != 0 || err != nil {
				t.Errorf("Revoke(%q) = %d, %v", id, n, err)
			}
		}
		if n, err := m.RevokeUser(t.Context(), "ada", "\x00"); n != 1 || err != nil {
			t.Errorf("RevokeUser = %d, %v, want 1", n, err)
		}
	})
}
