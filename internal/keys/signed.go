package keys

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"strings"
	"time"
)

const (
	expirySize    = 8
	signatureSize = expirySize + sha256.Size
)

// SignValue signs a value that holds until then, or for ever when that is zero, for the cookie of that name. The text
// is "<value>.<expiry><mac>", each part in base64. The expiry is in microseconds, 0 for none.
func (ring Ring) SignValue(name, value string, until time.Time) string {
	var expires [expirySize]byte
	if !until.IsZero() {
		binary.BigEndian.PutUint64(expires[:], uint64(until.UnixMicro()))
	}
	mac := ring[0].cookie.sum(name, append(expires[:], value...))
	return strictBase64.EncodeToString([]byte(value)) + "." +
		strictBase64.EncodeToString(append(expires[:], mac[:]...))
}

// Pseudonyms returns a keyed hash of a name for each key, from which the name cannot be told.
func (ring Ring) Pseudonyms(purpose, name string) [][]byte {
	all := make([][]byte, len(ring))
	for i, k := range ring {
		sum := k.names.sum(purpose, []byte(name))
		all[i] = sum[:]
	}
	return all
}

// CheckValue returns the value that SignValue signed for this name. The error is ErrMalformed, ErrBadSignature or
// ErrExpired.
func (ring Ring) CheckValue(name, text string, now time.Time) (string, error) {
	encoded, tail, ok := strings.Cut(text, ".")
	var signature [signatureSize]byte
	if !ok || len(tail) != strictBase64.EncodedLen(len(signature)) || !decodeExactly(signature[:], tail) {
		return "", ErrMalformed
	}
	var room [128]byte // on the stack, which is enough for most
	message := append(room[:0], signature[:expirySize]...)
	message = append(message, make([]byte, strictBase64.DecodedLen(len(encoded)))...)
	if !decodeExactly(message[expirySize:], encoded) {
		return "", ErrMalformed
	}
	if err := ring.checkSignature(name, message, signature[expirySize:], now); err != nil {
		return "", err
	}
	return string(message[expirySize:]), nil
}

// checkSignature checks an expiry and a value after it.
func (ring Ring) checkSignature(name string, message, mac []byte, now time.Time) error {
	for _, k := range ring {
		if want := k.cookie.sum(name, message); hmac.Equal(mac, want[:]) {
			until := int64(binary.BigEndian.Uint64(message))
			if until != 0 && now.UnixMicro() >= until {
				return ErrExpired
			}
			return nil
		}
	}
	return ErrBadSignature
}

// Until is the time at which a signed cookie of that age, in seconds, ends: zero for none.
func Until(now time.Time, maxAge int) time.Time {
	if maxAge <= 0 {
		return time.Time{}
	}
	age := min(int64(maxAge), int64(math.MaxInt64/time.Second)) // more would overflow into the past
	return now.Add(time.Duration(age) * time.Second)
}
