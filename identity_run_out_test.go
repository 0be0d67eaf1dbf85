package session_test

import (
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// A session that runs out of time during a request is not ended by who leaves it afterwards: the request, its event,
// whoever waits, and the next one with the ticket are all told the same.
func TestWhoLeavesASessionThatHasRunOutIsToldThatItHad(t *testing.T) {
	for name, leave := range map[string]func(*session.Session){
		"Logout":     (*session.Session).Logout,
		"Invalidate": (*session.Session).Invalidate,
		"Login":      func(s *session.Session) { s.Login("bob") },
	} {
		for clock, why := range map[time.Duration]session.Reason{time.Hour: "idle", session.Never: "lifetime"} {
			t.Run(name+" after "+string(why), func(t *testing.T) {
				r := newRig(t, func(o *session.Options) { o.IdleTimeout, o.Lifetime = clock, 2*time.Hour })
				v, _ := r.signIn("ada")
				old := v.clone()
				other := old.open()
				done := other.Done()
				v.with(func(s *session.Session) {
					r.clock.advance(3 * time.Hour)
					leave(s)
					if err := s.Save(bg); err != nil || s.EndedBy() != why {
						t.Errorf("Save = %v, EndedBy = %q, want %q", err, s.EndedBy(), why)
					}
				})
				if e := r.ev.last(t, session.EventEnded); e.Reason != why || e.Actor != "ada" && e.Actor != "bob" {
					t.Errorf("the event is %+v, want %q", e, why)
				}
				if <-done; other.EndedBy() != why {
					t.Errorf("who waits is told %q, want %q", other.EndedBy(), why)
				}
				old.isTold(why)
			})
		}
	}
}

// The sessions that former cookies name end one by one. When one of them cannot be ended, those before it have.
func TestALogoutThatEndsOneOfTwoSessionsTellsOfThatOne(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.Cookie.Name = "old" })
	renamed := r.node(func(o *session.Options) { o.Cookie.Name, o.Cookie.FormerNames = "new", []string{"old"} })
	old, gone := r.signIn("ada")
	v, id := renamed.signIn("ada")
	v.plant("old", old.cookie("old"))
	renamed.store.hook(func(call, of string) error {
		if call != "load" && of == id {
			return errDown
		}
		return nil
	})
	v.with((*session.Session).Logout)
	if e := renamed.ev.last(t, session.EventEnded); e.ID != gone || renamed.ev.count(session.EventEnded) != 1 {
		t.Errorf("the event is %+v, want that of the session that has ended", e)
	}
	renamed.store.hook(nil)
	v.with((*session.Session).Logout)
	if e := renamed.ev.last(t, session.EventEnded); e.ID != id || renamed.ev.count(session.EventEnded) != 2 {
		t.Errorf("the second event is %+v, want that of the other session", e)
	}
}
