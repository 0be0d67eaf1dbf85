package session_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/memstore"
)

// fullWhileSaving lets no save of a record through, and runs something before the first one fails.
func (r *rig) fullWhileSaving(id string, meanwhile func()) {
	met := false
	r.store.hook(func(call, of string) error {
		if call != "save" || of != id {
			return nil
		}
		if !met {
			met = true
			meanwhile()
		}
		return errFull
	})
}

// What is deleted for want of room is the session that was meant, as it was then.
func TestASessionThatChangesWhileThereIsNoRoomIsJudgedAnew(t *testing.T) {
	r := newRig(t)
	v, id := r.signIn("ada")
	node := v.on(r.node().Manager)
	r.fullWhileSaving(id, func() { node.with(func(s *session.Session) { s.Set("level", "gold") }) })
	without := func(s *session.Session) bool { return !s.Has("level") }
	n, err := r.RevokeWhere(t.Context(), session.ReasonOperator, "ada", without)
	if n != 0 || err != nil || node.level() != "gold" {
		t.Errorf("RevokeWhere = %d, %v, and the level is %v; want 0 and gold", n, err, node.level())
	}
}

func TestASessionThatIsGoneWhileThereIsNoRoomIsNotCounted(t *testing.T) {
	r := newRig(t)
	_, id := r.signIn("ada")
	r.fullWhileSaving(id, func() {
		if err := r.store.fullStore.Delete(t.Context(), id); err != nil {
			t.Error(err)
		}
	})
	if n, err := r.Revoke(t.Context(), id); n != 0 || err != nil {
		t.Errorf("Revoke = %d, %v, want 0", n, err)
	}
}

func TestAVisitorWithoutANameIsForgottenInAFullStore(t *testing.T) {
	r := newRig(t)
	v, id := beginning(r, fillCart)
	late := v.clone()
	r.full()
	if resp := v.with((*session.Session).Logout); resp.StatusCode != http.StatusOK || late.alive() {
		t.Errorf("Logout: status %d, and the session is alive: %t", resp.StatusCode, late.alive())
	}
	r.store.hook(nil)
	_, id = beginning(r, fillCart)
	r.full()
	if n, err := r.Revoke(t.Context(), id); n != 1 || err != nil {
		t.Errorf("Revoke = %d, %v, want 1", n, err)
	}
}

// Whether a record that does not open could be written, nobody can try.
func TestADamagedRecordIsNotCountedWhereItCannotBeRetired(t *testing.T) {
	r := newRig(t)
	_, id := r.signIn("ada")
	rec, err := r.store.fullStore.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	rec.Data = []byte("damaged")
	if err := r.store.fullStore.Save(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	r.full()
	if n, err := r.Revoke(t.Context(), id); n != 0 || !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("Revoke = %d, %v, want 0 and ErrUnavailable", n, err)
	}
}

// The request that moves the session has died, and there is no room for a tombstone: the record that was to take over
// is deleted as well, or whoever revoked the session is told that something is left.
func TestWhatWaitsToTakeOverGoesWithoutRoom(t *testing.T) {
	for _, readOnly := range []bool{false, true} {
		r := newRig(t)
		v, id := r.signIn("ada")
		node := r.node()
		r.atTheSaveOf(id, func() {
			heir := r.heir(id)
			node.store.hook(func(call, of string) error {
				if call == "save" || readOnly && call == "delete" && of == heir {
					return errFull
				}
				return nil
			})
			_, err := node.Revoke(t.Context(), id)
			if there := node.stored(heir); there != readOnly || errors.Is(err, session.ErrUnavailable) != readOnly {
				t.Errorf("read-only: %v: Revoke = %v, and the record is there: %v", readOnly, err, there)
			}
		})
		v.with((*session.Session).Regenerate)
	}
}

// A session in its cookie ends by what the store remembers of it. One that cannot remember it has not ended it.
func TestALogoutThatCannotBeRememberedIsAnsweredAsAnOutage(t *testing.T) {
	below := &counted{fullStore: memstore.New(memstore.Options{})}
	store, err := cookiestore.New(cookiestore.Options{Revocations: below})
	if err != nil {
		t.Fatal(err)
	}
	m := manage(t, store, session.Options{Secrets: []session.Secret{testSecret}, SweepEvery: session.Never})
	v := newRig(t).visitor().on(m)
	v.with(signIn("ada"))
	below.hook(func(call, _ string) error {
		if call == "save" {
			return errFull
		}
		return nil
	})
	resp := v.with((*session.Session).Logout)
	if resp.StatusCode != http.StatusServiceUnavailable || v.user() != "ada" {
		t.Errorf("status %d, and the visitor is %q; want 503 and ada", resp.StatusCode, v.user())
	}
}
