package session_test

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// signed sets a cookie and returns it as the browser gets it.
func signed(t *testing.T, m *session.Manager, c *http.Cookie) *http.Cookie {
	t.Helper()
	w := httptest.NewRecorder()
	if err := m.SetSigned(w, c); err != nil {
		t.Fatalf("SetSigned(%q) = %v", c.Name, err)
	}
	got := w.Result().Cookies()
	if len(got) != 1 {
		t.Fatalf("%d cookies, want 1", len(got))
	}
	return got[0]
}

// sending is a request with these cookies.
func sending(cookies ...*http.Cookie) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	for _, c := range cookies {
		r.Header.Add("Cookie", c.Name+"="+c.Value)
	}
	return r
}

// Any text is a value, and comes back as it was; anybody can read it.
func TestASignedCookieComesBack(t *testing.T) {
	r := newRig(t)
	for _, value := range []string{"", "plain", "1", "a;b,c=d \"e\"", "ü\u2028", "\x00\xff\r\n",
		strings.Repeat("x", 2000), "v1.a.b"} {
		c := signed(t, r.Manager, &http.Cookie{Name: "theme", Value: value})
		got, err := r.Signed(sending(c), "theme")
		if err != nil || got != value {
			t.Errorf("Signed = %q, %v, want %q", got, err, value)
		}
		if got, err := r.node().Signed(sending(c), "theme"); err != nil || got != value {
			t.Errorf("at another node: %q, %v", got, err)
		}
	}
}

// Each thing that is wrong has an error of its own.
func TestSignedSaysWhatIsWrong(t *testing.T) {
	r := newRig(t)
	c := signed(t, r.Manager, &http.Cookie{Name: "theme", Value: "dark"})
	other := signed(t, r.Manager, &http.Cookie{Name: "lang", Value: "dark"})
	foreign := signed(t, newRig(t, func(o *session.Options) {
		o.Secrets = []session.Secret{session.NewSecret()}
	}).Manager, &http.Cookie{Name: "theme", Value: "dark"})
	value, signature, _ := strings.Cut(c.Value, ".")
	named := func(v string) *http.Cookie { return &http.Cookie{Name: "theme", Value: v} }
	v := r.visitor()
	v.with(put("x", 1))
	for name, c := range map[string]struct {
		cookies []*http.Cookie
		want    error
	}{
		"none":                {nil, session.ErrNoCookie},
		"another name":        {[]*http.Cookie{other}, session.ErrNoCookie},
		"another case":        {[]*http.Cookie{{Name: "Theme", Value: c.Value}}, session.ErrNoCookie},
		"twice":               {[]*http.Cookie{c, c}, session.ErrMalformed},
		"twice, other value":  {[]*http.Cookie{named("x"), c}, session.ErrMalformed},
		"empty":               {[]*http.Cookie{named("")}, session.ErrMalformed},
		"plain text":          {[]*http.Cookie{named("dark")}, session.ErrMalformed},
		"no signature":        {[]*http.Cookie{named(value + ".")}, session.ErrMalformed},
		"torn":                {[]*http.Cookie{named(c.Value[:len(c.Value)-4])}, session.ErrMalformed},
		"longer":              {[]*http.Cookie{named(c.Value + "AAAA")}, session.ErrMalformed},
		"quoted":              {[]*http.Cookie{named(`"` + c.Value + `"`)}, session.ErrMalformed},
		"not base64":          {[]*http.Cookie{named("§." + signature)}, session.ErrMalformed},
		"another value":       {[]*http.Cookie{named("bGlnaHQ." + signature)}, session.ErrBadSignature},
		"of another cookie":   {[]*http.Cookie{named(other.Value)}, session.ErrBadSignature},
		"of another secret":   {[]*http.Cookie{foreign}, session.ErrBadSignature},
		"the session's value": {[]*http.Cookie{named(v.ticket())}, session.ErrMalformed},
	} {
		got, err := r.Signed(sending(c.cookies...), "theme")
		if !errors.Is(err, c.want) || got != "" {
			t.Errorf("%s: Signed = %q, %v, want %v", name, got, err, c.want)
		}
	}
}

func TestThereIsNoSignedCookieWithoutAName(t *testing.T) {
	r := newRig(t)
	got, err := r.Signed(sending(&http.Cookie{Name: "theme", Value: "x"}), "")
	if !errors.Is(err, session.ErrNoCookie) {
		t.Errorf("Signed = %q, %v, want ErrNoCookie", got, err)
	}
}

