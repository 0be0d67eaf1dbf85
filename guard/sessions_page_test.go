package guard_test

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

const (
	onLinux  = "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	onIPhone = "User-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/1 Safari/604.1"
)

// signInOn signs a user in on a device with this User-Agent line.
func (r *rig) signInOn(user, agent string) *visitor {
	v := r.visitor()
	login := func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Login(user) }
	v.get(r.m.HandlerFunc(login), "/", agent)
	return v
}

func TestThisDeviceStandsFirstAndThenTheLastSeen(t *testing.T) {
	r := newRig(t, guard.Options{})
	var all []*visitor
	for range 4 {
		all = append(all, r.signIn("ada"))
		r.clock.advance(5 * time.Minute)
	}
	l := decode(t, all[1].get(r.Sessions(), "/devices", asJSON))
	for i, want := range []*visitor{all[1], all[3], all[2], all[0]} {
		if l.Sessions[i].ID != want.id() {
			t.Errorf("line %d is %+v, want the session %s", i, l.Sessions[i], want.id())
		}
	}
}

func TestThePageTellsKindsOfDeviceApart(t *testing.T) {
	for agent, want := range map[string]string{
		onLinux: guard.KindComputer, onIPhone: guard.KindPhone,
		"User-Agent: Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) Safari/604.1":         guard.KindTablet,
		"User-Agent: Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36":  guard.KindPhone,
		"User-Agent: Mozilla/5.0 (Linux; Android 15; Tablet) Chrome/140.0 Safari/537.36": guard.KindTablet,
		"User-Agent: Dalvik/2.1.0 (Linux; U; Android 14)":                                guard.KindPhone,
		"User-Agent: curl/8.14.1": guard.KindProgram,
		"User-Agent: oddity":      guard.KindUnknown,
	} {
		r := newRig(t, guard.Options{})
		body := r.signInOn("ada", agent).get(r.Sessions(), "/devices", asJSON).Body.String()
		if !strings.Contains(body, `"kind":"`+want+`"`) {
			t.Errorf("%s: %s, want the kind %q", agent, body, want)
		}
	}
}

func TestThePageSaysWhereAnAddressIs(t *testing.T) {
	asked := 0
	r := newRig(t, guard.Options{Place: func(addr netip.Addr) string {
		asked++
		return "Graz & around " + addr.String()[:3]
	}})
	v := r.signIn("ada")
	if body := v.get(r.Sessions(), "/devices", asPage).Body.String(); asked != 1 ||
		!strings.Contains(body, "Graz &amp; around 192 <small>192.0.2.1</small>") {
		t.Errorf("asked %d times; the page is %s", asked, body)
	}
	if body := v.get(r.Sessions(), "/devices", asJSON).Body.String(); !strings.Contains(body, `"place":"Graz`) {
		t.Errorf("the list is %s", body)
	}
}

func TestWhatWasEndedIsConfirmedOnce(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.Sessions()
	v, other := r.signIn("ada"), r.signInOn("ada", onIPhone)
	for range 3 {
		r.signIn("ada")
	}
	end := func(fields url.Values, want string) {
		t.Helper()
		if w := v.post(h, "/devices", fields, same, asPage); w.Code != 303 {
			t.Fatalf("status %d, want the list again", w.Code)
		}
		for _, want := range []string{want, ""} {
			body := v.get(h, "/devices", asPage).Body.String()
			if got := strings.Contains(body, `role="status"`); got != (want != "") || !strings.Contains(body, want) {
				t.Errorf("the page says something: %v, want %q:\n%s", got, want, body)
			}
		}
	}
	id := url.Values{"id": {other.id()}}
	end(id, "The session on this device has ended: Safari on iPhone.")
	end(id, "There was nothing left to end.")
	end(url.Values{"others": {"1"}}, "3 sessions have ended.")
}

