package integration_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

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

// MySQL repeats the id in its message, which the driver gives no number to ask for. The call ends by itself, and not
// with its time.
func TestAnIDThatReadsAsAnErrorOfMySQLIsTakenAsAnyOther(t *testing.T) {
	s := sqlServers[1]
	store := s.store(t, s.open(t), s.table())
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, id := range []string{"Error 1213", "a (Error 1205)"} {
		save(t, store, &session.Record{ID: id})
		if err := store.Save(ctx, &session.Record{ID: id}); !errors.Is(err, session.ErrConflict) {
			t.Errorf("Save of %q, which is there = %v, want ErrConflict", id, err)
		}
	}
}
