package gorillastore

import (
	"context"
	"math"
	"time"

	"github.com/coatcheck/session"
)

// setClocks makes a session last as long as its cookie, if it is new, or if the handler has changed MaxAge. What a
// sign-in has said of its clocks stays, where it can be told from the manager's.
func (o *owned) setClocks(n *session.Session, maxAge int) {
	fresh := n.Token() == ""
	if maxAge != o.Options.MaxAge || fresh && n.User() == "" || fresh && maxAge > 0 && o.isPlain(n) {
		n.SetIdleTimeout(idle(maxAge))
		n.SetPersistent(maxAge > 0)
	}
}

// isPlain reports whether a sign-in has left a session the clocks of the manager. A session tells when it ends, and not
// by which clock, so others that come to the same end are taken for those.
func (o *owned) isPlain(n *session.Session) bool {
	plain, err := o.manager.Open(context.Background(), "")
	if err != nil {
		return true
	}
	plain.Set("any", true) // or it would never end
	return plain.ExpiresAt().Sub(n.ExpiresAt()).Abs() < time.Minute
}

// idle is how long a session lasts unused whose cookie lasts for so many seconds; 0 as the manager says.
func idle(seconds int) time.Duration {
	return time.Duration(min(int64(seconds), math.MaxInt64/int64(time.Second))) * time.Second
}