// A session without room for the confirmation ends others all the same.
func TestAFullSessionEndsOthers(t *testing.T) {
	r := newRig(t, guard.Options{}, func(o *session.Options) { o.MaxBytes = 400 })
	v, other := r.signIn("ada"), r.signIn("ada")
	for n := 300; n > 0; n-- { // as much as there is room for
		full := false
		v.with(func(s *session.Session) {
			s.Set("filler", strings.Repeat("x", n))
			if full = s.Save(t.Context()) == nil; !full {
				_ = s.Reload(t.Context())
			}
		})
		if full {
			break
		}
	}
	w := v.post(r.Sessions(), "/devices", url.Values{"others": {"1"}}, same, asPage)
	if w.Code != 303 || other.user() != "" || v.user() != "ada" {
		t.Errorf("status %d, the other is %q, this one %q; want the other ended", w.Code, other.user(), v.user())
	}
	if body := v.get(r.Sessions(), "/devices", asPage).Body.String(); strings.Contains(body, `role="status"`) {
		t.Error("there was room for the confirmation after all, and the test shows nothing")
	}
}

func TestARecentSignInIsAskedForBeforeAnotherSessionEnds(t *testing.T) {
	r := newRig(t, guard.Options{LoginPage: "/login", ReloginPage: "/confirm"})
	h := r.Sessions()
	v, other := r.signIn("ada"), r.signIn("ada")
	if body := v.get(h, "/devices", asPage).Body.String(); strings.Contains(body, "/confirm") {
		t.Errorf("after a sign-in the page asks for one:\n%s", body)
	}
	r.clock.advance(10*time.Minute + time.Microsecond)
	if body := v.get(h, "/devices?x=1", asPage).Body.String(); !strings.Contains(body,
		`href="/confirm?return=%2Fdevices%3Fx%3D1"`) {
		t.Errorf("the page does not lead to the sign-in:\n%s", body)
	}
	for _, fields := range []url.Values{{"others": {"1"}}, {"id": {other.id()}}} {
		w := v.post(h, "/devices?x=1", fields, same, asPage)
		if w.Code != 303 || w.Header().Get("Location") != "/confirm?return=%2Fdevices%3Fx%3D1" {
			t.Errorf("%v: status %d, Location %q, want the page to confirm", fields, w.Code, w.Header().Get("Location"))
		}
		wantProblem(t, v.post(h, "/devices", fields, same, asJSON), 401, guard.NotFresh)
	}
	if other.user() != "ada" {
		t.Fatal("a session was ended without a recent sign-in")
	}
	v.with(func(s *session.Session) { s.Login("ada") })
	if l := decode(t, v.post(h, "/devices", url.Values{"others": {"1"}}, same, asJSON)); l.Ended != 1 {
		t.Errorf("after the sign-in %d sessions ended, want 1", l.Ended)
	}
}

func TestTheOwnSessionEndsWithoutARecentSignIn(t *testing.T) {
	r := newRig(t, guard.Options{LoginPage: "/login"})
	v := r.signIn("ada")
	r.clock.advance(time.Hour)
	w := v.post(r.Sessions(), "/devices", url.Values{"id": {v.id()}}, same, asPage)
	if w.Code != 303 || w.Header().Get("Location") != "/" || v.user() != "" {
		t.Errorf("status %d, Location %q, user %q, want the front page and nobody", w.Code, w.Header().Get("Location"),
			v.user())
	}
}

func TestWhenARecentSignInIsAskedFor(t *testing.T) {
	for _, row := range []struct {
		name string
		opts guard.Options
		want int
	}{
		{"no page to sign in again", guard.Options{}, 200},
		{"a page to sign in", guard.Options{LoginPage: "/login"}, 401},
		{"switched off", guard.Options{LoginPage: "/login", EndWithin: session.Never}, 200},
		{"a longer time", guard.Options{LoginPage: "/login", EndWithin: 2 * time.Hour}, 200},
		{"the longest time", guard.Options{LoginPage: "/login", EndWithin: 1<<63 - 1}, 200},
		{"a time without a page", guard.Options{EndWithin: time.Minute}, 401},
	} {
		r := newRig(t, row.opts)
		v := r.signIn("ada")
		r.signIn("ada")
		r.clock.advance(time.Hour)
		if w := v.post(r.Sessions(), "/devices", url.Values{"others": {"1"}}, same, asJSON); w.Code != row.want {
			t.Errorf("%s: status %d, want %d", row.name, w.Code, row.want)
		}
	}
	r := newRig(t, guard.Options{})
	for _, d := range []time.Duration{-2, -time.Hour, -1 << 63} {
		_, err := guard.New(r.m, guard.Options{EndWithin: d})
		if err == nil || !strings.Contains(err.Error(), "EndWithin") {
			t.Errorf("EndWithin %v: %v, want an error that names it", d, err)
		}
	}
}

