package guard_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

const deviceCookie = "__Host-device"

// knows reports whether a visitor has the limit of a device that is known: strangers have used up theirs.
func (d *door) knows(v at, user string) bool {
	d.t.Helper()
	d.wrong(user, 10_000, 50)
	return v.try(d, user, right).Code == http.StatusOK
}

func TestTheCookieOfADeviceIsTheSafeOneAndNamesNobody(t *testing.T) {
	d := newDoor(t, guard.Options{})
	var sent *http.Cookie
	for _, c := range d.from(1).try(d, "ann", right).Result().Cookies() {
		if c.Name == deviceCookie {
			sent = c
		}
	}
	if sent == nil || !sent.Secure || !sent.HttpOnly || sent.Path != "/" || sent.Domain != "" ||
		sent.SameSite != http.SameSiteLaxMode || sent.MaxAge != 365*24*60*60 {
		t.Fatalf("the cookie is %v", sent)
	}
	value, _, _ := strings.Cut(sent.Value, ".")
	text, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil || strings.Contains(string(text), "ann") || len(text) > 60 {
		t.Errorf("the cookie says %q, %v", text, err)
	}
	for _, c := range d.from(2).try(d, "ann", "wrong").Result().Cookies() {
		t.Errorf("a failure sends the cookie %v", c)
	}
}

// An int has room for 68 years of seconds on some machines, and for all durations on others.
func TestADeviceCanBeKnownForEver(t *testing.T) {
	d := newDoor(t, guard.Options{SignIn: guard.SignInLimits{KnownFor: math.MaxInt64}})
	v := d.from(1)
	for _, c := range v.try(d, "ann", right).Result().Cookies() {
		if c.Name == deviceCookie && c.MaxAge < math.MaxInt32 {
			t.Errorf("Max-Age %d, want at least %d", c.MaxAge, math.MaxInt32)
		}
	}
	d.clock.advance(60 * 365 * 24 * time.Hour)
	if !d.knows(v, "ann") {
		t.Error("the device is a stranger")
	}
}

func TestADeviceKnowsTheAccountsThatWereSignedInOnIt(t *testing.T) {
	d := newDoor(t, guard.Options{})
	v := d.from(1)
	v.try(d, "bob", right)
	if d.knows(v, "ann") {
		t.Error("a sign-in as bob opens the limit of ann")
	}
	d.clock.advance(time.Hour)
	v.try(d, "ann", right)
	if !d.knows(v, "ann") || !d.knows(v, "bob") {
		t.Error("the device has forgotten one of two accounts")
	}
}

func TestADeviceKnowsTenAccounts(t *testing.T) {
	d := newDoor(t, guard.Options{SignIn: guard.SignInLimits{AddressAttempts: 1e6}})
	v := d.from(1)
	for i := range 11 {
		user := fmt.Sprint("user", i)
		accounts[user] = true
		defer delete(accounts, user)
		if w := v.try(d, user, right); w.Code != 200 {
			t.Fatalf("status %d", w.Code)
		}
		if n := len(v.cookies[deviceCookie]); n > 400 {
			t.Fatalf("the cookie has %d bytes", n)
		}
	}
	if d.knows(v, "user0") || !d.knows(v, "user1") || !d.knows(v, "user10") {
		t.Error("want that the eldest of eleven accounts is forgotten")
	}
}

func TestACookieThatWasNotMadeHereKnowsNothing(t *testing.T) {
	d := newDoor(t, guard.Options{})
	owner := d.from(1)
	owner.try(d, "ann", right)
	good := owner.cookies[deviceCookie]
	other := newDoor(t, guard.Options{}, func(o *session.Options) { o.Secrets = []session.Secret{session.NewSecret()} })
	foreign := other.from(1)
	foreign.try(other, "ann", right)
	value, signature, _ := strings.Cut(good, ".")
	for name, cookie := range map[string]string{
		"another site's": foreign.cookies[deviceCookie], "unsigned": value,
		"changed": "A" + value[1:] + "." + signature, "empty": "", "cut": good[:len(good)-1],
	} {
		thief := d.from(500)
		thief.cookies[deviceCookie] = cookie
		if d.knows(thief, "ann") {
			t.Errorf("a cookie that is %s is believed", name)
		}
	}
	thief := d.from(501) // under the name of the cookie for forms
	d.visitor().get(d.CSRF(formPage), "/form")
	thief.cookies["__Host-csrf"] = good
	if d.knows(thief, "ann") || !d.knows(owner, "ann") {
		t.Error("the cookie counts under another name, or not under its own")
	}
}

func TestADeviceIsForgottenWithItsSecretAndInAYear(t *testing.T) {
	before, after := session.NewSecret(), session.NewSecret()
	d := newDoor(t, guard.Options{}, func(o *session.Options) { o.Secrets = []session.Secret{before} })
	owner := d.from(1)
	owner.try(d, "ann", right)
	first := owner.cookies[deviceCookie]
	setSecrets(t, d.m, after, before)
	if !d.knows(owner, "ann") {
		t.Error("a new secret in front makes the device unknown")
	}
	setSecrets(t, d.m, after)
	replay := d.from(2)
	replay.cookies[deviceCookie] = first
	if d.knows(replay, "ann") {
		t.Error("the cookie of a secret that is gone is believed")
	}
	if !d.knows(owner, "ann") {
		t.Error("a sign-in under the new secret did not make the device known by it")
	}
	d.clock.advance(365 * 24 * time.Hour)
	if d.knows(owner, "ann") {
		t.Error("the device is known after a year without a sign-in")
	}
}

