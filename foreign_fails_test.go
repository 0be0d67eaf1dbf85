package session_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// Whatever call fails, an outage does not look like the end of the session: nobody is signed out by it, and the next
// request takes the session over. It may find the claim of one that crashed.
func TestATakeOverDuringAnOutageIsTriedAgain(t *testing.T) {
	for i, secrets := range [][]session.Secret{{testSecret}, {testSecret}, {session.NewSecret(), testSecret}} {
		crashed := i > 0
		for _, answer := range []error{errDown, session.ErrConflict} {
			for n, reached := 1, true; reached; n++ {
				r := newTakeOver(t, func(o *session.Options) { o.Secrets = secrets })
				if crashed {
					r.leaveClaim("token")
				}
				calls := 0
				r.store.hook(func(call, _ string) error {
					if calls++; calls == n && (answer == errDown || call == "save") {
						return answer
					}
					return nil
				})
				c := newNewcomer("token", "ada")
				ticket, err := r.TakeOver(t.Context(), c.Foreign)
				reached = calls >= n
				r.store.hook(nil)
				if ticket == "" && err == nil || err != nil && !errors.Is(err, session.ErrUnavailable) {
					t.Errorf("crashed=%v, call %d is answered %v: TakeOver = %v, want a ticket or an outage", crashed,
						n, answer, err)
				}
				r.clock.advance(11 * time.Second)
				ticket, err = r.TakeOver(t.Context(), c.Foreign)
				if s, openErr := r.Open(t.Context(), ticket); err != nil || openErr != nil || s.User() != "ada" {
					t.Errorf("crashed=%v, after call %d was answered %v: TakeOver = %v, and it is nobody's", crashed, n,
						answer, err)
				}
			}
		}
	}
}

// leaveClaim leaves in the store what somebody leaves who begins to take a session over, and crashes: a claim, which is
// over by now.
func (r *rig) leaveClaim(token string) {
	r.t.Helper()
	saves := 0
	r.store.hook(func(call, _ string) error {
		if call == "save" {
			saves++
		}
		if saves > 1 {
			return errDown
		}
		return nil
	})
	if _, err := r.TakeOver(r.t.Context(), newNewcomer(token, "ada").Foreign); !errors.Is(err, session.ErrUnavailable) {
		r.t.Fatalf("TakeOver = %v, want ErrUnavailable", err)
	}
	r.store.hook(nil)
	r.clock.advance(11 * time.Second)
}

// Two find the claim of one that crashed. One of them has it then, and the other one waits.
func TestAClaimThatIsOverIsTakenUpByOneAlone(t *testing.T) {
	r := newTakeOver(t, atMost(1, session.EvictOldest))
	r.leaveClaim("token")
	node, saves := r.node(), 0
	if err := node.AllowTakeOver("old", time.Hour); err != nil {
		t.Fatal(err)
	}
	r.store.hook(func(call, _ string) error {
		if call == "save" {
			saves++
		}
		if saves == 3 { // after the two of the claim, that of the session
			r.store.hook(nil)
			ctx, giveUp := context.WithCancel(t.Context())
			late := newNewcomer("token", "ada").Foreign
			late.Fill = func(_ context.Context, s *session.Session) (bool, error) {
				giveUp()
				s.Login("ada")
				return true, nil
			}
			if ticket, err := node.TakeOver(ctx, late); ticket != "" || err == nil {
				t.Errorf("the other one does not wait: TakeOver = %v", err)
			}
		}
		return nil
	})
	ticket, err := r.TakeOver(t.Context(), newNewcomer("token", "ada").Foreign)
	if s, openErr := r.Open(t.Context(), ticket); err != nil || openErr != nil || s.User() != "ada" || saves < 3 {
		t.Errorf("TakeOver = %v after %d saves", err, saves)
	}
}

// A session that was not taken over yet ends with those of its user, or whoever ends them is told that it did not.
func TestRevokeUserReachesTheOtherLibraryWhateverTheStoreAnswers(t *testing.T) {
	for _, answer := range []error{errDown, session.ErrConflict, session.ErrNotFound} {
		r := newTakeOver(t)
		fail := nth(1, false, answer)
		r.store.hook(func(call, _ string) error {
			if call == "save" {
				return fail()
			}
			return nil
		})
		if _, err := r.RevokeUser(t.Context(), "ada"); (answer == errDown) != errors.Is(err, session.ErrUnavailable) {
			t.Errorf("a save is answered %v: RevokeUser = %v", answer, err)
		}
		if answer == errDown {
			continue
		}
		if ticket, err := r.TakeOver(t.Context(), newNewcomer("token", "ada").Foreign); ticket != "" || err != nil {
			t.Errorf("a save was answered %v: what was revoked is taken over (%v)", answer, err)
		}
	}
}

