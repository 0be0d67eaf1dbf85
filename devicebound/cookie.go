package devicebound

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coatcheck/session"
)

// cookie is the bound cookie. What the browser is told of its attributes must be what is set.
func (o Options) cookie(value string, maxAge int) http.Cookie {
	return http.Cookie{
		Name: o.CookieName, Value: value, MaxAge: maxAge,
		Path: "/", Secure: true, HttpOnly: true, SameSite: o.SameSite,
	}
}

// attributes are those by which a browser finds the bound cookie.
func (o Options) attributes() string {
	c := o.cookie("x", 0)
	_, rest, _ := strings.Cut(c.String(), "; ")
	return rest
}

// headers is a response of which only the headers matter.
type headers http.Header

func (h headers) Header() http.Header         { return http.Header(h) }
func (h headers) Write(p []byte) (int, error) { return len(p), nil }
func (h headers) WriteHeader(int)             {}

// setCookie sends the bound cookie: the name of the binding, and the time of the proof for which it is given out. What
// the manager signs holds for the grace too; the browser keeps it for a shorter time, and asks for the next one then.
func (b *Binder) setCookie(h http.Header, of *binding) error {
	signed := headers{}
	c := b.opts.cookie(of.stamped(b.m.Now()), seconds(b.opts.Lifetime+b.opts.Grace))
	if err := b.m.SetSigned(signed, &c); err != nil {
		return err
	}
	sent, err := http.ParseSetCookie(http.Header(signed).Get("Set-Cookie"))
	if err != nil {
		return err
	}
	c.Value, c.MaxAge = sent.Value, seconds(b.opts.Lifetime)
	h.Add("Set-Cookie", c.String())
	return nil
}

func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

// drop makes the browser forget a cookie. Without the bound cookie it still has the key.
func (b *Binder) drop(h http.Header, name string) {
	c := b.opts.cookie("", -1)
	c.Name = name
	h.Add("Set-Cookie", c.String())
}

// proved is when the proof was made for which the request has a bound cookie of this binding that holds. The error says
// why it has none.
func (b *Binder) proved(r *http.Request, of *binding) (time.Time, error) {
	value, err := b.m.Signed(r, b.opts.CookieName)
	switch {
	case errors.Is(err, session.ErrNoCookie):
		return time.Time{}, fmt.Errorf("%w: no bound cookie came%s", ErrUnproved, skippedBecause(r))
	case errors.Is(err, session.ErrExpired):
		return time.Time{}, fmt.Errorf("%w: the bound cookie has expired", ErrUnproved)
	case err != nil:
		return time.Time{}, fmt.Errorf("%w: the bound cookie is forged, came twice, or its secret is gone", ErrUnproved)
	}
	at, ok := of.stampOf(value)
	if !ok {
		return at, fmt.Errorf("%w: the bound cookie is of another session", ErrUnproved)
	}
	return at, nil
}

// stamped is the name of the binding with a time.
func (b *binding) stamped(at time.Time) string {
	return b.name() + " " + strconv.FormatInt(at.UnixMicro(), 36)
}

// stampOf is the time in such a text, if it is of this binding.
func (b *binding) stampOf(text string) (time.Time, bool) {
	name, at, _ := strings.Cut(text, " ")
	micros, err := strconv.ParseInt(at, 36, 64)
	var want [nameSize]byte
	challengeText.Encode(want[:], b.id[:])
	same := subtle.ConstantTimeCompare([]byte(name), want[:]) == 1
	return time.UnixMicro(micros), same && err == nil && b.state == Bound
}
