package memstore_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// retiring is a store for two sessions that remembers two logouts of users, which are over ten minutes after the start.
func retiring(t *testing.T) (s *memstore.Store, gone func() []string) {
	t.Helper()
	s = memstore.New(memstore.Options{MaxSessions: 2})
	var ids []string
	s.OnEvict(func(id, _ string) { ids = append(ids, id) })
	for _, user := range []string{"ada", "bob"} {
		rec := &session.Record{ID: user, User: user, SeenAt: start}
		save(t, s, rec)
		rec.Kind, rec.Version, rec.ExpiresAt = session.KindTombstone, 1, start.Add(10*time.Minute)
		save(t, s, rec)
	}
	return s, func() []string { return ids }
}

// renewCart begins a session of a stranger, which then gets a new id.
func renewCart(t *testing.T, s *memstore.Store, now time.Time) {
	t.Helper()
	save(t, s, &session.Record{ID: "cart", SeenAt: now})
	save(t, s, &session.Record{ID: "cart, renewed", SeenAt: now, Successor: "cart"})
	save(t, s, &session.Record{ID: "cart", SeenAt: now, Version: 1, Kind: session.KindAlias, Successor: "cart, renewed",
		ExpiresAt: now.Add(time.Minute)})
}

// An id that was retired for a while means nothing afterwards. It goes before one that still leads to a session.
func TestARetiredIDThatHasExpiredGoesFirst(t *testing.T) {
	s, gone := retiring(t)
	renewCart(t, s, start.Add(time.Hour))
	if _, err := s.Load(t.Context(), "cart"); err != nil {
		t.Errorf("the old id of the cart: %v", err)
	}
	if ids := gone(); len(ids) > 0 {
		t.Errorf("%q are told to be evicted, want nobody", ids)
	}
}

// While they last, users go before strangers, as ever.
func TestARetiredIDThatHasNotExpiredStays(t *testing.T) {
	s, gone := retiring(t)
	renewCart(t, s, start.Add(time.Minute))
	if _, err := s.Load(t.Context(), "cart"); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("the old id of a stranger's cart: %v, want ErrNotFound", err)
	}
	if ids := gone(); !slices.Equal(ids, []string{"cart"}) {
		t.Errorf("%q are told to be evicted, want the cart", ids)
	}
}

// Whoever signed out long ago is not evicted when room is made for a session.
func TestNobodyIsToldOfARetiredIDThatHasExpired(t *testing.T) {
	s, gone := retiring(t)
	for i, user := range []string{"carl", "dora", "eve"} {
		seen := start.Add(time.Hour + time.Duration(i)*time.Second)
		save(t, s, &session.Record{ID: user, User: user, SeenAt: seen})
	}
	if ids := gone(); !slices.Equal(ids, []string{"carl"}) {
		t.Errorf("%q are told to be evicted, want carl", ids)
	}
}