func TestAnOutageTakesNothingOverThatWasRevoked(t *testing.T) {
	for n, reached := 1, true; reached; n++ {
		r := newTakeOver(t)
		if _, err := r.RevokeUser(t.Context(), "ada"); err != nil {
			t.Fatal(err)
		}
		calls := 0
		r.store.hook(func(string, string) error {
			if calls++; calls == n {
				return errDown
			}
			return nil
		})
		if ticket, _ := r.TakeOver(t.Context(), newNewcomer("token", "ada").Foreign); ticket != "" {
			t.Errorf("when call %d fails, what was revoked is taken over", n)
		}
		reached = calls >= n
	}
}

// The visitor may have signed in anew in another tab: a late answer must not replace that ticket.
func TestARequestWhoseSessionHasEndedElsewhereDoesNotFallBack(t *testing.T) {
	r := newRig(t)
	v, _ := r.signIn("ada")
	late := v.clone()
	v.with((*session.Session).Logout)
	late.falling(func(context.Context) (string, error) {
		t.Error("it is looked for in another library")
		return "", nil
	}, func(*session.Session) {})
}

// The answer to the save of the session is lost, and meanwhile somebody else has found the session, and its user has
// signed out. The claim of the first is a mark by then.
func TestWhoeverLosesAnAnswerUndoesNoMark(t *testing.T) {
	store := &lossy{fullStore: memstore.New(memstore.Options{})}
	r := newRigOn(t, store)
	node, n, saves := r.taker(), newNewcomer("token", "ada"), 0
	node.store.fullStore = store.fullStore // which loses nothing
	if err := r.AllowTakeOver("old", time.Hour); err != nil {
		t.Fatal(err)
	}
	store.then(func(call string) error {
		if saves += strings.Count(call, "save"); saves != 2 {
			return nil
		}
		store.then(nil)
		ticket, err := node.TakeOver(t.Context(), n.Foreign)
		s, openErr := node.Open(t.Context(), ticket)
		if err != nil || openErr != nil || s.User() != "ada" {
			t.Fatalf("TakeOver = %v, and the session is nobody's", err)
		}
		s.Logout()
		if err := s.Save(t.Context()); err != nil {
			t.Error(err)
		}
		return errDown
	})
	if ticket, err := r.TakeOver(t.Context(), n.Foreign); ticket != "" || !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("TakeOver = %v, want ErrUnavailable", err)
	}
	r.clock.advance(time.Hour / 2)
	if _, err := r.Sweep(t.Context()); err != nil {
		t.Error(err)
	}
	if ticket, err := r.TakeOver(t.Context(), n.Foreign); ticket != "" || err != nil {
		t.Errorf("the token opens a session after the logout (%v)", err)
	}
}

// The sessions that are here end, and whoever ends them is told that those of the other library may not have.
func TestRevokeUserEndsWhatIsHereWhenTheStoreIsFull(t *testing.T) {
	r := newTakeOver(t)
	v, _ := r.signIn("ada")
	r.full()
	if n, err := r.RevokeUser(t.Context(), "ada"); n != 1 || !errors.Is(err, session.ErrUnavailable) || v.alive() {
		t.Errorf("RevokeUser = %d, %v, and the session is alive: %v; want 1 and an outage", n, err, v.alive())
	}
	r.store.hook(nil)
	if n, err := r.RevokeUser(t.Context(), "ada"); n != 0 || err != nil {
		t.Errorf("again: RevokeUser = %d, %v, want 0", n, err)
	}
	if ticket, err := r.TakeOver(t.Context(), newNewcomer("token", "ada").Foreign); ticket != "" || err != nil {
		t.Errorf("what was revoked is taken over (%v)", err)
	}
	if _, err := r.RevokeUser(t.Context(), "\x00"); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("a user that cannot be: %v, want one error", err)
	}
}

// One line of a log says all of it.
func TestRevokeUserSaysInOneLineWhatFailed(t *testing.T) {
	r := newTakeOver(t)
	r.signIn("ada")
	elsewhere, full := errors.New("no room"), false
	r.store.hook(func(call, _ string) error {
		switch {
		case full:
			return errDown
		case call == "save":
			full = true
			return elsewhere
		}
		return nil
	})
	_, err := r.RevokeUser(t.Context(), "ada")
	if !errors.Is(err, session.ErrUnavailable) || !errors.Is(err, elsewhere) || !errors.Is(err, errDown) ||
		strings.Contains(err.Error(), "\n") {
		t.Errorf("RevokeUser = %v, want both errors in one line", err)
	}
}
