package session_test

import (
	"errors"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// bobsWay is how bob signs in on a browser that has just been ada's.
type bobsWay func(*testing.T, *session.Session)

func signInBob(s *session.Session) { s.Login("bob") }

// bobsWays are all of them. The one that has saved before knows by then that the session is gone.
var bobsWays = map[string]bobsWay{
	"outside Atomic": func(_ *testing.T, s *session.Session) { signInBob(s) },
	"before Atomic": func(t *testing.T, s *session.Session) {
		signInBob(s)
		atomically(t, s, func(*session.Session) {})
	},
	"within Atomic": func(t *testing.T, s *session.Session) { atomically(t, s, signInBob) },
	"after data within Atomic": func(t *testing.T, s *session.Session) {
		s.Set("hers", 1)
		atomically(t, s, signInBob)
	},
	"after a save": func(t *testing.T, s *session.Session) {
		s.Set("hers", 1)
		_ = s.Save(t.Context())
		signInBob(s)
	},
}

func atomically(t *testing.T, s *session.Session, fn func(*session.Session)) {
	t.Helper()
	if err := s.Atomic(t.Context(), func(s *session.Session) error { fn(s); return nil }); err != nil {
		t.Errorf("Atomic = %v", err)
	}
}

// Whoever signs in on a browser ends the session that another user has there, wherever that has moved meanwhile.
func TestASessionThatHasJustMovedEndsWhenAnotherUserSignsIn(t *testing.T) {
	for _, moved := range moves {
		for how, signs := range bobsWays {
			t.Run(moved.name+", and bob "+how, func(t *testing.T) {
				r := newRig(t, hourly)
				browser, _ := r.signIn("ada")
				other := browser.clone()
				r.clock.advance(2 * time.Hour)
				s := browser.open()
				other.with(moved.do)
				signs(t, s)
				if err := s.Save(t.Context()); err != nil || s.User() != "bob" || s.Has("hers") {
					t.Fatalf("Save = %v, user %q, data %v", err, s.User(), s.All())
				}
				if other.alive() {
					t.Error("the session of ada goes on")
				}
				if mine, err := r.Open(t.Context(), s.Token()); err != nil || mine.User() != "bob" || mine.Has("hers") {
					t.Errorf("bob's ticket opens one of %q with %v, %v", mine.User(), mine.All(), err)
				}
			})
		}
	}
}

// The same where the session is its cookie, and the store knows only which ids were retired.
func TestACookieThatHasJustMovedEndsWhenAnotherUserSignsIn(t *testing.T) {
	for how, signs := range bobsWays {
		r := onCookies(t)
		browser, _ := r.signIn("ada")
		other := browser.clone()
		s := browser.open()
		other.with((*session.Session).Regenerate)
		signs(t, s)
		if err := s.Save(t.Context()); err != nil || s.User() != "bob" || s.Has("hers") || other.alive() {
			t.Errorf("%s: Save = %v, user %q with %v, the session of ada goes on: %t", how, err, s.User(), s.All(),
				other.alive())
		}
	}
}

// The same when the session moves while bob's sign-in is stored, or twice.
func TestASessionThatMovesMeanwhileEndsWhenAnotherUserSignsIn(t *testing.T) {
	for _, moved := range moves {
		for how, signs := range bobsWays {
			t.Run(moved.name+", and bob "+how, func(t *testing.T) {
				r := newRig(t, hourly)
				browser, id := r.signIn("ada")
				other := browser.clone()
				r.clock.advance(2 * time.Hour)
				s := browser.open()
				r.atTheSaveOf(id, func() {
					other.with(moved.do)
					other.with((*session.Session).Regenerate)
				})
				signs(t, s)
				if err := s.Save(t.Context()); err != nil || s.User() != "bob" || other.alive() {
					t.Errorf("Save = %v, user %q, the session of ada goes on: %t", err, s.User(), other.alive())
				}
			})
		}
	}
}

// A function that signs in and fails ends nobody's session.
func TestASignInThatAtomicDropsEndsNoSession(t *testing.T) {
	r := newRig(t)
	browser, _ := r.signIn("ada")
	other := browser.clone()
	s := browser.open()
	other.with((*session.Session).Regenerate)
	dropped := errors.New("no")
	err := s.Atomic(t.Context(), func(s *session.Session) error { signInBob(s); return dropped })
	if !errors.Is(err, dropped) || s.User() == "bob" || !other.alive() {
		t.Errorf("Atomic = %v, user %q, the session of ada goes on: %t", err, s.User(), other.alive())
	}
	if err := s.Save(t.Context()); err != nil || !other.alive() {
		t.Errorf("Save = %v, the session of ada goes on: %t", err, other.alive())
	}
}

// Where the same user signs in on both, each has a session of its own, as ever.
func TestASessionThatHasJustMovedStaysWhenItsUserSignsInAgain(t *testing.T) {
	r := newRig(t)
	browser, _ := r.signIn("ada")
	other := browser.clone()
	s := browser.open()
	other.with((*session.Session).Regenerate)
	atomically(t, s, signInAda)
	if s.User() != "ada" || !other.alive() {
		t.Errorf("user %q, the other session goes on: %t", s.User(), other.alive())
	}
}

// Nobody knows who has a ticket that was retired before, so that it ends nothing.
func TestASignInWithATicketThatIsRetiredEndsNoSession(t *testing.T) {
	r := newRig(t)
	browser, _ := r.signIn("ada")
	late := browser.clone()
	browser.with((*session.Session).Regenerate)
	late.with(signInBob)
	late.isUser("bob")
	browser.isUser("ada")
}