// No changed byte of a signed cookie is accepted.
func TestNoMutationOfASignedCookieIsAccepted(t *testing.T) {
	r := newRig(t)
	c := signed(t, r.Manager, &http.Cookie{Name: "theme", Value: "dark", MaxAge: 60})
	for i := range c.Value {
		for _, b := range []byte("A-_.09z ") {
			changed := []byte(c.Value)
			if changed[i] == b {
				continue
			}
			changed[i] = b
			if got, err := r.Signed(sending(&http.Cookie{Name: "theme", Value: string(changed)}), "theme"); err == nil {
				t.Errorf("byte %d as %q: accepted as %q", i, b, got)
			}
		}
	}
}

// MaxAge is enforced inside, whatever the browser does; without it the cookie holds for ever.
func TestMaxAgeIsEnforcedInside(t *testing.T) {
	r := newRig(t)
	short := signed(t, r.Manager, &http.Cookie{Name: "theme", Value: "dark", MaxAge: 60})
	long := signed(t, r.Manager, &http.Cookie{Name: "theme", Value: "dark"})
	huge := signed(t, r.Manager, &http.Cookie{Name: "theme", Value: "dark", MaxAge: math.MaxInt})
	if short.MaxAge != 60 || long.MaxAge != 0 {
		t.Errorf("max-age %d and %d", short.MaxAge, long.MaxAge)
	}
	r.clock.advance(time.Minute - time.Microsecond)
	if _, err := r.Signed(sending(short), "theme"); err != nil {
		t.Errorf("a microsecond early: %v", err)
	}
	r.clock.advance(time.Microsecond)
	if got, err := r.Signed(sending(short), "theme"); !errors.Is(err, session.ErrExpired) || got != "" {
		t.Errorf("Signed = %q, %v, want ErrExpired", got, err)
	}
	r.clock.advance(60 * 365 * 24 * time.Hour) // an int has room for 68 years on some machines
	for _, c := range []*http.Cookie{long, huge} {
		if _, err := r.Signed(sending(c), "theme"); err != nil {
			t.Errorf("max-age %d: %v", c.MaxAge, err)
		}
	}
}

func TestANegativeMaxAgeDeletes(t *testing.T) {
	r := newRig(t)
	c := signed(t, r.Manager, &http.Cookie{Name: "theme", Value: "dark", MaxAge: -1, Path: "/x", Domain: "example.com"})
	if c.Value != "" || c.MaxAge >= 0 || c.Path != "/x" || c.Domain != "example.com" {
		t.Errorf("cookie = %v", c)
	}
}

