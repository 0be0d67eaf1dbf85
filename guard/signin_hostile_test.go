package guard_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

// Whatever a name is, its attempts are counted, and those of another name are not.
func TestEveryNameHasItsOwnAttempts(t *testing.T) {
	d := newDoor(t, guard.Options{SignIn: guard.SignInLimits{Attempts: 2, AddressAttempts: 1e6}})
	long := strings.Repeat("a", 500_000)
	for _, user := range []string{"ann", "Ann", "ann ", "ann\x00", "ann\n", "\u0430nn", "a\u0308nn", "\u00e4nn", "\xff",
		"\xfe", "\U0001F642", "default", "192.0.2.1/32", long, long + "b"} {
		if got := d.wrong(user, 0, 5); got != 2 {
			t.Errorf("%.20q has %d attempts, want 2", user, got)
		}
	}
	if w := d.from(1).try(d, strings.Repeat("a", 10<<20), "wrong"); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a name of 10 MiB: status %d, want 413", w.Code)
	}
}

// byProxy tries through a proxy, with what a client has put into X-Forwarded-For before it.
func (d *door) byProxy(client, claims, user string) *httptest.ResponseRecorder {
	r := request("POST", "/login", "Content-Type: application/x-www-form-urlencoded")
	if claims != "" {
		client = claims + ", " + client
	}
	r.Header.Set("X-Forwarded-For", client)
	r.Body = http.NoBody
	r.PostForm = url.Values{"user": {user}, "password": {"wrong"}}
	r.RemoteAddr = "10.0.0.1:4711"
	return d.visitor().send(d.form, r)
}

// A client can write what it wants in front of the address that the proxy saw, and remains one client.
func TestAnAddressCannotBeMadeUp(t *testing.T) {
	behind := func(o *session.Options) {
		o.ClientIP = session.ClientIPFrom(netip.MustParsePrefix("10.0.0.0/8"))
	}
	claim := map[string]func(i int) string{
		"nothing":          func(int) string { return "" },
		"other addresses":  func(i int) string { return fmt.Sprintf("198.51.100.%d", i) },
		"proxies":          func(i int) string { return fmt.Sprintf("198.51.100.%d, 10.0.0.%d", i, i) },
		"garbage":          func(i int) string { return fmt.Sprintf("unknown, _x, %d,,\x00, \"", i) },
		"10,000 addresses": func(i int) string { return strings.Repeat(fmt.Sprintf("198.51.100.%d,", i), 10_000) },
	}
	mapped := []string{"192.0.2.1", "::ffff:192.0.2.1", "[::ffff:c000:201]:9"}
	seen := map[string]func(i int) string{
		"IPv4":               func(int) string { return "192.0.2.1" },
		"IPv4 with ports":    func(i int) string { return fmt.Sprintf("192.0.2.1:%d", 1000+i) },
		"IPv4 in IPv6":       func(i int) string { return mapped[i%len(mapped)] },
		"one network":        func(i int) string { return fmt.Sprintf("2001:db8::%x:%x", i, 7*i) },
		"zones":              func(i int) string { return fmt.Sprintf("fe80::1%%eth%d", i) },
		"brackets and ports": func(i int) string { return fmt.Sprintf("[2001:db8::%x]:%d", i, 1000+i) },
	}
	for claimed, claims := range claim {
		for address, client := range seen {
			d := newDoor(t, guard.Options{}, behind)
			passed := 0
			for i := range 40 {
				if d.byProxy(client(i), claims(i), fmt.Sprint("user", i)).Code == http.StatusUnprocessableEntity {
					passed++
				}
			}
			if passed != 20 {
				t.Errorf("%s, with %s in front: %d attempts passed, want 20", address, claimed, passed)
			}
		}
	}
}

// What the handler answers says nothing: only a Login or a Confirm is a success.
func TestAHandlerMayAnswerFailureAndSuccessAlike(t *testing.T) {
	d := newDoor(t, guard.Options{SignIn: guard.SignInLimits{Attempts: 3}})
	form := d.SignIn(byUser)(d.m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		if r.PostFormValue("password") == right {
			s.Login("ann")
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}))
	send := func(password string) int {
		return d.visitor().post(form, "/login", url.Values{"user": {"ann"}, "password": {password}}).Code
	}
	for i, want := range []int{303, 303, 303, 303, 303, 429, 429} {
		password := "wrong"
		if i%2 == 1 {
			password = right
		}
		if got := send(password); got != want {
			t.Errorf("attempt %d: status %d, want %d", i, got, want)
		}
	}
}

// Every method counts that names an account.
func TestNoMethodGuessesForFree(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "TRACE", "BREW"} {
		d := newDoor(t, guard.Options{})
		form := d.SignIn(func(r *http.Request) string { return r.FormValue("user") })(inside)
		passed := 0
		for i := range 30 {
			r := request(method, "/login?user=ann")
			r.RemoteAddr = fmt.Sprintf("192.0.2.%d:1", i)
			if d.visitor().send(form, r).Code == 200 {
				passed++
			}
		}
		if passed != 10 {
			t.Errorf("%s: %d attempts passed, want 10", method, passed)
		}
	}
}

