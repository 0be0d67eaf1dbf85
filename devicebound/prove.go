package devicebound

import (
	"errors"
	"net/http"
	"strings"
	"time"
)

// Prove lets bound sessions through whose key was shown at most d ago, for what must not happen even with cookies that
// were stolen a minute ago. It asks the others for their key now: it sends the browser back to the same address (307)
// without its bound cookie, which makes it show the key and repeat the request with its method and body. It does so
// once, and then refuses the request as Require does. Sessions that are not bound are let through; to stop them as
// well, put Require around it. Give it to guard.Options.Proof for what Fresh guards.
//
// With a d below ten seconds a proof that was asked for counts for ten seconds all the same, so that the request can be
// repeated. Whoever copies the cookies of that one can use them for as long. Behind a proxy that reads the whole body
// first, d must be longer than that takes.
func (b *Binder) Prove(d time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return b.judged(func(w http.ResponseWriter, r *http.Request, p proof) {
			old, came := b.asked(r, &p.of)
			if came {
				b.drop(w.Header(), b.askedName())
			}
			age := b.m.Now().Sub(p.at)
			switch young := age <= d && age >= -skew; {
			case errors.Is(p.why, ErrUnproved):
				b.turnAway(w, r, p.why)
			case p.why != nil || young || came && !p.at.Equal(old) && age <= leastProof:
				next.ServeHTTP(w, r)
			case came || !b.sendFor(w, r, p):
				b.turnAway(w, r, ErrUnproved)
			}
		})
	}
}

const (
	// leastProof is how long a proof counts that was asked for.
	leastProof = 10 * time.Second
	// patience is how long a browser that was asked for its key may take.
	patience = time.Minute
)

func (b *Binder) askedName() string { return b.opts.CookieName + "-asked" }

// sendFor sends the browser back to where it is, for another proof. A place that could be at another host is none: to a
// browser a backslash is a slash, and some proxies pass on the one that came as %5C.
func (b *Binder) sendFor(w http.ResponseWriter, r *http.Request, p proof) bool {
	here := r.RequestURI
	if here == "" {
		here = r.URL.RequestURI()
	}
	old := p.at
	if now := b.m.Now(); !old.Before(now) { // another proof may have the same time
		old = now.Add(-time.Microsecond)
	}
	c := b.opts.cookie(p.of.stamped(old), seconds(patience))
	c.Name = b.askedName()
	elsewhere := !strings.HasPrefix(here, "/") || strings.HasPrefix(here, "//") || strings.HasPrefix(here, `/\`)
	if elsewhere || b.m.SetSigned(w, &c) != nil {
		return false
	}
	b.drop(w.Header(), b.opts.CookieName)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", here)
	w.WriteHeader(http.StatusTemporaryRedirect)
	return true
}

// asked returns the time of the proof that was too old when this request was sent back, if it was. Another proof is
// newer, whatever the time at the node that was shown it.
func (b *Binder) asked(r *http.Request, of *binding) (time.Time, bool) {
	value, err := b.m.Signed(r, b.askedName())
	if err != nil {
		return time.Time{}, false
	}
	return of.stampOf(value)
}