func TestTheSiteHasItsOwnWords(t *testing.T) {
	r := newRig(t, guard.Options{Words: func(r *http.Request) guard.Words {
		words := guard.English()
		if strings.HasPrefix(r.Header.Get("Accept-Language"), "de") {
			words.Lang, words.Title, words.EndOthers = "de", "Deine Geräte", "Überall sonst abmelden"
			words.Device = func(browser, system string) string { return browser + " auf " + system }
			words.Ago = func(d time.Duration) string { return fmt.Sprintf("vor %d Minuten", int(d.Minutes())) }
		}
		return words
	}})
	v := r.signInOn("ada", onLinux)
	r.signIn("ada")
	r.clock.advance(3 * time.Minute)
	german := v.get(r.Sessions(), "/devices", asPage, "Accept-Language: de-AT").Body.String()
	for _, want := range []string{`<html lang="de">`, "<h1>Deine Geräte</h1>", "Überall sonst abmelden",
		"Firefox auf Linux", ">vor 3 Minuten<"} {
		if !strings.Contains(german, want) {
			t.Errorf("the German page lacks %q:\n%s", want, german)
		}
	}
	if body := v.get(r.Sessions(), "/devices", asPage).Body.String(); !strings.Contains(body, "<h1>Your devices</h1>") {
		t.Errorf("the English page is %s", body)
	}
}

func TestWordsWithoutFunctionsHaveTheEnglishOnes(t *testing.T) {
	r := newRig(t, guard.Options{Words: func(*http.Request) guard.Words { return guard.Words{Title: "Mes appareils"} }})
	v := r.signInOn("ada", onLinux)
	r.signIn("ada")
	v.post(r.Sessions(), "/devices", url.Values{"others": {"1"}}, same, asPage, onLinux)
	body := v.get(r.Sessions(), "/devices", asPage, onLinux).Body.String()
	for _, want := range []string{"<h1>Mes appareils</h1>", "Firefox on Linux", "just now", "1 session has ended."} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q:\n%s", want, body)
		}
	}
}

func TestTheSiteWritesItsOwnPage(t *testing.T) {
	r := newRig(t, guard.Options{ShowSessions: func(w http.ResponseWriter, _ *http.Request, p guard.SessionsPage) {
		fmt.Fprintf(w, "%s has %d, others: %v, first: %s (%s), %q, %s", p.User, len(p.Devices), p.Others,
			p.Devices[0].Device, p.Devices[0].Kind, p.Ended, p.CSRF())
	}})
	v := r.signInOn("ada", onLinux)
	r.signIn("ada")
	w := v.get(r.Sessions(), "/devices", asPage, onLinux)
	if body := w.Body.String(); !strings.HasPrefix(body,
		`ada has 2, others: true, first: Firefox on Linux (computer), "", <input type="hidden" name="csrf_token"`) {
		t.Errorf("the page is %s", body)
	}
	v.post(r.Sessions(), "/devices", url.Values{"others": {"1"}}, same, asPage, onLinux)
	body, _ := io.ReadAll(v.get(r.Sessions(), "/devices", asPage, onLinux).Body)
	want := `ada has 1, others: false, first: Firefox on Linux (computer), "1 session has ended."`
	if !strings.HasPrefix(string(body), want) {
		t.Errorf("the page is %s", body)
	}
}