func setSecrets(t *testing.T, m *session.Manager, secrets ...session.Secret) {
	t.Helper()
	if err := m.SetSecrets(secrets); err != nil {
		t.Fatal(err)
	}
}

// A mark that was made with a secret is worth nothing without it, even in a cookie that was signed since.
func TestAnAccountIsForgottenWithTheSecretOfItsSignIn(t *testing.T) {
	before, after := session.NewSecret(), session.NewSecret()
	d := newDoor(t, guard.Options{}, func(o *session.Options) { o.Secrets = []session.Secret{before} })
	v := d.from(1)
	v.try(d, "ann", right)
	setSecrets(t, d.m, after, before)
	v.try(d, "bob", right)
	setSecrets(t, d.m, after)
	if d.knows(v, "ann") || !d.knows(v, "bob") {
		t.Error("want ann forgotten and bob known")
	}
}

func TestANewDeviceIsReportedOnce(t *testing.T) {
	var events []session.Event
	d := newDoor(t, guard.Options{}, func(o *session.Options) {
		o.OnEvent = func(_ context.Context, e session.Event) {
			if e.Kind == session.EventNewDevice || e.Kind == session.EventRefused {
				events = append(events, e)
			}
		}
	})
	v := d.from(1)
	v.try(d, "ann", "wrong")
	for range 3 {
		v.try(d, "ann", right)
		d.clock.advance(time.Second)
	}
	if len(events) != 1 || events[0].User != "ann" || events[0].Kind != session.EventNewDevice || events[0].ID == "" {
		t.Errorf("events %+v, want one new device of ann", events)
	}
	v.try(d, "bob", right)
	d.from(2).try(d, "ann", right)
	if len(events) != 3 || events[1].User != "bob" || events[2].User != "ann" {
		t.Errorf("events %+v, want a new device for each account and each device", events)
	}
	d.wrong("ann", 100, 10) // the tenth failure was the first of all
	last := events[len(events)-1]
	if len(events) != 4 || last.Kind != session.EventRefused || last.User != "" || last.Err == nil ||
		strings.Contains(last.Err.Error(), "ann") {
		t.Errorf("events %+v, want one more, of a refusal, that repeats nothing of what came", events)
	}
}

// Whoever has a link for a forgotten password proves with it that the account is theirs.
func TestALinkLetsTheOwnerInWhileStrangersTry(t *testing.T) {
	d := newDoor(t, guard.Options{})
	owner := d.from(1)
	if d.knows(owner, "ann") {
		t.Fatal("a new device is known")
	}
	link := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := d.KnowDevice(w, r, "ann"); err != nil {
			t.Error(err)
		}
	})
	owner.get(link, "/forgotten?token=from-the-mail")
	if !d.knows(owner, "ann") {
		t.Error("the device is not known after the link")
	}
}

func TestAnInsecureSiteHasADeviceCookieWithoutPrefix(t *testing.T) {
	d := newDoor(t, guard.Options{}, func(o *session.Options) { o.Cookie.Insecure = true })
	v := d.from(1)
	v.try(d, "ann", right)
	if v.cookies["device"] == "" || !d.knows(v, "ann") {
		t.Errorf("the cookies are %v", v.cookies)
	}
}

func FuzzDeviceCookie(f *testing.F) {
	m, err := session.New(memstore.New(memstore.Options{}), session.Options{
		Secrets: []session.Secret{secret}, SweepEvery: -1, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { m.Close() })
	for _, n := range []int{0, 15, 16, 17, 32, 16 + 10*16, 16 + 11*16} {
		f.Add(base64.RawURLEncoding.EncodeToString(make([]byte, n)))
	}
	f.Add(strings.Repeat("AAAA", 5) + "\nAA")
	f.Fuzz(func(t *testing.T, value string) {
		g, err := guard.New(m, guard.Options{SignIn: guard.SignInLimits{Attempts: 1}})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		if err := m.SetSigned(w, &http.Cookie{Name: deviceCookie, Value: value}); err != nil {
			return // too long for a cookie
		}
		h := g.SignIn(func(*http.Request) string { return "ann" })(inside)
		for i, want := range []int{200, 429} { // whatever it says, it names no account
			r := request("POST", "/login", "Cookie: "+strings.SplitN(w.Header().Get("Set-Cookie"), ";", 2)[0])
			r.Body = io.NopCloser(strings.NewReader(""))
			r.RemoteAddr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 1).String()
			got := httptest.NewRecorder()
			if h.ServeHTTP(got, r); got.Code != want {
				t.Errorf("attempt %d with %q: status %d, want %d", i, value, got.Code, want)
			}
		}
		know := httptest.NewRecorder()
		r := request("GET", "/", "Cookie: "+strings.SplitN(w.Header().Get("Set-Cookie"), ";", 2)[0])
		if err := g.KnowDevice(know, r, "ann"); err != nil || len(know.Header().Get("Set-Cookie")) > 500 {
			t.Errorf("KnowDevice after %q: %v, %s", value, err, know.Header().Get("Set-Cookie"))
		}
	})
}
