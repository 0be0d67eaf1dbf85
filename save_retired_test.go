package session_test

import (
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// soonIdle are clocks of which use moves the end far beyond where it is when the id changes.
func soonIdle(o *session.Options) {
	o.IdleTimeout, o.Lifetime, o.RenewEvery = 15*time.Minute, session.Never, 10*time.Minute
}

// renewals lets the session of a visitor be renewed that many times, and what is due be swept.
func (r *rig) renewals(v *visitor, n int) {
	r.t.Helper()
	for range n {
		r.clock.advance(10 * time.Minute)
		v.with(put("seen", 1))
	}
	r.clock.advance(6 * time.Minute)
	if !v.alive() {
		r.t.Fatal("the session in use has ended")
	}
	if _, err := r.Sweep(bg); err != nil {
		r.t.Fatal(err)
	}
}

// hours is more renewals than one load follows at the start of a request.
const hours = 100

// A stream, which has loaded its session once, signs out long after another tab has renewed the id.
func TestALogoutReachesASessionThatWasRenewedLongAgo(t *testing.T) {
	for _, n := range []int{2, hours} {
		r := newRig(t, soonIdle)
		v, _ := r.signIn("ada")
		stream := v.open()
		r.renewals(v, n)
		stream.Logout()
		if err := stream.Save(bg); err != nil || v.alive() || r.ev.count(session.EventEnded) != 1 {
			t.Errorf("after %d renewals: Save = %v, and the session is alive: %t; want it ended", n, err, v.alive())
		}
	}
}

// Another tab saves at the same moment. That is one conflict, however many renewals the Logout had to follow.
func TestAConflictBehindManyRenewalsKeepsNoSessionAlive(t *testing.T) {
	r := newRig(t, soonIdle, func(o *session.Options) { o.RenewEvery = 4 * time.Minute })
	v, _ := r.signIn("ada")
	stream, id := v.open(), ""
	for range 310 {
		r.clock.advance(4 * time.Minute)
		v.with(func(s *session.Session) { s.Set("seen", 1) })
	}
	v.with(func(s *session.Session) { id = s.ID() })
	other := v.on(r.node(soonIdle).Manager)
	r.atTheSaveOf(id, func() { other.with(put("x", 1)) })
	stream.Logout()
	if err := stream.Save(bg); err != nil || v.alive() {
		t.Errorf("Save = %v, and the session is alive: %t; want it ended", err, v.alive())
	}
}

// A request that is under way showed a good ticket when it began: its writes are kept, and its reads are the newest.
func TestASessionInUseIsFollowedThroughAllItsRenewals(t *testing.T) {
	for _, n := range []int{2, hours} {
		r := newRig(t, soonIdle)
		v, _ := r.signIn("ada")
		writes, reads, changes := v.open(), v.open(), v.open()
		r.renewals(v, n)
		writes.Set("x", 1)
		if err := writes.Save(bg); err != nil || v.x() != int64(1) {
			t.Errorf("after %d renewals: Save = %v (%q), and x is %v", n, err, writes.EndedBy(), v.x())
		}
		if err := reads.Reload(bg); err != nil || reads.User() != "ada" || reads.Get("x") != int64(1) {
			t.Errorf("after %d renewals: Reload = %v (%q), and x is %v", n, err, reads.EndedBy(), reads.Get("x"))
		}
		if err := changes.Atomic(bg, func(s *session.Session) error { s.Set("x", 2); return nil }); err != nil {
			t.Errorf("after %d renewals: Atomic = %v (%q)", n, err, changes.EndedBy())
		}
	}
}

// Who keeps the session of a stream keeps it under the id that it has by now, and waits for no more than two loads for
// each id that it had.
func TestARevocationKeepsASessionByAnIDOfLongAgo(t *testing.T) {
	r := newRig(t, soonIdle)
	v, _ := r.signIn("ada")
	stream := v.open()
	r.renewals(v, hours)
	r.signIn("ada")
	r.store.reset()
	n, err := r.RevokeUser(bg, "ada", stream.ID())
	if loads := r.store.count("load"); loads > 2*hours+10 {
		t.Errorf("%d loads for a session that had %d ids", loads, hours)
	}
	if n != 1 || err != nil || !v.alive() {
		t.Errorf("RevokeUser = %d, %v, and the session to keep is alive: %t; want the other one ended", n, err,
			v.alive())
	}
}

// An id on a page that is still open leads to its session.
func TestARevocationReachesASessionByAnIDOfLongAgo(t *testing.T) {
	for name, revoke := range map[string]func(r *rig, id string) (int, error){
		"Revoke":    func(r *rig, id string) (int, error) { return r.Revoke(bg, id) },
		"RevokeOwn": func(r *rig, id string) (int, error) { return r.RevokeOwn(bg, "ada", id) },
	} {
		r := newRig(t, soonIdle)
		v, id := r.signIn("ada")
		r.renewals(v, hours)
		if n, err := revoke(r, id); n != 1 || err != nil || v.alive() {
			t.Errorf("%s = %d, %v, and the session is alive: %t; want it ended", name, n, err, v.alive())
		}
	}
}

// The sites with the shortest clocks are those that want to hear of a theft.
func TestTheUseOfARenewedTicketIsNoticedForADay(t *testing.T) {
	r := newRig(t, soonIdle)
	v, _ := r.signIn("ada")
	thief := v.clone()
	r.renewals(v, hours)
	if thief.alive() || r.ev.count(session.EventReused) != 1 {
		t.Errorf("the old ticket opens the session: %t, with %d events reused, want one", thief.alive(),
			r.ev.count(session.EventReused))
	}
}

// What leads nowhere for a request is kept for those that were under way, and no longer: each sign-in leaves one.
func TestWhatALoginLeavesIsKeptForItsGrace(t *testing.T) {
	for name, change := range map[string]func(*session.Session){
		"Login":      signInAda,
		"Regenerate": (*session.Session).Regenerate,
		"Confirm":    func(s *session.Session) { s.Confirm("otp") },
	} {
		r := newRig(t, func(o *session.Options) { o.RenewGrace = time.Minute })
		v, id := r.signIn("ada")
		v.with(change)
		rec, err := r.store.fullStore.Load(bg, id)
		if err != nil || rec.Kind != session.KindTombstone || rec.ExpiresAt.Sub(r.clock.now()) != time.Minute {
			t.Errorf("%s leaves %v, %v; want a tombstone for a minute", name, rec, err)
		}
	}
}

// A store that was tampered with may lead in a circle.
func TestALogoutFollowsACircleToAnEnd(t *testing.T) {
	r := newRig(t)
	v, id := r.signIn("ada")
	s := v.open()
	rec, err := r.store.fullStore.Load(bg, id)
	if err != nil {
		t.Fatal(err)
	}
	rec = rec.Clone()
	rec.Kind, rec.Successor = session.KindTombstone, rec.ID
	if err := r.store.fullStore.Save(bg, rec); err != nil {
		t.Fatal(err)
	}
	loads := 0
	r.store.hook(func(string, string) error {
		if loads++; loads > 20_000 {
			return errDown
		}
		return nil
	})
	s.Logout()
	if err := s.Save(bg); err != nil {
		t.Errorf("Save = %v after %d calls", err, loads)
	}
}
