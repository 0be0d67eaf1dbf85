package session_test

import (
	"sync"
	"testing"

	"github.com/coatcheck/session"
)

// What is to be kept may follow, on the same browser, on a session that is being ended.
func TestASessionThatIsKeptOutlivesTheOneBeforeIt(t *testing.T) {
	r := newRig(t)
	v, old := r.signIn("ada")
	began, may := make(chan string), make(chan struct{})
	var browser sync.WaitGroup
	browser.Go(func() {
		v.with(func(s *session.Session) {
			s.Logout()
			s.Login("ada")
			began <- s.ID()
			<-may
		})
	})
	kept := <-began
	r.atTheSaveOf(old, func() {
		close(may)
		browser.Wait()
	})
	if n, err := r.RevokeUser(bg, "ada", kept); n != 0 || err != nil {
		t.Errorf("RevokeUser = %d, %v", n, err)
	}
	v.isUser("ada")
}

// The id to keep is that of a move which is decided while the session before it is deleted, for want of room.
func TestASessionThatIsKeptOutlivesADeletedOneBeforeIt(t *testing.T) {
	r := newRig(t)
	v, old := r.signIn("ada")
	began, may := make(chan string), make(chan struct{})
	var browser sync.WaitGroup
	browser.Go(func() {
		v.with(func(s *session.Session) {
			s.Regenerate()
			began <- s.ID()
			<-may
		})
	})
	kept := <-began
	r.store.hook(func(call, id string) error {
		switch {
		case call == "save" && id == old:
			return errFull
		case call == "delete" && id == old:
			r.store.hook(nil)
			close(may)
			browser.Wait()
		}
		return nil
	})
	if _, err := r.RevokeUser(bg, "ada", kept); err != nil {
		t.Errorf("RevokeUser = %v", err)
	}
	v.isUser("ada")
}
