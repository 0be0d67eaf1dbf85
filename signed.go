package session

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coatcheck/session/internal/keys"
	"github.com/coatcheck/session/internal/wire"
)

// SetSigned sets a cookie of the application whose value anybody can read but nobody can change: Signed returns it, or
// says what is wrong. The value may be any text. The signature covers the name and, if MaxAge is above 0, the time
// until which it is valid. MaxAge below 0 deletes the cookie. Attributes are as given, and Secure is added unless
// Options.Cookie.Insecure is set. The error wraps ErrTooLarge, or says what is wrong with the cookie. That includes
// cookies that browsers would drop: a name that begins with __Host- needs the Path "/" and no Domain.
func (m *Manager) SetSigned(w http.ResponseWriter, c *http.Cookie) error {
	if c == nil {
		return errors.New("session: SetSigned: the cookie is nil")
	}
	if m.owns(c.Name) {
		return fmt.Errorf("session: SetSigned: %q is the session's own cookie; choose another name", c.Name)
	}
	set := *c
	set.Secure = set.Secure || !m.opts.Cookie.Insecure
	if set.MaxAge >= 0 {
		set.Value, set.Quoted = m.ring().SignValue(c.Name, c.Value, keys.Until(m.now(), c.MaxAge)), false
	} else {
		set.Value, set.Expires = "", time.Unix(1, 0)
	}
	if err := errors.Join(set.Valid(), wire.CheckPrefix(&set)); err != nil {
		return fmt.Errorf("session: SetSigned: %w", err)
	}
	if len(set.Name)+len(set.Value) > wire.MaxCookieSize {
		return fmt.Errorf("%w: cookie %q", ErrTooLarge, set.Name)
	}
	w.Header().Add("Set-Cookie", set.String())
	return nil
}

// Signed returns the value of a cookie that SetSigned set. The error is ErrNoCookie, ErrMalformed (also if the cookie
// came twice), ErrBadSignature or ErrExpired.
func (m *Manager) Signed(r *http.Request, name string) (string, error) {
	text, n := wire.Find(r.Header["Cookie"], name)
	switch {
	case n == 0:
		return "", ErrNoCookie
	case n > 1:
		return "", ErrMalformed
	}
	return m.ring().CheckValue(name, text, m.now())
}
