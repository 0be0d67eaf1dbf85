package session

import (
	"crypto/hmac"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/coatcheck/session/internal/wire"
)

// SetSigned sets a cookie of the application whose value anybody can read, and nobody can change: Signed returns it, or
// says what is wrong. Any text is a value. The signature covers the name and, when MaxAge is above 0, the time until
// which it holds. MaxAge below 0 deletes the cookie. Attributes are as given, and Secure is added unless
// Options.Cookie.Insecure is set. The error wraps ErrTooLarge, or says what is wrong with the cookie.
func (m *Manager) SetSigned(w http.ResponseWriter, c *http.Cookie) error {
	if c == nil {
		return errors.New("session: SetSigned: the cookie is nil")
	}
	if m.owns(c.Name) {
		return fmt.Errorf("session: SetSigned: %q is the session's own cookie", c.Name)
	}
	set := *c
	set.Secure = set.Secure || !m.opts.Cookie.Insecure
	if set.MaxAge >= 0 {
		set.Value, set.Quoted = m.signValue(c), false
	} else {
		set.Value, set.Expires = "", time.Unix(1, 0)
	}
	if err := set.Valid(); err != nil {
		return fmt.Errorf("session: SetSigned: %w", err)
	}
	if len(set.Name)+len(set.Value) > wire.MaxCookieSize {
		return fmt.Errorf("%w: cookie %q", ErrTooLarge, set.Name)
	}
	w.Header().Add("Set-Cookie", set.String())
	return nil
}

// signValue returns "<value>.<expiry><mac>", each part in base64. The expiry is in seconds, 0 for none.
func (m *Manager) signValue(c *http.Cookie) string {
	var expires [8]byte
	if c.MaxAge > 0 {
		age := min(int64(c.MaxAge), int64(math.MaxInt64/time.Second)) // more would overflow into the past
		until := m.now().Add(time.Duration(age) * time.Second)
		binary.BigEndian.PutUint64(expires[:], uint64(until.UnixMicro()))
	}
	mac := m.ring()[0].cookie.sum(c.Name, append(expires[:], c.Value...))
	return strictBase64.EncodeToString([]byte(c.Value)) + "." + strictBase64.EncodeToString(append(expires[:], mac[:]...))
}

// Signed returns the value of a cookie that SetSigned set. The error is ErrNoCookie, ErrMalformed (also when the cookie came
// twice), ErrBadSignature or ErrExpired.
func (m *Manager) Signed(r *http.Request, name string) (string, error) {
	text, n := wire.Find(r.Header["Cookie"], name)
	switch {
	case n == 0:
		return "", ErrNoCookie
	case n > 1:
		return "", ErrMalformed
	}
	encoded, tail, ok := strings.Cut(text, ".")
	var signature [8 + 32]byte
	if !ok || len(tail) != strictBase64.EncodedLen(len(signature)) || !decodeExactly(signature[:], tail) {
		return "", ErrMalformed
	}
	value := make([]byte, strictBase64.DecodedLen(len(encoded)))
	if !decodeExactly(value, encoded) {
		return "", ErrMalformed
	}
	if err := m.checkSignature(name, value, signature); err != nil {
		return "", err
	}
	return string(value), nil
}

func (m *Manager) checkSignature(name string, value []byte, signature [40]byte) error {
	expires := signature[:8:8]
	message := append(expires, value...)
	for _, k := range m.ring() {
		if want := k.cookie.sum(name, message); hmac.Equal(signature[8:], want[:]) {
			until := int64(binary.BigEndian.Uint64(expires))
			if until != 0 && m.now().UnixMicro() >= until {
				return ErrExpired
			}
			return nil
		}
	}
	return ErrBadSignature
}