// A cookie that is no use is no harm: its owner is a stranger, and a sign-in replaces it.
func TestAUselessDeviceCookieIsThatOfAStranger(t *testing.T) {
	d := newDoor(t, guard.Options{})
	owner := d.from(1)
	owner.try(d, "ann", right)
	good := owner.cookies[deviceCookie]
	for name, header := range map[string]string{
		"4 kB":         deviceCookie + "=" + strings.Repeat("A", 4000) + "." + strings.Repeat("A", 40),
		"there twice":  deviceCookie + "=" + good + "; " + deviceCookie + "=" + good,
		"in quotes":    deviceCookie + "=\"" + good + "\"",
		"with a blank": deviceCookie + "= " + good + "x",
	} {
		d.wrong("ann", 10_000, 20)
		send := func() *httptest.ResponseRecorder {
			v := d.from(2)
			r := request("POST", "/login", "Cookie: "+header)
			r.Body, r.PostForm = http.NoBody, url.Values{"user": {"ann"}, "password": {right}}
			return v.send(d.form, r)
		}
		if w := send(); w.Code != 429 {
			t.Errorf("a cookie %s: status %d, want 429", name, w.Code)
		}
		d.clock.advance(24 * time.Hour)
		if w := send(); w.Code != 200 || sentDevice(t, w) == nil {
			t.Errorf("a cookie %s, after the wait: status %d, cookies %v", name, w.Code, w.Result().Cookies())
		}
	}
}

// hanging is a store that answers nothing.
type hanging struct{ *memstore.Store }

func (hanging) Load(ctx context.Context, _ string) (*session.Record, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestAStoreThatHangsStopsGuesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, guard.Options{SignIn: guard.SignInLimits{Store: hanging{memstore.New(memstore.Options{})}}})
		before := time.Now()
		w := d.from(1).try(d, "ann", right)
		if took := time.Since(before); w.Code != 503 || d.tries.Load() != 0 || took > 11*time.Second {
			t.Errorf("status %d after %v and %d tries, want 503 and none", w.Code, took, d.tries.Load())
		}
	})
}

// A store may fail after it has counted. Nobody is kept from signing in, and the attempt stays counted.
func TestAnAttemptThatCannotBeGivenBackStaysCounted(t *testing.T) {
	store := &failingOnce{Store: memstore.New(memstore.Options{})}
	d := newDoor(t, guard.Options{SignIn: guard.SignInLimits{Attempts: 1, Store: store}})
	form := d.SignIn(byUser)(d.m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Login("ann")
		store.err = errors.New("disk full")
	}))
	if w := d.visitor().post(form, "/login", url.Values{"user": {"ann"}}); w.Code != 200 {
		t.Errorf("status %d, want 200", w.Code)
	}
	store.err = nil
	if w := d.from(1).try(d, "ann", right); w.Code != 429 {
		t.Errorf("the next attempt: status %d, want 429", w.Code)
	}
}

func TestTheHeadersOfASignInAreExact(t *testing.T) {
	d := newDoor(t, guard.Options{SignIn: guard.SignInLimits{Attempts: 2, Wait: 90 * time.Second}})
	want := func(w *httptest.ResponseRecorder, status int, policy, limit, retry string) {
		t.Helper()
		h := w.Header()
		got := fmt.Sprintf("%d %s %s %s", w.Code, h["Ratelimit-Policy"], h["Ratelimit"], h["Retry-After"])
		if want := fmt.Sprintf("%d [%s] [%s] [%s]", status, policy, limit, retry); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	const address, account, device = `"signin-address"`, `"signin-account"`, `"signin-device"`
	stranger, owner := d.from(1), d.from(2)
	want(owner.try(d, "ann", right), 200, address+";q=100;w=3600", address+";r=19;t=36", "")
	want(owner.try(d, "ann", "wrong"), 422, device+";q=2;w=172800", device+";r=1;t=86400", "")
	want(stranger.try(d, "ann", "wrong"), 422, address+";q=100;w=3600", address+";r=19;t=36", "")
	want(stranger.try(d, "ann", "wrong"), 422, address+";q=100;w=3600", address+";r=18;t=72", "")
	want(stranger.try(d, "ann", "wrong"), 429, address+";q=100;w=3600 "+account+";q=2;w=172800",
		address+";r=17;t=108 "+account+";r=0;t=172800", "90")
	d.clock.advance(30500 * time.Millisecond)
	want(stranger.try(d, "ann", "wrong"), 429, address+";q=100;w=3600 "+account+";q=2;w=172800",
		address+";r=16;t=114 "+account+";r=0;t=172770", "60")
}
