package session_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

func renewing(o *session.Options) { o.RenewEvery, o.RenewGrace = time.Hour, time.Minute }

// renewed is a visitor whose id was renewed just now, and the one with the old ticket.
func renewed(t *testing.T) (r *rig, v, old *visitor) {
	t.Helper()
	r = newRig(t, renewing)
	v = r.visitor()
	v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
	r.clock.advance(time.Hour)
	old = v.clone()
	v.with(func(s *session.Session) {})
	if v.ticket() == old.ticket() {
		t.Fatal("not renewed")
	}
	return r, v, old
}

// The id is renewed when it is older than RenewEvery, not before, and the session goes on.
func TestTheIDIsRenewedWhenItIsDue(t *testing.T) {
	r := newRig(t, renewing)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
	for range 5 {
		ticket := v.ticket()
		r.clock.advance(time.Hour - time.Microsecond)
		v.with(put("x", 1))
		if v.ticket() != ticket {
			t.Fatal("renewed early")
		}
		r.clock.advance(time.Microsecond)
		resp := v.with(func(s *session.Session) {
			if s.User() != "ada" || s.Get("x") != int64(1) {
				t.Error("the session is lost")
			}
		})
		if v.ticket() == ticket || len(resp.Cookies()) != 1 || resp.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("renewed %v, %d cookies, %v", v.ticket() != ticket, len(resp.Cookies()), resp.Header)
		}
	}
	if infos, _ := r.Sessions(t.Context(), "ada"); len(infos) != 1 {
		t.Errorf("%d sessions, want 1", len(infos))
	}
}

func TestWithoutRenewEveryOnlyLoginAndRegenerateChangeTheID(t *testing.T) {
	r := newRig(t, clocks(never, never))
	v := r.visitor()
	v.with(put("x", 1))
	ticket := v.ticket()
	r.clock.advance(10_000 * time.Hour)
	v.with(put("x", 2))
	if v.ticket() != ticket {
		t.Error("renewed")
	}
}

// Within the grace the old ticket opens the session, in two round trips, and every response hands out the one
// successor.
func TestTheOldTicketLeadsToTheSessionWithinTheGrace(t *testing.T) {
	r, v, old := renewed(t)
	for range 3 {
		late := old.clone()
		r.store.reset()
		late.with(func(s *session.Session) {
			if s.User() != "ada" || s.Get("x") != int64(1) || s.IsNew() {
				t.Errorf("user %q, data %v", s.User(), s.All())
			}
		})
		if n := r.store.total(); n != 2 {
			t.Errorf("%d calls, want 2", n)
		}
		if late.ticket() != v.ticket() {
			t.Error("handed out another ticket than the one successor")
		}
		r.clock.advance(15 * time.Second)
	}
	writer := old.clone()
	writer.with(func(s *session.Session) { s.Set("late", 1); increment(s) })
	v.with(func(s *session.Session) {
		if s.Get("late") != int64(1) || counter.Or(s, 0) != 1 {
			t.Errorf("what was written through the alias is lost: %v", s.All())
		}
	})
}

// After the grace a use of the old ticket is an alarm, gives nothing and ends nothing.
func TestAReuseAfterTheGraceIsDetected(t *testing.T) {
	for _, after := range []time.Duration{time.Minute, time.Hour - time.Minute, 20 * time.Hour} {
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			r, v, old := renewed(t)
			r.clock.advance(after - time.Microsecond)
			if after == time.Minute {
				old.clone().with(func(s *session.Session) {
					if s.User() != "ada" {
						t.Error("the grace ends early")
					}
				})
			}
			r.clock.advance(time.Microsecond)
			resp := old.with(func(s *session.Session) {
				if s.User() != "" || s.Has("x") || !s.IsNew() || s.Expired() {
					t.Errorf("user %q, data %v", s.User(), s.All())
				}
			})
			if resp.Header["Set-Cookie"] != nil || r.ev.count(session.EventReused) != 1 {
				t.Errorf("cookie touched %v, %d events reused", resp.Header["Set-Cookie"] != nil,
					r.ev.count(session.EventReused))
			}
			if !v.alive() {
				t.Error("the reuse ended the session")
			}
		})
	}
	t.Run("kept a day at most", func(t *testing.T) {
		r, _, old := renewed(t)
		r.clock.advance(24*time.Hour + time.Second)
		if _, err := r.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		old.with(func(*session.Session) {})
		if n := r.ev.count(session.EventReused); n != 0 {
			t.Errorf("%d events reused of an alias that was swept", n)
		}
	})
}

// Several renewals within one grace: the oldest ticket still leads to the newest.
func TestAnOldTicketFollowsSeveralRenewals(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.RenewEvery, o.RenewGrace = time.Minute, time.Hour })
	v := r.visitor()
	v.with(put("x", 1))
	old := v.clone()
	for range 5 {
		r.clock.advance(2 * time.Minute)
		v.with(func(*session.Session) {})
	}
	r.clock.advance(time.Second)
	old.with(func(s *session.Session) { wantGet(t, s, "x", int64(1)) })
	if old.ticket() != v.ticket() {
		t.Error("the oldest ticket does not lead to the newest")
	}
}

