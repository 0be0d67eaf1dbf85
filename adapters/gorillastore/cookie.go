package gorillastore

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/sessions"

	"github.com/coatcheck/session"
)

// maxAge is the longest that browsers keep a cookie (RFC 6265bis), in seconds.
const maxAge = 400 * 24 * 60 * 60

const day = 24 * time.Hour

// maxSize is what browsers keep of a cookie, its name and its value (RFC 6265bis), in bytes.
const maxSize = 4096

// storeTimeout is how long to wait for a store that hangs, the same as the middleware of the manager waits.
const storeTimeout = 5 * time.Second

// send sends the ticket of the session when the client's cookie is not good as it is. In another tab the visitor may
// have signed in meanwhile, and a request that changed nothing knows no better ticket than the old one. For the same
// reason the cookie is deleted by the save that ends the session, and by no other.
func (o *owned) send(w http.ResponseWriter, s *sessions.Session) error {
	k := o.kept
	if k.sent {
		s.ID = k.session.ID()
		return nil
	}
	had := k.ticket
	s.ID, k.ticket = k.session.ID(), k.session.Token()
	if k.ticket == "" && had == "" {
		return nil
	}
	keepPrivate(w.Header())
	if o.isGood(s) {
		return nil
	}
	k.asked, k.expires = "", k.session.ExpiresAt()
	opts := *s.Options
	if opts.MaxAge = min(opts.MaxAge, maxAge); k.ticket == "" {
		opts.MaxAge = -1
	}
	c := sessions.NewCookie(s.Name(), o.cookieValue(s.Name(), k.ticket), &opts)
	if len(c.Name)+len(c.Value) > maxSize {
		return fmt.Errorf("gorillastore: %w: the cookie %q", session.ErrTooLarge, c.Name)
	}
	setCookie(w.Header(), c)
	return nil
}

// isGood reports whether the cookie that came has the ticket, and is what this save would send. None is good for a
// session that has ended. One that lasts for a shorter time than its session is sent again daily.
func (o *owned) isGood(s *sessions.Session) bool {
	k, end, seen := o.kept, o.kept.session.ExpiresAt(), o.kept.session.SeenAt()
	switch {
	case k.ticket == "" || k.ticket != k.asked, *s.Options != *o.Options:
		return false
	case s.Options.MaxAge == 0: // it has no end that could move
		return true
	case !end.Equal(k.expires):
		return false
	case end.IsZero() || end.Sub(seen) > idle(min(s.Options.MaxAge, maxAge)):
		return seen.Truncate(day).Equal(o.manager.Now().Truncate(day))
	}
	return true
}

// keepPrivate lets no cache keep the response, also where headers of its vendor say for how long.
func keepPrivate(h http.Header) {
	for name := range h {
		switch key := http.CanonicalHeaderKey(name); {
		case strings.HasSuffix(key, "Cdn-Cache-Control"), slices.Contains(forCaches, key):
			delete(h, name)
		}
	}
	h.Set("Cache-Control", "no-store")
	if !slices.Contains(h["Vary"], "Cookie") {
		h.Add("Vary", "Cookie")
	}
}

// forCaches are read before Cache-Control, or beside it.
var forCaches = []string{"Expires", "Surrogate-Control", "Edge-Control", "X-Accel-Expires"}

// setCookie replaces the cookie of an earlier save.
func setCookie(h http.Header, c *http.Cookie) {
	var others []string
	for _, line := range h["Set-Cookie"] {
		if sent, err := http.ParseSetCookie(line); err != nil || sent.Name != c.Name {
			others = append(others, line)
		}
	}
	h["Set-Cookie"] = append(others, c.String())
}
