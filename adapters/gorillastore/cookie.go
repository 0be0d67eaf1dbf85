package gorillastore

import (
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/sessions"

	"github.com/coatcheck/session"
)

// maxAge is the longest that browsers keep a cookie (RFC 6265bis), in seconds.
const maxAge = 400 * 24 * 60 * 60

// maxSize is what browsers keep of a cookie, its name and its value (RFC 6265bis), in bytes.
const maxSize = 4096

// storeTimeout is how long to wait for a store that hangs, the same as the middleware of the manager waits.
const storeTimeout = 5 * time.Second

// send sends the ticket of the session as gorilla does, each time. The cookie is deleted by the save that ends the
// session, and by no other: in another tab the visitor may have signed in anew.
func (o *owned) send(w http.ResponseWriter, s *sessions.Session) error {
	k := o.kept
	if k.sent {
		s.ID = k.session.ID()
		return nil
	}
	had := k.ticket
	s.ID, k.ticket = k.session.ID(), k.session.Token()
	opts := *s.Options
	if opts.MaxAge = min(opts.MaxAge, maxAge); k.ticket == "" {
		opts.MaxAge = -1
	}
	if k.ticket == "" && had == "" {
		return nil
	}
	c := sessions.NewCookie(s.Name(), o.cookieValue(s.Name(), k.ticket), &opts)
	if len(c.Name)+len(c.Value) > maxSize {
		return fmt.Errorf("gorillastore: %w: the cookie %q", session.ErrTooLarge, c.Name)
	}
	setCookie(w.Header(), c)
	return nil
}

// setCookie replaces the cookie of an earlier save, and lets no cache keep the response.
func setCookie(h http.Header, c *http.Cookie) {
	var others []string
	for _, line := range h["Set-Cookie"] {
		if sent, err := http.ParseSetCookie(line); err != nil || sent.Name != c.Name {
			others = append(others, line)
		}
	}
	h["Set-Cookie"] = append(others, c.String())
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Cookie")
}
