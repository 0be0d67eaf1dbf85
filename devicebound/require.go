package devicebound

import (
	"encoding/json"
	"errors"
	"html"
	"net/http"
	"strings"
	"time"

	"github.com/coatcheck/session"
)

// Require lets requests through whose session is bound to a device and proved, whatever the policy. It tells the others
// what to do: to sign in, to wait a moment, to load the page again, or to use another browser.
func (b *Binder) Require(next http.Handler) http.Handler {
	return b.judged(func(w http.ResponseWriter, r *http.Request, p proof) {
		if p.why != nil {
			b.turnAway(w, r, p.why)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// proof is what a request shows of its session's key.
type proof struct {
	of  binding
	at  time.Time
	why error // what it lacks
}

// judged loads the session, and says what it lacks to be bound and proved.
func (b *Binder) judged(serve func(http.ResponseWriter, *http.Request, proof)) http.Handler {
	return b.m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		of, err := glance(s, s.User(), s.LoginAt())
		p := proof{of: of, why: s.Refused()}
		switch {
		case p.why != nil:
		case s.User() == "":
			p.why = ErrNobody
		default:
			p.at, p.why = b.missing(r, &of, err)
		}
		serve(w, r, p)
	})
}

// sentBack answers a link from another site that leads here without a bound cookie: a browser does not show its key
// because of a page of somebody else. The page that it gets loads itself again, which is this site's own doing.
func (b *Binder) sentBack(w http.ResponseWriter, r *http.Request) bool {
	if b.opts.Policy < Enforce || !isLink(r) {
		return false
	}
	if _, err := b.m.Signed(r, b.opts.CookieName); err == nil {
		return false
	}
	s, err := b.m.Load(r.Context())
	if err != nil || !errors.Is(s.Refused(), ErrUnproved) {
		return false // an error is there for whoever loads the session
	}
	b.sendBack(w)
	return true
}

// isLink reports whether another site led the browser here, which it can do only once: whoever loads the page again
// comes from this site.
func isLink(r *http.Request) bool {
	if r.Method != http.MethodGet || r.Header.Get("Sec-Fetch-Mode") != "navigate" {
		return false
	}
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "cross-site" || site == "same-site"
}

func (b *Binder) sendBack(w http.ResponseWriter) {
	w.Header().Set("Refresh", "0")
	writePage(w, http.StatusUnauthorized, "One moment, please. If nothing happens, load this page again.")
}

// turnAway says what to do.
func (b *Binder) turnAway(w http.ResponseWriter, r *http.Request, why error) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if errors.Is(why, ErrUnproved) && isLink(r) {
		b.sendBack(w)
		return
	}
	if b.opts.Refuse != nil {
		b.opts.Refuse(w, r, why)
		return
	}
	status, text := http.StatusUnauthorized, "Please sign in first."
	switch {
	case errors.Is(why, ErrUnproved):
		text = "Your browser did not show that it is the one that signed in. Load the page again, or sign in again."
	case errors.Is(why, ErrPending):
		status, text = http.StatusServiceUnavailable, "Your sign-in is being bound to this device. One moment, please."
		h.Set("Retry-After", "1")
		h.Set("Refresh", "1")
	case errors.Is(why, ErrNotBound):
		status, text = http.StatusForbidden, "This needs a sign-in that is bound to your device. Sign in with a "+
			"browser that can do that, such as Chrome on Windows or macOS."
	}
	if status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Session") // a 401 must have one
	}
	if wantsPage(r) {
		writePage(w, status, text)
		return
	}
	h.Del("Refresh")
	h.Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	body, _ := json.Marshal(map[string]any{"title": http.StatusText(status), "status": status, "detail": text})
	_, _ = w.Write(append(body, '\n'))
}

// wantsPage reports whether a person waits for the answer.
func wantsPage(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

func writePage(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Session")
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">` +
		`<title>` + http.StatusText(status) + `</title><p>` + html.EscapeString(text) + "</p></html>\n"))
}
