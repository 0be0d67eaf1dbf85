package browser_test

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestTheShopWorksWithoutScripts(t *testing.T) {
	s, b := anyShop(t), fresh(t)
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled,
		emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	b.visit(s.url + "/shop")
	b.click("#add-coat")
	b.shows("#cart-count", "1")
	b.visit(s.url + "/cart")
	b.press("Check out")
	b.shows("h1", "Sign in")
	b.fill("#user", "ada")
	b.press("Sign in")
	b.shows("h1", "Your cart")
	b.press("Check out")
	b.shows("p.flash", "Thank you for your order.")
	b.press("Sign out")
	b.shows("h1", "Hello, stranger")
}

func TestTheShopWorksByKeyboard(t *testing.T) {
	s, b := anyShop(t), fresh(t)
	b.visit(s.url + "/sign-in")
	b.tabTo("#user")
	b.do(chromedp.KeyEvent("ada"))
	b.tabTo("input[name=remember]")
	b.do(chromedp.KeyEvent(" "))
	b.leads(chromedp.KeyEvent(kb.Enter))
	b.shows("h1", "Hello, ada")
	b.tabTo("#add-hat")
	b.leads(chromedp.KeyEvent(kb.Enter))
	b.shows("#cart-count", "1")
	b.tabTo("header button")
	b.leads(chromedp.KeyEvent(kb.Enter))
	b.shows("h1", "Hello, stranger")
}

// tabTo presses Tab until an element has the focus, and wants that it shows it.
func (b *browser) tabTo(selector string) {
	b.t.Helper()
	for range 40 {
		b.do(chromedp.KeyEvent(kb.Tab))
		if get(b, chromedp.Evaluate[bool](`document.activeElement === document.querySelector("`+selector+`")`)) {
			if outline := get(b,
				chromedp.Evaluate[string](`getComputedStyle(document.activeElement).outlineStyle`)); outline == "none" {
				b.t.Errorf("%s has the focus and does not show it", selector)
			}
			return
		}
	}
	b.t.Fatalf("Tab does not reach %s; the page is:\n%s", selector, b.page())
}

// Whatever the policy forbids, the browser complains of.
func TestNoPageBreaksItsContentSecurityPolicy(t *testing.T) {
	s, b := anyShop(t), fresh(t)
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	messages := chromedp.Console(ctx)
	b.visit(s.url + "/shop")
	b.click("#add-coat")
	b.signIn(s.url, "admin", false)
	for _, path := range []string{"/", "/shop", "/cart", "/sessions", "/staff", "/sign-in", "/nowhere"} {
		b.visit(s.url + path)
		if policy := get(b, chromedp.Evaluate[string](`document.contentType`)); policy != "text/html" {
			t.Errorf("%s is %s", path, policy)
		}
	}
	// A message of our own is the end.
	const end = "that is all"
	get(b, chromedp.Evaluate[any](`console.log("`+end+`")`))
	for m, err := range messages {
		if err != nil {
			t.Fatal(err)
		}
		if m.Text == end {
			break
		}
		if m.Source != "network" || !strings.Contains(m.Text, "404") { // which /nowhere is
			t.Errorf("the browser complains: %s", m)
		}
	}
}

// A phone shows the whole page without moving it sideways, and so does a wide screen.
func TestThePagesFitAPhone(t *testing.T) {
	s, b := anyShop(t), fresh(t)
	b.signIn(s.url, strings.Repeat("ada", 40), false)
	b.click("#add-coat")
	for _, width := range []int64{320, 360, 2560} {
		b.do(chromedp.EmulateViewport(width, 740, chromedp.EmulateMobile))
		for _, path := range []string{"/", "/shop", "/cart", "/sessions", "/sign-in", "/nowhere", "/experiments"} {
			if path == "/experiments" {
				b.visit(s.url)
				b.click("#run-devices")
			} else {
				b.visit(s.url + path)
			}
			if wide := get(b, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)); wide > width {
				t.Errorf("%s is %d pixels wide on a screen of %d", path, wide, width)
			}
		}
	}
}