// Nobody lists or counts aliases; Revoke accepts one, and ends the session.
func TestAnAliasIsNotListedAndCanBeRevoked(t *testing.T) {
	r := newRig(t, renewing)
	v := r.visitor()
	var id string
	v.with(func(s *session.Session) { s.Login("ada"); id = s.ID() })
	r.clock.advance(time.Hour)
	v.with(func(*session.Session) {})
	infos, _ := r.Sessions(t.Context(), "ada")
	n := 0
	for range r.All(t.Context()) {
		n++
	}
	if len(infos) != 1 || infos[0].ID == id || n != 1 {
		t.Errorf("%d sessions, %d in all, want 1", len(infos), n)
	}
	if n, err := r.Revoke(t.Context(), id); n != 1 || err != nil {
		t.Errorf("Revoke = %d, %v, want 1", n, err)
	}
	if v.alive() {
		t.Error("alive after the revocation by the old id")
	}
}

// Logout with the old ticket ends the session under its new id.
func TestLogoutThroughAnAliasEndsTheSession(t *testing.T) {
	r, v, old := renewed(t)
	resp := old.with((*session.Session).Logout)
	if c := resp.Cookies(); len(c) != 1 || c[0].MaxAge >= 0 {
		t.Error("the cookie is not deleted")
	}
	if v.alive() || old.alive() {
		t.Error("alive after the logout")
	}
	if infos, _ := r.Sessions(t.Context(), "ada"); len(infos) != 0 {
		t.Errorf("%d sessions", len(infos))
	}
}

// An alias holds no ticket that can be read without the old one, and its use renews nothing a second time.
func TestParallelRequestsRenewOnce(t *testing.T) {
	r := newRig(t, renewing)
	nodes := []*session.Manager{r.Manager, r.node(renewing).Manager}
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	r.clock.advance(2 * time.Hour)
	var wg sync.WaitGroup
	g := newGate()
	const n = 30
	visitors := make([]*visitor, n)
	for i := range visitors {
		visitors[i] = v.clone().on(nodes[i%2])
		visitors[i] = visitors[i].clone()
		wg.Go(func() {
			resp := visitors[i].with(func(s *session.Session) {
				g.wait()
				if i%3 == 0 {
					increment(s)
				}
			})
			if resp.StatusCode != 200 {
				t.Errorf("status %d", resp.StatusCode)
			}
		})
	}
	for range n {
		<-g.reached
	}
	close(g.open)
	wg.Wait()
	for _, one := range visitors {
		if one.ticket() != visitors[0].ticket() || one.ticket() == v.ticket() {
			t.Fatal("not every response hands out the one successor")
		}
	}
	visitors[0].with(func(s *session.Session) {
		if counter.Or(s, 0) != n/3 || s.User() != "ada" {
			t.Errorf("n = %d, user %q, want %d", counter.Or(s, 0), s.User(), n/3)
		}
	})
	if infos, _ := r.Sessions(t.Context(), "ada"); len(infos) != 1 {
		t.Errorf("%d sessions, want 1", len(infos))
	}
	if n := r.ev.count(session.EventReused); n != 0 {
		t.Errorf("%d events reused", n)
	}
}

// A renewal and a login that meet: nobody is left with a ticket that opens the session from before the login.
func TestALoginDuringARenewalRetiresEveryOlderTicket(t *testing.T) {
	r := newRig(t, renewing)
	v := r.visitor()
	v.with(put("cart", 1))
	first := v.ticket()
	r.clock.advance(2 * time.Hour)
	slow := v.open()
	v.with(func(*session.Session) {})
	second := v.ticket()
	slow.Login("ada")
	if err := slow.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r.opens(first) || r.opens(second) || !r.opens(slow.Token()) || slow.Get("cart") != int64(1) {
		t.Errorf("first opens %v, second opens %v, the new one %v, cart %v", r.opens(first), r.opens(second),
			r.opens(slow.Token()), slow.Get("cart"))
	}
}

// However often a session is renewed, its old tickets are good until the grace of each is over.
func TestAnOldTicketIsGoodForTheWholeGrace(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.RenewEvery = time.Second }) // and a grace of 30 seconds
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	slow := v.clone()
	for range 29 {
		r.clock.advance(time.Second)
		v.with(func(*session.Session) {})
	}
	slow.with(func(s *session.Session) {
		if s.User() != "ada" {
			t.Errorf("the ticket was renewed 28 seconds ago and gives nothing; %d events reused",
				r.ev.count(session.EventReused))
		}
	})
	if slow.ticket() != v.ticket() {
		t.Error("the response does not hand out the newest ticket")
	}
}
