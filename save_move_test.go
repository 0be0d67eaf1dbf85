package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// moves are requests that give the session of a user a new id. Each leaves x = 2.
var moves = []action{
	{name: "renewal", do: func(s *session.Session) { s.Set("x", 2) }},
	{name: "regenerate", do: func(s *session.Session) { s.Regenerate(); s.Set("x", 2) }},
	{name: "confirm", do: func(s *session.Session) { s.Confirm("otp"); s.Set("x", 2) }},
	{name: "login again", do: func(s *session.Session) { s.Login("ada"); s.Set("x", 2) }},
}

func hourly(o *session.Options) { o.RenewEvery = time.Hour }

// eachMove runs a test for each kind of move, with a session of ada whose renewal is due.
func eachMove(t *testing.T, change func(*session.Options), test func(t *testing.T, r *rig, v *visitor, id string,
	move func(*session.Session))) {
	for _, m := range moves {
		t.Run(m.name, func(t *testing.T) {
			r := newRig(t, hourly, change)
			v, id := r.signIn("ada")
			r.clock.advance(2 * time.Hour)
			test(t, r, v, id, m.do)
		})
	}
}

func unlimited(*session.Options) {}

// atTheSaveOf runs what another request does while one saves the record of this id, just before the save. It is run
// once, and may wait for another save itself.
func (r *rig) atTheSaveOf(id string, do func()) {
	r.store.hook(func(call, of string) error {
		if call == "save" && of == id {
			r.store.hook(nil)
			do()
		}
		return nil
	})
}

// heir is the id of the record that waits to take over.
func (r *rig) heir(of string) string {
	r.t.Helper()
	page, err := r.store.fullStore.Page(context.Background(), "", 100)
	i := slices.IndexFunc(page, func(rec *session.Record) bool { return rec.Predecessor() == of })
	if err != nil || i < 0 {
		r.t.Fatalf("no record waits to take over (%v)", err)
	}
	return page[i].ID
}

func (v *visitor) x() (x any) {
	v.t.Helper()
	v.with(func(s *session.Session) { x = s.Get("x") })
	return x
}

func TestRevokeUserKeepsASessionThatIsGettingANewID(t *testing.T) {
	eachMove(t, unlimited, func(t *testing.T, r *rig, v *visitor, id string, move func(*session.Session)) {
		other, _ := r.signIn("ada")
		var n int
		var err error
		r.atTheSaveOf(id, func() { n, err = r.node(hourly).RevokeUser(t.Context(), "ada", id) })
		resp := v.with(move)
		if n != 1 || err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("RevokeUser = %d, %v, and the request is answered %d; want 1 and 200", n, err, resp.StatusCode)
		}
		if v.x() != int64(2) || other.alive() {
			t.Errorf("the kept session has x = %v, the other one is alive: %t; want 2 and false", v.x(), other.alive())
		}
	})
}

// The session to keep has its new id already, and another request on its way with the old one is to fail.
func TestRevokeUserKeepsASessionBesideAMoveThatLoses(t *testing.T) {
	r := newRig(t, hourly)
	v, id := r.signIn("ada")
	old := v.clone()
	r.clock.advance(2 * time.Hour)
	var n int
	r.atTheSaveOf(id, func() {
		v.with(func(s *session.Session) { id = s.ID() })
		v.with(func(s *session.Session) { id = s.ID() })
		n, _ = r.node(hourly).RevokeUser(t.Context(), "ada", id)
	})
	old.with(func(s *session.Session) { s.Set("x", 2) })
	if n != 0 || v.x() != int64(2) {
		t.Errorf("RevokeUser = %d and x = %v, want 0 and 2", n, v.x())
	}
}

func TestASessionThatIsGettingANewIDIsListedOnce(t *testing.T) {
	eachMove(t, unlimited, func(t *testing.T, r *rig, v *visitor, id string, move func(*session.Session)) {
		node, listed, all := r.node(), 0, 0
		r.atTheSaveOf(id, func() {
			listed = node.alive("ada")
			for info, err := range node.All(t.Context()) {
				if err != nil || info.ID != id {
					t.Errorf("All lists %s (%v), want %s", info.ID, err, id)
				}
				all++
			}
		})
		v.with(move)
		if listed != 1 || all != 1 {
			t.Errorf("Sessions lists %d and All %d, want 1", listed, all)
		}
	})
}

// Whoever got hold of the id that a session is about to have, from the store itself, ends the session with it.
func TestRevokeOfAnIDThatIsAboutToBeGivenEndsTheSession(t *testing.T) {
	eachMove(t, unlimited, func(t *testing.T, r *rig, v *visitor, id string, move func(*session.Session)) {
		var n int
		var err error
		thief := v.clone()
		r.atTheSaveOf(id, func() { n, err = r.node().Revoke(t.Context(), r.heir(id)) })
		v.with(move)
		if n != 1 || err != nil || thief.alive() {
			t.Errorf("Revoke = %d, %v, and the old ticket opens a session: %t", n, err, thief.alive())
		}
	})
}

