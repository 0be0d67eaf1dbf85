package cookiestore_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
)

const cookieName = "__Host-Http-session"

// opens reports whether a value gives a session with data.
func (r *rig) opens(value string) bool {
	s := r.sees(cookieName + "=" + value)
	return len(s.All()) > 0 || s.User() != "" || !s.IsNew()
}

// No changed bit, no cut and no added byte opens: of the sealed bytes and of the text.
func TestEveryFlippedBitAndEveryTruncationFails(t *testing.T) {
	r := newRig(t, cookiestore.Options{})
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
	text := v.cookies()[cookieName]
	prefix, raw := text[:3], must(base64.RawURLEncoding.DecodeString(text[3:]))
	if !r.opens(text) {
		t.Fatal("the cookie does not open")
	}
	for i := range raw {
		for bit := range 8 {
			raw[i] ^= 1 << bit
			if r.opens(prefix + base64.RawURLEncoding.EncodeToString(raw)) {
				t.Errorf("byte %d, bit %d", i, bit)
			}
			raw[i] ^= 1 << bit
		}
		if r.opens(prefix + base64.RawURLEncoding.EncodeToString(raw[:i])) {
			t.Errorf("cut at %d", i)
		}
	}
	for i := range text {
		if r.opens(text[:i]) || r.opens(text[:i]+"_"+text[i:]) || text[i] != '_' && r.opens(text[:i]+"_"+text[i+1:]) {
			t.Errorf("changed at character %d", i)
		}
	}
	for _, spelling := range []string{text + "=", text + "A", " " + text, `"` + text + `"`,
		strings.ReplaceAll(text, "-", "+") + "+", prefix + text, text + "." + text} {
		if r.opens(spelling) {
			t.Errorf("another spelling opens: %q…", spelling[:8])
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A cookie of another name, transport, secret or purpose does not open.
func TestACookieOpensUnderItsOwnNameOnly(t *testing.T) {
	r := newRig(t, cookiestore.Options{})
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	value := v.cookies()[cookieName]
	for name, change := range map[string]func(*session.Options){
		"name":      func(o *session.Options) { o.Cookie.Name = "__Host-other" },
		"transport": func(o *session.Options) { o.Transport = session.Header("X-Session") },
		"secret":    func(o *session.Options) { o.Secrets = []session.Secret{session.NewSecret()} },
	} {
		m := newRig(t, cookiestore.Options{}, change)
		if s := must(m.Open(t.Context(), value)); s.User() != "" || m.count(session.EventRejected) != 1 {
			t.Errorf("%s: user %q, events %v", name, s.User(), m.events)
		}
	}
}

// There is no form that is not sealed, and nothing falls back to one.
func TestNothingPlainIsRead(t *testing.T) {
	r := newRig(t, cookiestore.Options{})
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("x", "canary-value") })
	value := v.cookies()[cookieName]
	if raw := must(base64.RawURLEncoding.DecodeString(value[3:])); strings.Contains(string(raw), "canary") ||
		strings.Contains(value, "canary") {
		t.Error("the value can be read")
	}
	plain := base64.RawURLEncoding.EncodeToString(
		[]byte(`{"user":"admin","x":1,"padding":"0123456789012345678901234567890123456789"}`))
	for _, forged := range []string{plain, "e1." + plain, "e0." + value[3:], "v1." + value[3:], "e2." + value[3:],
		value[3:], "{}", "e1.", ""} {
		if r.opens(forged) {
			t.Errorf("%.10q opens", forged)
		}
	}
}

// Two cookies of the name open nothing, whichever comes first.
func TestTwoCookiesOfTheNameOpenNothing(t *testing.T) {
	r := newRig(t, cookiestore.Options{})
	v := r.visitor()
	v.with(set("x", 1))
	good := cookieName + "=" + v.cookies()[cookieName]
	for _, line := range []string{good + "; " + good, good + "; " + cookieName + "=x", cookieName + "=x; " + good} {
		if r.sees(line).Has("x") {
			t.Errorf("one of two cookies is chosen")
		}
	}
	if r.count(session.EventRejected) != 3 {
		t.Errorf("events %v", r.events)
	}
}

// Neither events nor errors show the cookie.
func TestEventsShowNoCookie(t *testing.T) {
	r := newRig(t, cookiestore.Options{})
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("x", "canary-value") })
	value := v.cookies()[cookieName]
	r.opens(value[:len(value)-1])
	for _, e := range r.events {
		if e.Err != nil && (strings.Contains(e.Err.Error(), value[3:20]) || strings.Contains(e.Err.Error(), "canary")) {
			t.Errorf("event %v", e)
		}
	}
	if r.count(session.EventRejected) != 1 {
		t.Errorf("events %v", r.events)
	}
}

// No cache keeps a response that sets or deletes the session, in one cookie or several, whatever the handler says.
func TestNoCacheKeepsASession(t *testing.T) {
	r := newRig(t, cookiestore.Options{MaxChunks: 3})
	v := r.visitor()
	for name, change := range map[string]func(*session.Session){
		"small": set("x", 1), "large": set("x", noise(8000)), "login": func(s *session.Session) { s.Login("ada") },
		"logout": (*session.Session).Logout,
	} {
		v.with(set("y", 1))
		resp := v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
			w.Header().Set("Cache-Control", "public, max-age=60")
			w.Header().Set("CDN-Cache-Control", "max-age=60")
			change(s)
		})
		if h := resp.Header; h.Get("Cache-Control") != "no-store" || h.Get("CDN-Cache-Control") != "" ||
			h.Get("Vary") != "Cookie" || len(resp.Cookies()) == 0 {
			t.Errorf("%s: headers %v", name, []string{h.Get("Cache-Control"), h.Get("CDN-Cache-Control"),
				h.Get("Vary")})
		}
	}
}
