package gorillastore

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/sessions"
)

// maxAge is the longest that browsers keep a cookie (RFC 6265bis), in seconds.
const maxAge = 400 * 24 * 60 * 60

// storeTimeout is how long to wait for a store that hangs, the same as the middleware of the manager waits.
const storeTimeout = 5 * time.Second

// ticketOf returns the ticket of a request. Of two cookies of one name, one is perhaps planted, and neither is
// believed.
func ticketOf(r *http.Request, name string) string {
	if cookies := r.CookiesNamed(name); len(cookies) == 1 {
		return cookies[0].Value
	}
	return ""
}

// send stores the session, and sends its ticket as gorilla does, each time. The cookie is deleted by the save that ends
// the session, and by no other: in another tab the visitor may have signed in anew.
func (k *kept) send(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), storeTimeout)
	defer cancel()
	if err := k.session.Save(ctx); err != nil {
		return fmt.Errorf("gorillastore: %w", err)
	}
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
	if k.ticket != "" || had != "" {
		setCookie(w.Header(), sessions.NewCookie(s.Name(), k.ticket, &opts))
	}
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