// The move meets a conflict and begins again. The id that it wanted was revoked in between, and is given to nobody.
func TestAMoveThatBeginsAgainDoesNotTakeARevokedID(t *testing.T) {
	eachMove(t, unlimited, func(t *testing.T, r *rig, v *visitor, id string, move func(*session.Session)) {
		node, writer, heir, n := r.node(), v.clone(), "", 0
		r.atTheSaveOf(id, func() {
			writer.on(node.Manager).with(func(s *session.Session) { s.Set("y", 1) })
			heir = r.heir(id)
			r.atTheSaveOf(heir, func() { n, _ = node.Revoke(t.Context(), heir) })
		})
		v.with(move)
		if n != 1 {
			t.Errorf("Revoke = %d, want 1", n)
		}
		v.with(func(s *session.Session) {
			if s.ID() == heir {
				t.Error("the session lives under the id that was revoked")
			}
		})
		if writer.alive() {
			t.Error("the old ticket opens a session that was revoked")
		}
	})
}

func TestUpdateUserReachesASessionWhoseMoveBeginsAgain(t *testing.T) {
	eachMove(t, unlimited, func(t *testing.T, r *rig, v *visitor, id string, move func(*session.Session)) {
		node, writer := r.node(), v.clone()
		var n int
		var err error
		r.atTheSaveOf(id, func() {
			n, err = node.UpdateUser(t.Context(), "ada", setLevel("gold"))
			writer.on(node.Manager).with(func(s *session.Session) { s.Set("y", 1) })
		})
		v.with(move)
		if n != 1 || err != nil || v.level() != "gold" || v.x() != int64(2) {
			t.Errorf("UpdateUser = %d, %v; level %v, x = %v; want 1, gold and 2", n, err, v.level(), v.x())
		}
		if n := r.alive("ada"); n != 1 {
			t.Errorf("%d sessions are left, want 1", n)
		}
	})
}

// However long the last call of a move takes, the session is one, and another device has room.
func TestASessionThatIsGettingANewIDTakesOnePlace(t *testing.T) {
	for _, overflow := range []session.Overflow{session.EvictOldest, session.RefuseNew} {
		t.Run(fmt.Sprint("overflow ", overflow), func(t *testing.T) {
			eachMove(t, atMost(2, overflow), func(t *testing.T, r *rig, v *visitor, id string,
				move func(*session.Session)) {
				other, status := r.node(atMost(2, overflow)).visitor(), 0
				r.atTheSaveOf(id, func() { status = other.with(signIn("ada")).StatusCode })
				v.with(move)
				if status != http.StatusOK || v.x() != int64(2) || other.user() != "ada" || r.alive("ada") != 2 {
					t.Errorf("status %d, x = %v, the other is %q, %d sessions; want 200, 2, ada, 2", status, v.x(),
						other.user(), r.alive("ada"))
				}
			})
		})
	}
}

// A login on a session that another request has renewed meanwhile takes the place of that session, and of no other.
func TestALoginTakesThePlaceOfItsOwnSessionThatWasRenewed(t *testing.T) {
	r := newRig(t, atMost(1, session.EvictOldest), hourly)
	v, id := r.signIn("ada")
	v.with(func(s *session.Session) { s.Set("cart", "full") })
	old := v.clone()
	r.clock.advance(2 * time.Hour)
	node := r.node(atMost(1, session.EvictOldest), hourly)
	r.atTheSaveOf(id, func() {})
	v.do(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		old.on(node.Manager).with(func(s *session.Session) { s.Set("x", 2) })
		s.Login("ada")
	})
	v.with(func(s *session.Session) {
		if s.User() != "ada" || s.Get("cart") != "full" || s.Get("x") != int64(2) {
			t.Errorf("user %q with %v, want ada with a full cart and x = 2", s.User(), s.All())
		}
	})
}

