package browser_test

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/coatcheck/session/cmd/demo/experiment"
)

// One click each, without scripts, and the browser is where it was: no experiment gives it a cookie.
func TestEveryExperimentIsOneClick(t *testing.T) {
	s, b := anyShop(t), fresh(t)
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled,
		emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	b.visit(s.url)
	for _, e := range experiment.All {
		if status := b.click("#run-" + e.Name); status != 200 {
			t.Errorf("%s answers %d", e.Name, status)
		}
		b.shows("#"+e.Name+" .kept", "With Coatcheck")
		b.shows("#"+e.Name+" .broken", "The usual way")
		b.shows("#"+e.Name+" .kept summary", "requests, one by one")
		b.shows("#strip-cookie", "not sent")
	}
	b.shows(".you", "Nothing is stored for you")
}

func TestAnExperimentWorksByKeyboard(t *testing.T) {
	s, b := anyShop(t), fresh(t)
	b.visit(s.url)
	b.tabTo("#run-clicks")
	b.leads(chromedp.KeyEvent("\r"))
	b.shows("#clicks .kept .outcome", "40 of 40 clicks survived.")
	if hash := get(b, chromedp.Evaluate[string](`location.hash`)); hash != "#clicks" {
		t.Errorf("the browser is at %q, want what came out", hash)
	}
	b.tabTo("#clicks .kept summary")
	b.do(chromedp.KeyEvent("\r"))
	b.tabTo("#clicks .kept .scroll")
}

// Every control has a name that a screen reader says, and every part of the page one heading above it.
func TestEveryControlHasAName(t *testing.T) {
	s, b := anyShop(t), fresh(t)
	b.visit(s.url + "/shop")
	b.click("#add-coat")
	b.signIn(s.url, "admin", false)
	const nameless = `[...document.querySelectorAll(
		"a, button, input:not([type=hidden]), [role=region], section, aside")].filter(e => {
			const by = (e.getAttribute("aria-labelledby") || "").split(" ").filter(Boolean)
			const text = by.map(id => document.getElementById(id)?.textContent || "").join(" ") ||
				e.getAttribute("aria-label") || [...(e.labels || [])].map(l => l.textContent).join(" ") ||
				(e.matches("a, button") ? e.textContent : "")
			return !text.trim()
		}).map(e => e.outerHTML.slice(0, 120))`
	for _, path := range []string{"/", "/shop", "/cart", "/sessions", "/staff", "/sign-in"} {
		b.visit(s.url + path)
		if path == "/" {
			b.click("#run-deploy")
		}
		for _, element := range get(b, chromedp.Evaluate[[]string](nameless)) {
			t.Errorf("%s: nothing names %s", path, element)
		}
		if n := b.count("h1"); n != 1 {
			t.Errorf("%s has %d headings of the first level", path, n)
		}
	}
}
