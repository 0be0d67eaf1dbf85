package session_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/memstore"
)

// A session that gets a new id goes on, whoever gives it that, on whatever node. Its end is told under the new one.
func TestDoneFollowsANewIDToWhateverNodeGaveIt(t *testing.T) {
	for name, move := range map[string]func(*session.Session){
		"Regenerate": (*session.Session).Regenerate,
		"Confirm":    confirm,
		"Login":      func(s *session.Session) { s.Login("ada") },
	} {
		for node, elsewhere := range map[string]bool{"here": false, "on another node": true} {
			t.Run(name+" "+node, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t, bubbled)
					v, _ := r.signIn("ada")
					s, there := streaming(t, v), v
					if elsewhere {
						there = v.on(r.node(bubbled).Manager)
					}
					done := s.Done()
					for range 3 {
						there.with(move)
						time.Sleep(time.Minute)
					}
					if isClosed(done) {
						t.Fatalf("closed, as if the session had ended: %q", s.EndedBy())
					}
					if n, err := r.node(bubbled).RevokeUserFor(t.Context(), "operator", "ada"); n != 1 || err != nil {
						t.Errorf("RevokeUserFor = %d, %v", n, err)
					}
					time.Sleep(6 * time.Second)
					if !isClosed(done) || s.EndedBy() != "operator" {
						t.Errorf("closed: %v, EndedBy = %q", isClosed(done), s.EndedBy())
					}
				})
			})
		}
	}
}

// A session in a cookie leaves a note of its old id, too.
func TestDoneFollowsACookieToItsNewID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, err := cookiestore.New(cookiestore.Options{Revocations: memstore.New(memstore.Options{})})
		if err != nil {
			t.Fatal(err)
		}
		opts := session.Options{Secrets: []session.Secret{testSecret}, SweepEvery: session.Never}
		here, there := manage(t, store, opts), manage(t, store, opts)
		v := (&rig{Manager: there, t: t}).visitor()
		v.with(func(s *session.Session) { s.Login("ada") })
		s := streaming(t, v.on(here))
		done := s.Done()
		v.with((*session.Session).Regenerate)
		time.Sleep(time.Minute)
		if isClosed(done) {
			t.Error("closed by a new id")
		}
		v.with((*session.Session).Logout)
		time.Sleep(time.Minute)
		if !isClosed(done) || s.EndedBy() != session.ReasonLogout {
			t.Errorf("closed: %v, EndedBy = %q", isClosed(done), s.EndedBy())
		}
		here.Close()
		there.Close()
	})
}