// Attributes are as given; Secure is added unless the manager's own cookie is Insecure. The argument is left alone.
func TestSignedCookiesHaveTheAttributesGiven(t *testing.T) {
	given := &http.Cookie{Name: "theme", Value: "dark", Path: "/x", Domain: "example.com", HttpOnly: true,
		SameSite: http.SameSiteStrictMode, Expires: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	before := *given
	got := signed(t, newRig(t).Manager, given)
	if got.Path != "/x" || got.Domain != "example.com" || !got.HttpOnly || got.SameSite != http.SameSiteStrictMode ||
		!got.Secure || !got.Expires.Equal(given.Expires) {
		t.Errorf("cookie = %v", got)
	}
	if given.Value != before.Value || given.Secure != before.Secure {
		t.Error("SetSigned changed its argument")
	}
	bare := signed(t, newRig(t).Manager, &http.Cookie{Name: "theme", Value: "dark"})
	if bare.Path != "" || bare.HttpOnly || bare.SameSite != 0 || !bare.Secure {
		t.Errorf("cookie = %v", bare)
	}
	insecure := newRig(t, func(o *session.Options) { o.Cookie.Insecure = true })
	if signed(t, insecure.Manager, &http.Cookie{Name: "theme"}).Secure ||
		!signed(t, insecure.Manager, &http.Cookie{Name: "theme", Secure: true}).Secure {
		t.Error("Secure is not as given when the manager's cookie is Insecure")
	}
}

// SetSigned refuses what cannot work, and sets nothing then.
func TestSetSignedRefusesWhatCannotWork(t *testing.T) {
	r := newRig(t)
	fits := strings.Repeat("x", 2990)
	for name, c := range map[string]struct {
		cookie *http.Cookie
		want   error // nil: any
	}{
		"nil":            {nil, nil},
		"own name":       {&http.Cookie{Name: "__Host-Http-session", Value: "x"}, nil},
		"own, deleted":   {&http.Cookie{Name: "__Host-Http-session", MaxAge: -1}, nil},
		"too large":      {&http.Cookie{Name: "theme", Value: strings.Repeat("x", 4000)}, session.ErrTooLarge},
		"just too large": {&http.Cookie{Name: strings.Repeat("n", 60), Value: fits}, session.ErrTooLarge},
		"no name":        {&http.Cookie{Value: "x"}, nil},
		"bad name":       {&http.Cookie{Name: "a b", Value: "x"}, nil},
		"bad path":       {&http.Cookie{Name: "a", Path: "/;Domain=evil.example"}, nil},
		"bad domain":     {&http.Cookie{Name: "a", Domain: "evil example"}, nil},
	} {
		w := httptest.NewRecorder()
		err := r.SetSigned(w, c.cookie)
		if err == nil || c.want != nil && !errors.Is(err, c.want) || strings.Contains(fmt.Sprint(err), "xxxx") {
			t.Errorf("%s: SetSigned = %v, want %v", name, err, c.want)
		}
		if w.Header()["Set-Cookie"] != nil {
			t.Errorf("%s: the cookie is set", name)
		}
	}
	c := signed(t, r.Manager, &http.Cookie{Name: "theme", Value: fits})
	if len(c.Name)+len(c.Value) > 4096 {
		t.Errorf("name and value have %d bytes", len(c.Name)+len(c.Value))
	}
	w := httptest.NewRecorder()
	w.Header().Add("Set-Cookie", "own=1")
	for _, name := range []string{"a", "b"} {
		if err := r.SetSigned(w, &http.Cookie{Name: name, Value: "1"}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(w.Result().Cookies()); n != 3 {
		t.Errorf("%d cookies, want all three", n)
	}
}

// Browsers drop a cookie whose name has a prefix and that lacks what the prefix asks for, without a word.
func TestSetSignedRefusesWhatBrowsersDrop(t *testing.T) {
	for name, change := range map[string]func(*http.Cookie){
		"__Host-x": func(c *http.Cookie) { c.Path = "" }, "__HOST-x": func(c *http.Cookie) { c.Path = "/x" },
		"__Host-Http-x": func(c *http.Cookie) { c.HttpOnly = false },
		"__Http-x":      func(c *http.Cookie) { c.HttpOnly = false },
		"__Host-y":      func(c *http.Cookie) { c.Domain = "example.com" },
		"__Secure-x":    nil,
	} {
		good := http.Cookie{Name: name, Value: "canary", Path: "/", HttpOnly: true}
		r, bad := newRig(t), good
		if change == nil {
			r = newRig(t, func(o *session.Options) { o.Cookie.Insecure = true })
			good.Secure = true
		} else {
			change(&bad)
		}
		for _, age := range []int{0, 60, -1} {
			bad.MaxAge, good.MaxAge = age, age
			w := httptest.NewRecorder()
			if err := r.SetSigned(w, &bad); err == nil || w.Header()["Set-Cookie"] != nil {
				t.Errorf("%s with %v: SetSigned = %v", name, bad.MaxAge, err)
			} else {
				wantText(t, err, "browsers refuse a cookie \""+name+"\" with")
			}
			signed(t, r.Manager, &good)
		}
	}
}

// A cookie that an older secret signed is accepted, one of a removed secret is not.
func TestSignedCookiesRotateWithTheSecrets(t *testing.T) {
	older, newer := session.NewSecret(), session.NewSecret()
	with := func(list ...session.Secret) *session.Manager {
		return newRig(t, func(o *session.Options) { o.Secrets = list }).Manager
	}
	c := signed(t, with(older), &http.Cookie{Name: "theme", Value: "dark"})
	if got, err := with(newer, older).Signed(sending(c), "theme"); got != "dark" || err != nil {
		t.Errorf("older secret: %q, %v", got, err)
	}
	if _, err := with(newer).Signed(sending(c), "theme"); !errors.Is(err, session.ErrBadSignature) {
		t.Errorf("removed secret: %v", err)
	}
}

// What is made for one purpose passes for no other, although there is one secret.
func TestASignedCookieIsNoTicket(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	c := signed(t, r.Manager, &http.Cookie{Name: "theme", Value: strings.Repeat("x", 32)})
	if r.opens(c.Value) || r.opens("v1."+c.Value) {
		t.Error("a signed cookie opens a session")
	}
	if _, err := r.Signed(sending(&http.Cookie{Name: "__Host-Http-session", Value: v.ticket()}),
		"__Host-Http-session"); err == nil {
		t.Error("a ticket is a signed cookie")
	}
}
