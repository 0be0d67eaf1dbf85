package session_test

import (
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// losing is a rig whose store does the next save and does not say so.
func losing(t *testing.T) (r *rig, lose func()) {
	t.Helper()
	var lost atomic.Bool
	store := &lossy{fullStore: memstore.New(memstore.Options{})}
	return newRigOn(t, store), func() {
		store.then(func(call string) error {
			if call == "save" && lost.CompareAndSwap(false, true) {
				return errDown
			}
			return nil
		})
	}
}

// What was done counts as done, though the store told of a failure.
func TestALogoutWhoseAnswerIsLostIsALogout(t *testing.T) {
	r, lose := losing(t)
	v, _ := r.signIn("ada")
	lose()
	resp := v.with((*session.Session).Logout)
	if n := r.ev.count(session.EventEnded); resp.StatusCode != http.StatusOK || v.ticket() != "" || n != 1 {
		t.Errorf("status %d, a ticket: %v, %d events ended", resp.StatusCode, v.ticket() != "", n)
	}
}

func TestARevocationWhoseAnswerIsLostCounts(t *testing.T) {
	r, lose := losing(t)
	_, id := r.signIn("ada")
	lose()
	if n, err := r.Revoke(t.Context(), id); n != 1 || err != nil {
		t.Errorf("Revoke = %d, %v, want 1", n, err)
	}
}

// A session that went idle during a request is gone, whatever the request does to its clocks.
func TestALongerTimeoutBringsNoSessionBack(t *testing.T) {
	for name, do := range map[string]func(*session.Session){
		"a longer timeout": func(s *session.Session) { s.SetIdleTimeout(time.Hour) },
		"a write":          func(s *session.Session) { s.Set("x", 1) },
	} {
		r := newRig(t, func(o *session.Options) { o.IdleTimeout = time.Minute })
		v, _ := r.signIn("ada")
		resp := v.with(func(s *session.Session) {
			do(s)
			r.clock.advance(2 * time.Minute)
		})
		if got := v.user(); resp.StatusCode != http.StatusConflict || got != "" {
			t.Errorf("%s: status %d, then signed in as %q; want 409 and nobody", name, resp.StatusCode, got)
		}
	}
}

// What cannot be looked up is no room.
func TestALoginThatCannotLookForRoomSaysSo(t *testing.T) {
	store := newLame()
	r := newRigOn(t, store, func(o *session.Options) { o.MaxPerUser = 1 })
	r.signIn("ada")
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("x", 1) })
	r.store.hook(func(call, _ string) error {
		if call == "save" {
			store.fail("load")
		}
		return nil
	})
	v.with(func(s *session.Session) {
		s.Login("ada")
		if err := s.Save(t.Context()); !errors.Is(err, errDown) || !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("Save = %v, want the store's error and ErrUnavailable", err)
		}
	})
}

// A store may say that there is a conflict, and not with what.
func TestALogoutLooksForWhatItsConflictIsWith(t *testing.T) {
	r := newRig(t)
	v, _ := r.signIn("ada")
	conflicts := 3
	r.store.hook(func(call, _ string) error {
		if call == "save" && conflicts > 0 {
			conflicts--
			return session.ErrConflict
		}
		return nil
	})
	resp := v.with((*session.Session).Logout)
	if got := v.user(); resp.StatusCode != http.StatusOK || conflicts != 0 || got != "" {
		t.Errorf("status %d with %d conflicts left, then signed in as %q", resp.StatusCode, conflicts, got)
	}
}