// Of a store that has no room for anybody else, whoever is in it keeps the place under a new id, and the old one leads
// on.
func TestAMoveInAFullStoreSignsNobodyOut(t *testing.T) {
	for bound := 1; bound <= 3; bound++ {
		for _, m := range moves {
			t.Run(fmt.Sprintf("%s, bound %d", m.name, bound), func(t *testing.T) {
				r := newRigOn(t, memstore.New(memstore.Options{MaxSessions: bound}), hourly)
				var all []*visitor
				for i := range bound {
					v, _ := r.signIn([]string{"ada", "bob", "carl"}[i])
					all = append(all, v)
					r.clock.advance(time.Minute)
				}
				r.clock.advance(2 * time.Hour)
				late := all[0].clone()
				if resp := all[0].with(m.do); resp.StatusCode != http.StatusOK || all[0].x() != int64(2) {
					t.Errorf("status %d and x = %v, want 200 and 2", resp.StatusCode, all[0].x())
				}
				if m.name == "renewal" && !late.alive() {
					t.Error("a request that was under way with the old ticket is signed out")
				}
				for i, v := range all {
					if v.user() != []string{"ada", "bob", "carl"}[i] {
						t.Errorf("visitor %d is signed out", i)
					}
				}
				if n := r.ev.count(session.EventEvicted); n != 0 {
					t.Errorf("%d were evicted, want none", n)
				}
			})
		}
	}
}

// A visitor with a cart who signs in is the first to go, as a stranger. The cart comes along.
func TestALoginInAFullStoreKeepsTheCart(t *testing.T) {
	r := newRigOn(t, memstore.New(memstore.Options{MaxSessions: 2}))
	bob, _ := r.signIn("bob")
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("cart", "full") })
	v.with(signIn("ada"))
	v.with(func(s *session.Session) {
		if s.User() != "ada" || s.Get("cart") != "full" {
			t.Errorf("user %q with cart %v, want ada with a full one", s.User(), s.Get("cart"))
		}
	})
	if bob.user() != "bob" {
		t.Error("the login of a visitor who was there signed another one out")
	}
}

// One call fails while a request that only reads follows an alias. What was found out by then must not be taken for the
// session.
func TestAFailureWhileAnAliasIsFollowedBringsNobodyBack(t *testing.T) {
	r := newRig(t, hourly)
	v, id := r.signIn("ada")
	thief := v.clone()
	r.clock.advance(2 * time.Hour)
	node := r.node(hourly)
	r.atTheSaveOf(id, func() {
		var next string
		v.clone().on(node.Manager).with(func(s *session.Session) { s.Set("x", 2) })
		rec, err := r.store.fullStore.Load(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		next = rec.Successor
		fail := nth(1, false, errDown)
		r.store.hook(func(call, of string) error {
			if call == "load" && of == next {
				return fail()
			}
			return nil
		})
	})
	v.do(func(_ http.ResponseWriter, r *http.Request, s *session.Session) {
		if err := s.Save(r.Context()); err != nil {
			t.Fatal(err)
		}
		thief.on(node.Manager).with((*session.Session).Logout)
		s.Set("x", 3)
	})
	if thief.user() != "" || node.alive("ada") != 0 {
		t.Errorf("the ticket that was logged out is %q again, and %d sessions live", thief.user(), node.alive("ada"))
	}
}

func TestALogoutWithinAtomicReachesASessionThatMoved(t *testing.T) {
	for _, m := range moves {
		t.Run(m.name, func(t *testing.T) {
			r := newRig(t, hourly)
			v, _ := r.signIn("ada")
			s := v.open()
			r.clock.advance(2 * time.Hour)
			v.with(m.do)
			err := s.Atomic(t.Context(), func(s *session.Session) error { s.Logout(); return nil })
			if err != nil || v.alive() {
				t.Errorf("Atomic = %v, and the session is alive: %t; want nil and false", err, v.alive())
			}
		})
	}
}

func TestWhatElseIsDoneWithinAtomicToASessionThatMovedIsNotKept(t *testing.T) {
	r := newRig(t)
	v, _ := r.signIn("ada")
	s := v.open()
	v.with((*session.Session).Regenerate)
	err := s.Atomic(t.Context(), func(s *session.Session) error { s.Set("x", 1); return nil })
	if !errors.Is(err, session.ErrEnded) || v.x() != nil {
		t.Errorf("Atomic = %v, and x = %v; want ErrEnded and nothing", err, v.x())
	}
}

// A double click on "sign in", where each of the two logins is within Atomic: the second one begins afresh.
func TestTwoLoginsWithinAtomicLeaveTheLastSignedIn(t *testing.T) {
	r := newRig(t, atMost(1, session.EvictOldest))
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("cart", 1) })
	one, two := v.open(), v.open()
	login := func(s *session.Session) error { s.Login("ada"); return nil }
	for _, s := range []*session.Session{one, two} {
		if err := s.Atomic(t.Context(), login); err != nil {
			t.Fatalf("Atomic = %v, want no error", err)
		}
	}
	if s, err := r.Open(t.Context(), two.Token()); err != nil || s.User() != "ada" || r.alive("ada") != 1 {
		t.Errorf("the last login is %q (%v), and ada has %d sessions", s.User(), err, r.alive("ada"))
	}
}
