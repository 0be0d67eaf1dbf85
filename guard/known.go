package guard

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"slices"
	"time"
)

// What a device keeps of the accounts that were signed in on it.
const (
	deviceIDSize = 16
	markSize     = 16
	maxMarks     = 10 // accounts of a device; the one that was signed in longest ago is forgotten
)

// device is what the cookie of a device says: a random id, and a mark for each account, the newest first. A mark is a
// keyed hash, so it names no account, and nobody but this site can make one.
type device struct {
	id    [deviceIDSize]byte
	marks [][]byte
}

// deviceOf returns the device of a request: a new one, unless it brings a cookie that this site made.
func (g *Guard) deviceOf(r *http.Request) device {
	if text, err := g.m.Signed(r, g.deviceCookie()); err == nil {
		if d, ok := parseDevice(text); ok {
			return d
		}
	}
	var d device
	_, _ = rand.Read(d.id[:]) // never fails: crypto/rand ends the program first
	return d
}

func (g *Guard) deviceCookie() string { return g.forms.prefix + "device" }

// parseDevice reads what text wrote.
func parseDevice(text string) (d device, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	n := len(raw) - deviceIDSize
	if err != nil || n < 0 || n%markSize != 0 || n/markSize > maxMarks || d.textSize(n) != len(text) {
		return device{}, false
	}
	copy(d.id[:], raw)
	d.marks = slices.Collect(slices.Chunk(raw[deviceIDSize:], markSize))
	return d, true
}

// textSize is the length of the text of so many bytes of marks. A longer one has line breaks.
func (device) textSize(marks int) int { return base64.RawURLEncoding.EncodedLen(deviceIDSize + marks) }

func (d device) text() string {
	return base64.RawURLEncoding.EncodeToString(append(d.id[:], bytes.Join(d.marks, nil)...))
}

// marks are those that the device has for an account, by each secret. The first is written.
func (g *Guard) marks(d device, account string) [][]byte {
	all := g.m.Pseudonyms("guard device", string(d.id[:])+account)
	for i, mark := range all {
		all[i] = mark[:markSize]
	}
	return all
}

// knows reports whether the device has been signed in to the account.
func (g *Guard) knows(d device, account string) bool {
	for _, mark := range g.marks(d, account) {
		if slices.ContainsFunc(d.marks, func(m []byte) bool { return bytes.Equal(m, mark) }) {
			return true
		}
	}
	return false
}

// know makes the device know the account, and sends it so.
func (g *Guard) know(h http.Header, d device, account string) error {
	all := g.marks(d, account)
	d.marks = slices.DeleteFunc(slices.Clone(d.marks), func(m []byte) bool {
		return slices.ContainsFunc(all, func(mark []byte) bool { return bytes.Equal(m, mark) })
	})
	d.marks = slices.Insert(d.marks, 0, all[0])
	d.marks = d.marks[:min(len(d.marks), maxMarks)]
	return g.m.SetSigned(headers(h), &http.Cookie{
		Name: g.deviceCookie(), Value: d.text(), Path: "/", MaxAge: int(g.opts.SignIn.KnownFor / time.Second),
		HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// KnowDevice makes the device of a request one that has been signed in to the account, as SignIn does after a sign-in.
// Call it before the first byte of the response, where people prove by other means than the form that an account is
// theirs, such as by the link for a forgotten password: they can sign in then, even while strangers keep the account
// busy. The name of the account is as the function of SignIn returns it.
func (g *Guard) KnowDevice(w http.ResponseWriter, r *http.Request, account string) error {
	return g.know(w.Header(), g.deviceOf(r), account)
}
