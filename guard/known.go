package guard

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coatcheck/session"
)

// What a device keeps of the accounts that were signed in on it.
const (
	deviceIDSize = 16
	markSize     = 16
	maxMarks     = 10 // accounts of a device; the one that was signed in longest ago is forgotten
)

// Whom a device can have a mark for: an account, as the function of SignIn names it, or a user who has signed in
// without naming one. They are kept apart, for a user may be called as somebody else's account is.
const (
	ofAccount = "guard device "
	ofUser    = "guard device of user "
)

// device is what the cookie of a device says: a random id, and a mark for each account, the newest first. A mark is a
// keyed hash, so it names no account, and nobody but this site can make one.
type device struct {
	id    [deviceIDSize]byte
	marks [][]byte
}

// deviceOf returns the device of a request: a new one, unless it brings a cookie that this site made.
func (g *Guard) deviceOf(r *http.Request) device {
	if d, ok := g.cameFrom(r); ok {
		return d
	}
	var d device
	_, _ = rand.Read(d.id[:]) // never fails: crypto/rand ends the program first
	return d
}

func (g *Guard) cameFrom(r *http.Request) (device, bool) {
	text, err := g.m.Signed(r, g.deviceCookie.Name)
	if err != nil {
		return device{}, false
	}
	return parseDevice(text)
}

// sent is where the cookie of the device is among those of a response, -1 for nowhere, and what it says. Another site
// of this host may have put it there, with other secrets.
func (g *Guard) sent(h http.Header) (at int, d device, ours bool) {
	cookies := h["Set-Cookie"]
	at = slices.IndexFunc(cookies, func(line string) bool { return strings.HasPrefix(line, g.deviceCookie.Name+"=") })
	if at < 0 {
		return at, device{}, false
	}
	pair, _, _ := strings.Cut(cookies[at], ";")
	d, ours = g.cameFrom(&http.Request{Header: http.Header{"Cookie": {pair}}})
	return at, d, ours
}

// takeSent takes the cookie of the device out of a response, if one is in it already, and returns what it says.
func (g *Guard) takeSent(h http.Header) (device, bool) {
	at, d, ours := g.sent(h)
	if at >= 0 {
		h["Set-Cookie"] = slices.Concat(h["Set-Cookie"][:at], h["Set-Cookie"][at+1:])
	}
	return d, ours
}

// newDeviceCookie is the cookie without what differs. It comes to the pages of other sites if the session does. It is
// never Strict: the browser would leave it out when people follow a link in a mail, and KnowDevice take them for new.
func (g *Guard) newDeviceCookie() http.Cookie {
	age := int(min(int64(g.opts.SignIn.KnownFor/time.Second), math.MaxInt)) // which is 68 years on some machines
	c := http.Cookie{Name: g.forms.prefix + "device", Path: "/", MaxAge: age, HttpOnly: true,
		SameSite: http.SameSiteLaxMode}
	if !g.passes("cookie-samesite") {
		c.SameSite, c.Partitioned = http.SameSiteNoneMode, g.passes("cookie-partitioned")
	}
	return c
}

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

// marks are those that the device has for an account or a user, by each secret. The first is written. They are those of
// one manager, for another one with the same secrets may have other people behind the same names.
func (g *Guard) marks(d device, of, name string) [][]byte {
	all := g.m.Pseudonyms(of+g.m.Transport().Name(), string(d.id[:])+name)
	for i, mark := range all {
		all[i] = mark[:markSize]
	}
	return all
}

// knows reports whether the device has been signed in to the account, or by the user.
func (g *Guard) knows(d device, of, name string) bool {
	for _, mark := range g.marks(d, of, name) {
		if slices.ContainsFunc(d.marks, func(m []byte) bool { return bytes.Equal(m, mark) }) {
			return true
		}
	}
	return false
}

// know makes the device know the account or the user, and sends it so.
func (g *Guard) know(h http.Header, d device, of, name string) error {
	if sent, ok := g.takeSent(h); ok {
		d = sent
	}
	all := g.marks(d, of, name)
	d.marks = slices.DeleteFunc(slices.Clone(d.marks), func(m []byte) bool {
		return slices.ContainsFunc(all, func(mark []byte) bool { return bytes.Equal(m, mark) })
	})
	d.marks = slices.Insert(d.marks, 0, all[0])
	d.marks = d.marks[:min(len(d.marks), maxMarks)]
	c := g.deviceCookie
	c.Value = d.text()
	return g.m.SetSigned(headers(h), &c)
}

// KnowDevice makes the device of a request a known device of the account, as SignIn does after a sign-in. Call it
// before the first byte of the response, where people prove in some other way than by the form that an account is
// theirs, such as with the link for a forgotten password: they can then sign in even while strangers keep the account
// busy. The name of the account is as the function of SignIn returns it, and must not be empty. Call it for each name
// that people can sign in with. If the request signs them in by itself, call it before the Login: a device that knows
// none of the names is then reported, once.
func (g *Guard) KnowDevice(w http.ResponseWriter, r *http.Request, account string) error {
	if account == "" {
		return errors.New("guard: KnowDevice: name the account, as the function of SignIn does")
	}
	d := g.deviceOf(r)
	s, err := g.m.Load(r.Context())
	_, _, known := g.sent(w.Header())
	switch _, inside := r.Context().Value(attemptKey{}).(*attempt); {
	case err != nil: // nobody can sign in here
		return g.know(w.Header(), d, ofAccount, account)
	case g.knows(d, ofAccount, account):
		s.ReportProof("") // the device is theirs, whichever of their other names it does not know
		return g.know(w.Header(), d, ofAccount, account)
	case !inside && !known: // SignIn reports by itself; and a name that is known has sent the cookie
		s.ReportProof(session.EventNewDevice)
	}
	s.OnAnswer(func(h http.Header, _ bool) { _ = g.know(h, d, ofAccount, account) }) // new, unless all is stored
	return nil
}
