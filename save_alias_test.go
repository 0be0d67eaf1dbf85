package session_test

import (
	"errors"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// renewedOnce is a session that went on under a new id, and both ids.
func renewedOnce(r *rig) (v *visitor, old, id string) {
	v, old = r.signIn("ada")
	r.clock.advance(time.Hour)
	v.with(func(s *session.Session) { s.Set("x", 1) })
	v.with(func(s *session.Session) { id = s.ID() })
	return v, old, id
}

// The old id of a renewed session is worth nothing when the session is over, nor after a day. But use prolongs an idle
// timeout, and nobody would tell the alias.
func TestAnAliasIsKeptNoLongerThanItsSessionAndADayAtMost(t *testing.T) {
	for name, tt := range map[string]struct {
		idle, lifetime, grace, want time.Duration
	}{
		"a session of two hours": {session.Never, 2 * time.Hour, 0, time.Hour}, // of which one is over
		"a session of a week":    {session.Never, 7 * 24 * time.Hour, 0, 24 * time.Hour},
		"one without an end":     {session.Never, session.Never, 0, 24 * time.Hour},
		"one that use prolongs":  {2 * time.Hour, session.Never, 0, 24 * time.Hour},
		"a long grace":           {session.Never, session.Never, 48 * time.Hour, 48 * time.Hour},
		"a grace beyond the end": {session.Never, 2 * time.Hour, 3 * time.Hour, 3 * time.Hour},
	} {
		r := newRig(t, func(o *session.Options) {
			o.IdleTimeout, o.Lifetime, o.RenewEvery, o.RenewGrace = tt.idle, tt.lifetime, time.Hour, tt.grace
		})
		_, old, id := renewedOnce(r)
		rec, err := r.store.fullStore.Load(t.Context(), old)
		if err != nil || rec.Kind != session.KindAlias || rec.Successor != id {
			t.Fatalf("%s: the old record is %v, %v, want an alias of the new one", name, rec, err)
		}
		if got := rec.ExpiresAt.Sub(r.clock.now()); got != tt.want {
			t.Errorf("%s: the alias is kept for %v, want %v", name, got, tt.want)
		}
	}
}

// A way that leads to nothing is cleared away, and nothing is put where it led.
func TestToRevokeTheOldIDOfASessionThatIsGoneEndsNothing(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.RenewEvery = time.Hour })
	_, old, id := renewedOnce(r)
	if err := r.store.fullStore.Delete(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if n, err := r.Revoke(t.Context(), old); n != 0 || err != nil {
		t.Errorf("Revoke = %d, %v, want nothing ended", n, err)
	}
	if r.stored(id) || r.stored(old) {
		t.Errorf("there is a record of the old id: %v, of the new one: %v; want none", r.stored(old), r.stored(id))
	}
}

func (r *rig) stored(id string) bool {
	_, err := r.store.fullStore.Load(r.t.Context(), id)
	if err != nil && !errors.Is(err, session.ErrNotFound) {
		r.t.Fatal(err)
	}
	return err == nil
}

// The id that a visitor had before the login was nobody's, and leads to a session that is the user's own.
func TestToRevokeOnesOwnByTheIDBeforeTheLoginLeavesNothing(t *testing.T) {
	r := newRig(t)
	v, old := r.visitor(), ""
	v.with(func(s *session.Session) { s.Set("x", 1); old = s.ID() })
	v.with(func(s *session.Session) { s.Login("ada") })
	if n, err := r.RevokeOwn(t.Context(), "ada", old); n != 1 || err != nil {
		t.Errorf("RevokeOwn = %d, %v, want 1", n, err)
	}
	if r.stored(old) {
		t.Error("the record of the old id is still there")
	}
	if got := v.user(); got != "" {
		t.Errorf("signed in as %q after the end", got)
	}
}

// A conflict brings the newest record along, so that a logout that meets a write costs no load for it.
func TestALogoutThatMeetsAWriteCostsNoLoad(t *testing.T) {
	r := newRig(t)
	v, id := r.signIn("ada")
	other, wrote := v.clone().on(r.node().Manager), false
	r.store.hook(func(call, on string) error {
		if call == "save" && on == id && !wrote {
			wrote = true
			other.with(put("x", 1))
		}
		return nil
	})
	r.store.reset()
	v.with((*session.Session).Logout)
	r.store.hook(nil)
	if got := r.store.count("load"); !wrote || got != 1 {
		t.Errorf("%d loads, want the one of the request", got)
	}
	if got := other.user(); got != "" {
		t.Errorf("signed in as %q after the logout", got)
	}
}
