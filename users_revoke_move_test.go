package session_test

import (
	"errors"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// Whoever got hold of the id that a login is about to have ends that. The session before it was not the user's.
func TestRevokeOfALoginThatIsUnderWayLeavesWhatWasBefore(t *testing.T) {
	r := newRig(t)
	v, id := beginning(r, fillCart)
	other, n := v.clone(), 0
	var err error
	r.atTheSaveOf(id, func() {
		heir := r.heir(id)
		n, err = r.node().Revoke(t.Context(), heir)
		if r.stored(heir) {
			t.Error("the record of the login is still there")
		}
		other.on(r.node().Manager).with(func(s *session.Session) {
			if s.Get("cart") != int64(1) {
				t.Error("the cart is gone")
			}
		})
	})
	v.with(signInAda)
	if n != 1 || err != nil {
		t.Errorf("Revoke = %d, %v, want 1", n, err)
	}
}

// While the store does not say whose record it is that was named, nothing ends, and whoever asked is told.
func TestAnOutageRevokesNoHalfOfAMove(t *testing.T) {
	eachMove(t, unlimited, func(t *testing.T, r *rig, v *visitor, id string, move func(*session.Session)) {
		node := r.node()
		r.atTheSaveOf(id, func() {
			node.store.hook(func(call, of string) error {
				if call == "load" && of == id {
					return errDown
				}
				return nil
			})
			if n, err := node.Revoke(t.Context(), r.heir(id)); n != 0 || !errors.Is(err, session.ErrUnavailable) {
				t.Errorf("Revoke = %d, %v, want 0 and ErrUnavailable", n, err)
			}
		})
		v.with(move)
		if v.x() != int64(2) {
			t.Errorf("x = %v, want that the move was done", v.x())
		}
	})
}

// A page for one user's own sessions is given an id of somebody else, which that one's late requests still use.
func TestRevokeOwnLeavesTheRenewedIDsOfOthersAlone(t *testing.T) {
	r := newRig(t, hourly)
	v, id := r.signIn("bob")
	late := v.clone()
	r.clock.advance(2 * time.Hour)
	v.with(func(s *session.Session) { s.Set("x", 1) })
	n, err := r.RevokeOwn(t.Context(), "ada", id)
	if n != 0 || err != nil || late.user() != "bob" || v.user() != "bob" {
		t.Errorf("RevokeOwn = %d, %v, and a late request is %q's; want 0 and bob's", n, err, late.user())
	}
}

// The request that moved a session has died after the session was logged out: what it left goes with the next
// revocation of the user, though no session is left.
func TestRevokeUserRemovesWhatADeadMoveLeft(t *testing.T) {
	eachMove(t, unlimited, func(t *testing.T, r *rig, v *visitor, id string, move func(*session.Session)) {
		other := v.clone().on(r.node().Manager)
		r.atTheSaveOf(id, func() {
			other.with((*session.Session).Logout)
			r.store.hook(func(string, string) error { return errDown })
		})
		v.with(move)
		n, err := r.node().RevokeUser(t.Context(), "ada")
		if n != 0 || err != nil || r.heirs(id) != 0 {
			t.Errorf("RevokeUser = %d, %v, and %d records are left of the move; want 0 and none", n, err, r.heirs(id))
		}
	})
}

// The request that moved the session has died. What it left is nobody's, and takes no place from the next login.
func TestARevokedSessionTakesNoPlaceThoughItWasMoving(t *testing.T) {
	limit := atMost(1, session.RefuseNew)
	eachMove(t, limit, func(t *testing.T, r *rig, v *visitor, id string, move func(*session.Session)) {
		node := r.node(limit)
		r.atTheSaveOf(id, func() {
			if n, err := node.Revoke(t.Context(), id); n != 1 || err != nil {
				t.Errorf("Revoke = %d, %v, want 1", n, err)
			}
			r.store.hook(func(string, string) error { return errDown })
		})
		v.with(move)
		next := node.visitor()
		if next.with(signInAda); next.user() != "ada" {
			t.Error("the next login is refused")
		}
	})
}

// Of a session that was logged out a tombstone is left, to which what the dead request left leads back.
func TestALoggedOutSessionTakesNoPlaceThoughItWasMoving(t *testing.T) {
	for _, overflow := range []session.Overflow{session.EvictOldest, session.RefuseNew} {
		limit := atMost(1, overflow)
		eachMove(t, limit, func(t *testing.T, r *rig, v *visitor, id string, move func(*session.Session)) {
			node := r.node(limit)
			other := v.clone().on(node.Manager)
			r.atTheSaveOf(id, func() {
				other.with((*session.Session).Logout)
				r.store.hook(func(string, string) error { return errDown })
			})
			v.with(move)
			next := node.visitor()
			if next.with(signInAda); next.user() != "ada" || node.ev.count(session.EventEvicted) != 0 {
				t.Errorf("the next login is %q's, and %d were evicted", next.user(),
					node.ev.count(session.EventEvicted))
			}
		})
	}
}
