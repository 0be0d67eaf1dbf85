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
