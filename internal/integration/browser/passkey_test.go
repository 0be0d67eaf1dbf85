package browser_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

func TestChromiumRegistersSignsInAndConfirms(t *testing.T) {
	for _, without := range []string{"", "delete PublicKeyCredential.parseCreationOptionsFromJSON;" +
		"delete PublicKeyCredential.parseRequestOptionsFromJSON;"} {
		v := newVault(t)
		c := v.visitor(true)
		v.open(c, "/?login=ada")
		evaluate(c, `%s "done"`, without)
		v.wantCall(c, "ok", "register")
		v.wantCall(c, "", "register") // the authenticator has one already, and the browser says so
		v.open(c, "/?logout=1")
		for _, user := range [][]string{nil, {"ada"}} {
			evaluate(c, `%s "done"`, without)
			v.wantCall(c, "ok", "signIn", user...)
			v.wantWho(c, "[ada] webauthn webauthn.uv")
			v.open(c, "/?logout=1")
		}
		if keys := v.known(); len(keys) != 1 || keys[0].Authenticator.SignCount < 2 {
			t.Errorf("the site has %d passkeys, want one that was used twice", len(keys))
		}
	}
}

func TestChromiumShowsItsPasskeyBeforeAPayment(t *testing.T) {
	v := newVault(t)
	c := v.registered()
	v.open(c, "/?login=ada")
	if status := c.visit(v.url + "/pay"); status != http.StatusUnauthorized {
		t.Errorf("paying without the passkey: status %d", status)
	}
	v.open(c, "/")
	got, want := evaluate(c, `hold("confirm?operation=1&to=/a?b=2")`), "/confirm/finish?operation=1&to=/a?b=2"
	if !strings.Contains(got, want) {
		t.Errorf("the answer goes to %s, want the query in it", got)
	}
	v.wantCall(c, "ok", "confirm")
	if status := c.visit(v.url + "/pay"); status != http.StatusOK {
		t.Errorf("paying with the passkey: status %d", status)
	}
	v.advance(time.Minute + time.Second)
	if status := c.visit(v.url + "/pay"); status != http.StatusUnauthorized {
		t.Errorf("paying later: status %d", status)
	}
}

// Eight answers at once, and then one from another tab and one on the other node.
func TestOneAnswerOfChromiumSignsInOnce(t *testing.T) {
	v := newVault(t)
	c := v.registered()
	held := evaluate(c, `hold("signIn")`)
	v.wantAnswer(c, held, "204 409 409 409 409 409 409 409")
	v.wantWho(c, "[ada] webauthn webauthn.uv")
	v.open(c, "/?logout=1")
	v.wantAnswer(c, held, "409")
	tab := c.tab()
	v.open(tab, "/")
	v.wantAnswer(tab, held, "409")
	v.node.Store(1)
	v.wantAnswer(c, held, "409")
	v.wantWho(c, "[]")
}

func TestTwoTabsOfChromiumAnswerOneChallenge(t *testing.T) {
	v := newVault(t)
	c := v.registered()
	v.open(c, "/?login=ada")
	held := evaluate(c, `hold("confirm")`)
	tab := c.tab()
	v.open(tab, "/")
	v.node.Store(1) // the other node has it as well
	v.wantAnswer(tab, held, "204")
	v.wantAnswer(c, held, "409")
	v.wantWho(c, "[ada] pwd webauthn webauthn.uv")
}

func TestAnAnswerOfChromiumIsOfNoUseElsewhereOrLater(t *testing.T) {
	v := newVault(t)
	c, thief := v.registered(), v.visitor(true)
	v.open(thief, "/")
	v.wantCall(thief, "", "signIn") // it has a challenge, and no passkey
	v.wantAnswer(thief, evaluate(c, `hold("signIn")`), "409")
	v.wantWho(thief, "[]")

	for name, end := range map[string]func(){
		"a logout":     func() { v.open(c, "/?logout=1") },
		"a login":      func() { v.open(c, "/?login=ada") },
		"five minutes": func() { v.advance(5 * time.Minute) },
	} {
		v.open(c, "/?login=ada")
		held := evaluate(c, `hold("confirm")`)
		end()
		if got := evaluate(c, "answer(%q, 1)", held); got != "409" {
			t.Errorf("after %s: status %s, want 409", name, got)
		}
	}
	v.open(c, "/?logout=1")
	held := evaluate(c, `hold("signIn")`)
	v.advance(5 * time.Minute)
	v.wantAnswer(c, held, "409")
	v.wantWho(c, "[]")
}

// The browser refuses before the server does.
func TestAnAuthenticatorThatVerifiesNobodyIsNotAsked(t *testing.T) {
	v := newVault(t)
	c := v.visitor(false)
	v.open(c, "/?login=ada")
	v.wantCall(c, "not allowed", "register")
	if len(v.known()) != 0 {
		t.Errorf("the site has a passkey of somebody")
	}
}

func TestChromiumSignsInInAFrameOfANamedSite(t *testing.T) {
	v := newVault(t)
	c := v.registered()
	evil := strings.Replace(v.other, "partner", "evil", 1)
	for site, want := range map[string]string{v.other: "ok", evil: "not accepted"} {
		c.visit(site)
		c.do(chromedp.WaitReady(chromedp.Search(`//h1[.!="wait"]`)))
		c.shows("h1", want)
	}
}

// What a stranger's challenge leaves in the browser is one cookie, which no script reads and no other site has sent.
func TestChromiumKeepsTheCookieOfAChallenge(t *testing.T) {
	v := newVault(t)
	c := v.registered()
	evaluate(c, `hold("signIn")`)
	got, err := chromedp.Call(c.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{v.url}})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Cookies) != 1 || got.Cookies[0].Name != "__Host-passkey" || !got.Cookies[0].HTTPOnly {
		t.Errorf("the browser has %+v", got.Cookies)
	}
}
