package takeover

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"time"
)

// Source is the other library. SCS and Gorilla return two; others are easy to write.
type Source interface {
	// Cookie is the name of its cookie, and how long a session of it lives at most.
	Cookie() (name string, lasts time.Duration)
	// Find says which session the cookie of a request names. The zero Entry is none. It gets the context of the
	// request.
	Find(r *http.Request) (Entry, error)
	// Expire makes the client forget the cookie.
	Expire(h http.Header)
}

// Lister is a Source that can list its sessions, for Import.
type Lister interface {
	// List says how many sessions there are, and goes through them.
	List(ctx context.Context) (total int, all iter.Seq[Entry], err error)
}

// Entry is a session of the other library that is not loaded yet.
type Entry struct {
	// Token names the session, and is as secret as a ticket. A session has one token, whatever other spellings of its
	// cookie the library takes: what is remembered of a session that has moved is kept for its token.
	Token string
	// Load loads it, and returns nil when there is none. An error is an outage, unless it wraps ErrUnreadable.
	Load func(ctx context.Context) (*Old, error)
	// End ends it. Ending one that has ended is not an error.
	End func(ctx context.Context) error
}

// Format prints nothing of the session, because the token is a secret.
func (Entry) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "entry of an old session") }

// ErrUnreadable says that a session is there but its data cannot be read, for example because a type that gob has to
// decode is not registered. It counts as no session.
var ErrUnreadable = errors.New("takeover: the old session cannot be read")

// Old is what a session of the other library holds.
type Old struct {
	// User is who is signed in, "" for nobody, as Options.User returned it.
	User string
	// Values are its data. A key of gorilla that is not a string is here as fmt.Sprint prints it, unless a key that is
	// a string reads the same.
	Values map[string]any
	// LoginAt is when the user signed in. Zero: unknown; it then counts as having been as long ago as an old session
	// can live, so that it is not taken for a fresh sign-in.
	LoginAt time.Time
	// Deadline is when the session ends, however much it is used. Zero: unknown; the session then lives from now on as
	// long as an old session can.
	Deadline time.Time
	// IdleTimeout is how long it lasts unused. 0: as the manager says. [session.Never]: until its deadline.
	IdleTimeout time.Duration
	// Persistent says that its cookie survives closing the browser.
	Persistent bool

	saved time.Time // where the deadline is a guess: when the old library saved the session last
}
