package passkey_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAPasskeySignsInAfterItWasRegistered(t *testing.T) {
	st := newSite(t)
	d := st.registered("ada")
	for name, begin := range map[string]string{"with any passkey": "{}", "by name": `{"user":"ada"}`} {
		b := st.browser()
		o := b.begin("sign-in", begin)
		if o.PublicKey.UserVerification != "required" || o.PublicKey.RPID != "app.example.com" {
			t.Errorf("%s: the browser is asked for %+v", name, o.PublicKey)
		}
		b.finish("sign-in", d.get(t, o)).want(t, http.StatusNoContent)
		b.wantWho("ada webauthn webauthn.uv")
		if got := b.cookies(); !slices.Equal(got, []string{"__Host-Http-session"}) {
			t.Errorf("%s: the cookies %q are left", name, got)
		}
	}
}

func TestAConfirmationKeepsTheSignInAndTellsTheFactors(t *testing.T) {
	st := newSite(t)
	d, b := st.registered("ada"), st.browser()
	b.do("login=ada")
	b.wantWho("ada pwd")
	o := b.begin("confirm", "{}")
	if len(o.PublicKey.Allow) != 1 {
		t.Errorf("the browser may answer with %v, want the one passkey of the account", o.PublicKey.Allow)
	}
	b.finish("confirm", d.get(t, o)).want(t, http.StatusNoContent)
	b.wantWho("ada pwd webauthn webauthn.uv")
}

func TestAnAnswerIsGoodOnce(t *testing.T) {
	st := newSite(t)
	d, b := st.registered("ada"), st.browser()
	body := d.get(t, b.begin("sign-in", "{}"))
	again := b.before()
	b.finish("sign-in", body).want(t, http.StatusNoContent)
	for name, replay := range map[string]*browser{"in the same browser": b, "with the cookies from before": again,
		"elsewhere": st.browser()} {
		if got := replay.finish("sign-in", body); got.status != http.StatusConflict {
			t.Errorf("%s: status %d, want 409", name, got.status)
		}
	}
	again.wantWho("")
}

func TestAWrongAnswerUsesTheChallengeUp(t *testing.T) {
	st := newSite(t)
	d, b := st.registered("ada"), st.browser()
	o := b.begin("sign-in", "{}")
	good := d.get(t, o)
	wrong := newDevice(t)
	wrong.id, wrong.handle = d.id, d.handle
	b.finish("sign-in", wrong.get(t, o)).want(t, http.StatusForbidden)
	b.finish("sign-in", good).want(t, http.StatusConflict)
	b.wantWho("")
}

func TestTwoTabsHaveAChallengeEach(t *testing.T) {
	st := newSite(t)
	d, b := st.registered("ada"), st.browser()
	first, second := b.begin("sign-in", "{}"), b.begin("sign-in", "{}")
	if n := st.stored(); n != 1 {
		t.Errorf("%d sessions are stored, want one for both challenges", n)
	}
	b.finish("sign-in", d.get(t, first)).want(t, http.StatusNoContent)
	b.finish("sign-in", d.get(t, second)).want(t, http.StatusConflict) // who is signed in now was not when it was asked
	b.do("logout=1")
	b.do("login=ada")
	first, second = b.begin("confirm", "{}"), b.begin("confirm", "{}")
	b.finish("confirm", d.get(t, second)).want(t, http.StatusNoContent)
	b.finish("confirm", d.get(t, first)).want(t, http.StatusNoContent)
}

func TestAChallengeBelongsToItsSession(t *testing.T) {
	st := newSite(t)
	d := st.registered("ada")
	mine, theirs := st.browser(), st.browser()
	o := theirs.begin("sign-in", "{}")
	mine.begin("sign-in", "{}")
	mine.finish("sign-in", d.get(t, o)).want(t, http.StatusConflict)
	mine.do("login=ada")
	theirs.do("login=ada")
	for _, what := range []string{"confirm", "sign-in"} {
		o = theirs.begin(what, "{}")
		mine.finish(what, d.get(t, o)).want(t, http.StatusConflict)
	}
	mine.wantWho("ada pwd")
}

func TestAChallengeIsForOnePurpose(t *testing.T) {
	st := newSite(t)
	d, b := st.registered("ada"), st.browser()
	b.do("login=ada")
	b.finish("confirm", d.get(t, b.begin("sign-in", "{}"))).want(t, http.StatusConflict)
	b.finish("sign-in", d.get(t, b.begin("confirm", "{}"))).want(t, http.StatusConflict)
	b.finish("register", newDevice(t).create(t, b.begin("confirm", "{}"))).want(t, http.StatusConflict)
	b.wantWho("ada pwd")
}

