package session_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// signInSince is a sign-in that another site vouches for, which people did there so long ago.
func signInSince(r *rig, ago time.Duration) func(*session.Session) {
	return func(s *session.Session) { s.Login("ada", session.LoginAt(r.clock.now().Add(-ago))) }
}

// Who signed in elsewhere long ago begins a session now, and is not the first to go for that.
func TestASessionIsAsOldAsItIsHereWhenAUserHasTooMany(t *testing.T) {
	for limit := 1; limit <= 3; limit++ {
		r := newRig(t, atMost(limit, session.EvictOldest))
		var visitors []*visitor
		for i := range 5 {
			v := r.visitor()
			v.with(signInSince(r, time.Duration(i)*time.Hour)) // each longer ago than the one before
			r.clock.advance(time.Minute)
			visitors = append(visitors, v)
			var users []string
			for _, v := range visitors {
				users = append(users, v.user())
			}
			want := slices.Repeat([]string{"ada"}, i+1)
			for gone := range max(i+1-limit, 0) {
				want[gone] = ""
			}
			if !slices.Equal(users, want) {
				t.Errorf("at most %d, after sign-in %d: %q, want %q", limit, i+1, users, want)
			}
		}
	}
}

// Two sign in at once, and the one who makes room finds the session that the other one has just made.
func TestASessionThatHasJustBeenMadeIsNotTheOneToGo(t *testing.T) {
	r := newRig(t, atMost(2, session.EvictOldest))
	first, id := r.signIn("ada")
	r.clock.advance(time.Hour)
	second, _ := r.signIn("ada")
	r.clock.advance(time.Hour)
	made, other := r.node(atMost(2, session.EvictOldest)).visitor(), r.visitor()
	r.atTheSaveOf(id, func() { made.with(signInSince(r, 30*24*time.Hour)) })
	other.with(signIn("ada"))
	users := []string{first.user(), second.user(), made.user(), other.user()}
	if want := []string{"", "", "ada", "ada"}; !slices.Equal(users, want) {
		t.Errorf("signed in are %q, want %q", users, want)
	}
}

// A sign-in of the same user anew makes the session no older than it was.
func TestASignInLongAgoMakesNoSessionOlder(t *testing.T) {
	r := newRig(t, atMost(2, session.EvictOldest))
	old, _ := r.signIn("ada")
	r.clock.advance(time.Hour)
	v, _ := r.signIn("ada")
	r.clock.advance(time.Hour)
	v.with(signInSince(r, 24*time.Hour))
	r.clock.advance(time.Hour)
	r.signIn("ada")
	if got := fmt.Sprint(old.user(), " ", v.user()); got != " ada" {
		t.Errorf("signed in are %q, want the second alone", got)
	}
}
