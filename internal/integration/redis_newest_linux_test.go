package integration_test

import (
	"context"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/redisstore"
)

// twoNodes are one on a store that caches and is not told of changes, and one on a store that does not cache.
func twoNodes(t *testing.T) (store *hooked, caches, plain *session.Manager) {
	t.Helper()
	opts := redisstore.Options{Prefix: newPrefix()}
	plain = node(t, redisStore(t, clientThatHears(t, true), opts))
	opts.CacheTTL = time.Minute
	store = &hooked{Store: redisStore(t, clientThatHears(t, false), opts)}
	return store, node(t, store), plain
}

// A sign-in elsewhere may have been taken over just before, and have left in the cache that nothing was revoked.
func TestATakeOverLooksAtTheServerForARevocation(t *testing.T) {
	store, caches, plain := twoNodes(t)
	for _, m := range []*session.Manager{caches, plain} {
		if err := m.AllowTakeOver("old", time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	foreign := func(token string) session.Foreign {
		return session.Foreign{
			Token: token,
			Fill:  func(_ context.Context, s *session.Session) (bool, error) { s.Login("ada"); return true, nil },
			End:   func(context.Context) error { return nil },
		}
	}
	store.before = func(rec *session.Record) {
		if rec.Kind != session.KindLive {
			return
		}
		store.before = nil
		if ticket, err := caches.TakeOver(t.Context(), foreign("laptop")); ticket == "" || err != nil {
			t.Errorf("the laptop has the ticket %q, %v", ticket, err)
		}
		if n, err := plain.RevokeUser(t.Context(), "ada"); n != 1 || err != nil {
			t.Errorf("RevokeUser = %d, %v, want the laptop", n, err)
		}
	}
	if ticket, err := caches.TakeOver(t.Context(), foreign("phone")); ticket != "" || err != nil {
		t.Errorf("after a revocation the phone has a ticket of %d bytes, %v", len(ticket), err)
	}
	if infos, err := plain.Sessions(t.Context(), "ada"); len(infos) > 0 || err != nil {
		t.Errorf("Sessions = %v, %v, want none", infos, err)
	}
}

// The id to keep may have been renewed on another node.
func TestARevocationKeepsASessionThatWasRenewedElsewhere(t *testing.T) {
	_, caches, plain := twoNodes(t)
	b, id := signedIn(t, caches, "ada"), ""
	b.with(caches, func(s *session.Session) { id = s.ID() })
	b.with(plain, func(s *session.Session) { s.Regenerate() })
	b.with(plain, func(s *session.Session) { s.Set("cart", "full") })
	if n, err := caches.RevokeUser(t.Context(), "ada", id); n != 0 || err != nil {
		t.Errorf("RevokeUser = %d, %v, want none", n, err)
	}
	b.with(plain, func(s *session.Session) {
		if s.User() != "ada" || s.Get("cart") != "full" {
			t.Errorf("the session that was to be kept is of %q, with %v", s.User(), s.All())
		}
	})
}