func TestAChallengeEndsWithTheSessionAndTheLogin(t *testing.T) {
	for name, end := range map[string]string{"logout": "logout=1", "login": "login=ada", "another's": "login=bob"} {
		for _, what := range []string{"confirm", "register", "sign-in"} {
			st := newSite(t)
			d, b := st.registered("ada"), st.browser()
			b.do("login=ada")
			o := b.begin(what, "{}")
			body := d.get(t, o)
			if what == "register" {
				body = newDevice(t).create(t, o)
			}
			b.do(end)
			if got := b.finish(what, body); got.status != http.StatusConflict {
				t.Errorf("%s, then an answer to %s: status %d, want 409", name, what, got.status)
			}
		}
	}
}

func TestAStrangersChallengeIsNotForWhoSignedInOtherwise(t *testing.T) {
	st := newSite(t)
	d, b := st.registered("ada"), st.browser()
	o := b.begin("sign-in", "{}")
	b.do("login=bob")
	b.finish("sign-in", d.get(t, o)).want(t, http.StatusConflict)
	b.wantWho("bob pwd")
}

func TestAChallengeEndsAfterFiveMinutes(t *testing.T) {
	st := newSite(t)
	d, visitor, stranger := st.registered("ada"), st.browser(), st.browser()
	visitor.do("login=ada")
	for age, want := range map[time.Duration]int{
		5*time.Minute - time.Second: 204, 5 * time.Minute: 409,
		-time.Minute: 204, -time.Minute - time.Second: 409, // by the clock of another node
	} {
		confirm, signIn := visitor.begin("confirm", "{}"), stranger.begin("sign-in", "{}")
		st.clock.advance(age)
		visitor.finish("confirm", d.get(t, confirm)).want(t, want)
		stranger.finish("sign-in", d.get(t, signIn)).want(t, want)
		stranger.do("logout=1")
	}
}

func TestAPageStoresNothingAndAChallengeFiveMinutes(t *testing.T) {
	st := newSite(t)
	b := st.browser()
	b.send(http.MethodGet, "/who", "")
	b.send(http.MethodGet, "/passkey.js", "").want(t, http.StatusOK)
	b.post("/passkey/confirm/begin", "{}").want(t, http.StatusUnauthorized)
	if n := st.stored(); n != 0 {
		t.Fatalf("%d sessions are stored before somebody wants to sign in", n)
	}
	got := b.post("/passkey/sign-in/begin", "{}")
	if cookies := strings.Join(got.header["Set-Cookie"], "\n"); !strings.HasPrefix(cookies, "__Host-passkey=") ||
		strings.Contains(cookies, "\n") || !strings.Contains(cookies, "HttpOnly; Secure; SameSite=Strict") ||
		!strings.Contains(cookies, "Max-Age=300") {
		t.Errorf("the cookies are %q, want one for the challenge alone", cookies)
	}
	for info := range st.m.All(t.Context()) {
		if left := info.ExpiresAt.Sub(st.clock.now()); left > 5*time.Minute {
			t.Errorf("the challenge is stored for %v", left)
		}
	}
	st.clock.advance(5 * time.Minute)
	if n := st.stored(); n != 0 {
		t.Errorf("%d sessions are alive five minutes later", n)
	}
}

// A cart that is filled after a sign-in was given up must not end with the challenge.
func TestAChallengeThatWasGivenUpShortensNoSession(t *testing.T) {
	st := newSite(t)
	b := st.browser()
	b.begin("sign-in", "{}")
	b.do("cart=coat")
	b.begin("sign-in", "{}")
	b.do("login=ada")
	st.clock.advance(time.Hour)
	b.wantWho("ada pwd cart")
}

func TestASignInKeepsWhatTheVisitorCollected(t *testing.T) {
	st := newSite(t)
	d := st.registered("ada")
	for _, late := range []bool{false, true} { // the challenge is in the session, or came before it
		b := st.browser()
		if !late {
			b.do("cart=coat")
		}
		o := b.begin("sign-in", "{}")
		if late {
			b.do("cart=coat")
		}
		b.finish("sign-in", d.get(t, o)).want(t, http.StatusNoContent)
		b.wantWho("ada webauthn webauthn.uv cart")
	}
}
