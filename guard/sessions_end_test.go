package guard_test

import (
	"io"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

func TestAUserEndsOneSession(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.Sessions()
	v, other, third := r.signIn("ada"), r.signIn("ada"), r.signIn("ada")
	w := v.post(h, "/devices?x=1", url.Values{"id": {other.id()}}, same, asPage)
	if w.Code != 303 || w.Header().Get("Location") != "/devices?x=1" {
		t.Errorf("status %d, Location %q, want the list again", w.Code, w.Header().Get("Location"))
	}
	if other.user() != "" || v.user() != "ada" || third.user() != "ada" {
		t.Errorf("users %q %q %q, want the other device alone signed out", v.user(), other.user(), third.user())
	}
	body := `{"id":"` + third.id() + `"}`
	req := request("POST", "/devices", same, asJSON, "Content-Type: application/json")
	req.Body = io.NopCloser(strings.NewReader(body))
	if l := decode(t, v.send(h, req)); l.Ended != 1 || third.user() != "" {
		t.Errorf("ended %d, user %q, want the third signed out", l.Ended, third.user())
	}
}

func TestAUserEndsAllOtherSessions(t *testing.T) {
	r := newRig(t, guard.Options{})
	v, other, third, bob := r.signIn("ada"), r.signIn("ada"), r.signIn("ada"), r.signIn("bob")
	if l := decode(t, v.post(r.Sessions(), "/devices", url.Values{"others": {"1"}}, same, asJSON)); l.Ended != 2 {
		t.Errorf("ended %d, want 2", l.Ended)
	}
	if v.user() != "ada" || other.user() != "" || third.user() != "" || bob.user() != "bob" {
		t.Errorf("users %q %q %q %q", v.user(), other.user(), third.user(), bob.user())
	}
}

func TestTheOtherDeviceIsToldThatItWasEnded(t *testing.T) {
	for name, order := range map[string]func(id string) url.Values{
		"one":    func(id string) url.Values { return url.Values{"id": {id}} },
		"others": func(string) url.Values { return url.Values{"others": {"1"}} },
	} {
		r := newRig(t, guard.Options{})
		v, other := r.signIn("ada"), r.signIn("ada")
		v.post(r.Sessions(), "/devices", order(other.id()), same, asJSON)
		other.with(func(s *session.Session) {
			if s.User() != "" || s.EndedBy() != session.ReasonRevoked {
				t.Errorf("%s: user %q, EndedBy = %q", name, s.User(), s.EndedBy())
			}
		})
	}
}

func TestAUserEndsTheOwnSession(t *testing.T) {
	r := newRig(t, guard.Options{})
	v, other := r.signIn("ada"), r.signIn("ada")
	w := v.post(r.Sessions(), "/devices", url.Values{"id": {v.id()}}, same, asPage)
	if w.Code != 303 || w.Header().Get("Location") != "/" || v.cookies["__Host-Http-session"] != "" {
		t.Errorf("status %d, Location %q, cookies %v, want the front page and no ticket", w.Code,
			w.Header().Get("Location"), v.cookies)
	}
	if v.user() != "" || other.user() != "ada" {
		t.Errorf("users %q and %q, want the own session alone ended", v.user(), other.user())
	}
}

// The id of a session of another user ends nothing.
func TestNobodyEndsASessionOfAnotherUser(t *testing.T) {
	r := newRig(t, guard.Options{})
	v, bob, stranger := r.signIn("ada"), r.signIn("bob"), r.visitor()
	stranger.with(func(s *session.Session) { s.Set("cart", 1) })
	for _, id := range []string{bob.id(), stranger.id(), "x"} {
		if l := decode(t, v.post(r.Sessions(), "/devices", url.Values{"id": {id}}, same, asJSON)); l.Ended != 0 {
			t.Errorf("ended %d with the id of another", l.Ended)
		}
	}
	if bob.user() != "bob" || stranger.id() == "" {
		t.Error("the session of another was ended")
	}
	wantProblem(t, stranger.post(r.Sessions(), "/devices", url.Values{"id": {bob.id()}}, same, asJSON), 401,
		guard.NoUser)
}

// The other device goes on while the page is looked at, so that the ids on it are no longer those of its session.
func TestTheIdOnThePageEndsASessionThatGotANewOneSince(t *testing.T) {
	for name, move := range map[string]func(*session.Session){
		"renewed": func(*session.Session) {}, "regenerated": (*session.Session).Regenerate,
		"signed in again": func(s *session.Session) { s.Login("ada") },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, guard.Options{}, func(o *session.Options) { o.RenewEvery = time.Minute })
			v, other := r.signIn("ada"), r.signIn("ada")
			shown := other.id()
			r.clock.advance(2 * time.Minute)
			other.with(move)
			if l := decode(t, v.post(r.Sessions(), "/devices", url.Values{"id": {shown}}, same,
				asJSON)); l.Ended != 1 || other.user() != "" {
				t.Errorf("ended %d, and the device is %q; want 1 and nobody", l.Ended, other.user())
			}
		})
	}
}

// What a visitor did before is no way to a session of somebody who signed in on the same device.
func TestAnOldIdEndsNoSessionOfSomebodyElse(t *testing.T) {
	r := newRig(t, guard.Options{})
	v, device := r.signIn("ada"), r.signIn("ada")
	adas := device.id()
	device.with(func(s *session.Session) { s.Login("bob") })
	if l := decode(t, v.post(r.Sessions(), "/devices", url.Values{"id": {adas}}, same, asJSON)); l.Ended != 0 ||
		device.user() != "bob" {
		t.Errorf("ended %d, and the device is %q; want 0 and bob", l.Ended, device.user())
	}
}

func TestAnotherSiteEndsNothing(t *testing.T) {
	r := newRig(t, guard.Options{})
	v, other := r.signIn("ada"), r.signIn("ada")
	for _, header := range []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site",
		"Origin: https://evil.example", "X-Nothing: 1"} {
		if w := v.post(r.Sessions(), "/devices", url.Values{"others": {"1"}}, header); w.Code != 403 {
			t.Errorf("%s: status %d, want 403", header, w.Code)
		}
	}
	if other.user() != "ada" {
		t.Error("another site has ended a session")
	}
	// An older browser sends the token of the page.
	token := regexp.MustCompile(`name="csrf_token" value="([^"]+)"`).FindStringSubmatch(v.get(r.Sessions(), "/devices",
		asPage).Body.String())
	fields := url.Values{"others": {"1"}, guard.CSRFFormField: {token[1]}}
	if w := v.post(r.Sessions(), "/devices", fields); w.Code != 303 || other.user() != "" {
		t.Errorf("with the token of the page: status %d, other user %q, want it signed out", w.Code, other.user())
	}
}

func TestAWrongOrderIsRefused(t *testing.T) {
	r := newRig(t, guard.Options{})
	v, other := r.signIn("ada"), r.signIn("ada")
	for _, fields := range []url.Values{{}, {"id": {""}}, {"others": {"0"}}, {"others": {"1"}, "id": {"x"}},
		{"id": {strings.Repeat("x", 100_000)}}} {
		if w := v.post(r.Sessions(), "/devices", fields, same, asJSON); w.Code != 400 {
			t.Errorf("%.40v: status %d, want 400", fields, w.Code)
		}
	}
	for _, body := range []string{"", "{", "{}", `{"others":1}`, `{"id":5}`, `{"others":true}x`, "[]"} {
		req := request("POST", "/devices", same, asJSON, "Content-Type: application/json")
		req.Body = io.NopCloser(strings.NewReader(body))
		if w := v.send(r.Sessions(), req); w.Code != 400 {
			t.Errorf("%s: status %d, want 400", body, w.Code)
		}
	}
	cut := request("POST", "/devices", same, asJSON, "Content-Type: multipart/form-data; boundary=x")
	cut.Body = io.NopCloser(strings.NewReader("--x\r\nContent-Disposition: form-data; name=others\r\n\r\n1\r\n" +
		"--x\r\nContent-Disp"))
	if w := v.send(r.Sessions(), cut); w.Code != 400 {
		t.Errorf("a form that is cut off: status %d, want 400", w.Code)
	}
	if w := v.send(r.Sessions(), request("DELETE", "/devices", same)); w.Code != 405 || w.Header().Get("Allow") == "" {
		t.Errorf("DELETE: status %d, want 405", w.Code)
	}
	if other.user() != "ada" {
		t.Error("a wrong order has ended a session")
	}
}
