package browser_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

func anyShop(t *testing.T) *shop {
	t.Helper()
	return startShop(t, t.TempDir()+"/data")
}

func TestWhoIsKeptSignedInIsSoAfterTheBrowserWasClosed(t *testing.T) {
	s, profile := anyShop(t), t.TempDir()
	b := open(t, profile)
	b.signIn(s.url, "ada", true)
	b.close()
	b = open(t, profile)
	b.visit(s.url + "/shop")
	b.shows("h1", "Hello, ada")
}

func TestWhoIsNotKeptSignedInIsAStrangerAfterTheBrowserWasClosed(t *testing.T) {
	s, profile := anyShop(t), t.TempDir()
	b := open(t, profile)
	b.signIn(s.url, "ada", false)
	b.close()
	b = open(t, profile)
	b.visit(s.url + "/shop")
	b.shows("h1", "Hello, stranger")
}

func TestARestartOfTheShopSignsNobodyOut(t *testing.T) {
	data := t.TempDir() + "/data"
	s := startShop(t, data)
	b := fresh(t)
	b.signIn(s.url, "ada", false)
	s.stop()
	s = startShop(t, data) // at another port, which cookies do not mind
	b.visit(s.url + "/shop")
	b.shows("h1", "Hello, ada")
}

func TestAMessageIsSeenOnce(t *testing.T) {
	s, b := anyShop(t), fresh(t)
	b.visit(s.url + "/shop")
	b.fill("#text", "buy milk")
	b.press("Add note")
	b.shows("p.flash[role=status]", "Noted.")
	b.leads(chromedp.Reload())
	if n := b.count("p.flash"); n != 0 {
		t.Errorf("after a reload there are %d messages, want none", n)
	}
	b.shows(".notes", "buy milk")
	if n := b.count(".notes li"); n != 1 {
		t.Errorf("the reload sent the note again: there are %d", n)
	}
}

func TestADeviceThatAnotherOneSignsOutIsSignedOut(t *testing.T) {
	s, desk, phone, tablet := anyShop(t), fresh(t), fresh(t), fresh(t)
	for _, b := range []*browser{desk, phone, tablet} {
		b.signIn(s.url, "ada", false)
	}
	desk.visit(s.url + "/sessions")
	if n := desk.count(".sessions li"); n != 3 {
		t.Fatalf("%d sessions are listed, want 3", n)
	}
	desk.shows(".sessions li:first-child", "this device")
	desk.shows(".sessions", "on Linux")
	// This device stands first and then the one last seen, so that the phone is the last.
	desk.click(`(//ul[@class="sessions"]/li//button)[last()]`)
	desk.shows("p.flash", "The session on this device has ended")
	phone.visit(s.url + "/shop")
	phone.shows("h1", "Hello, stranger")
	tablet.visit(s.url + "/shop")
	tablet.shows("h1", "Hello, ada")
	desk.visit(s.url + "/sessions")
	desk.press("End all other sessions")
	desk.shows("p.flash", "1 session has ended.")
	tablet.visit(s.url + "/shop")
	tablet.shows("h1", "Hello, stranger")
	desk.visit(s.url + "/shop")
	desk.shows("h1", "Hello, ada")
}

func TestTwoTabsThatFillTheCartAtTheSameTimeBothDo(t *testing.T) {
	s, left := anyShop(t), fresh(t)
	left.visit(s.url + "/shop")
	right := left.tab()
	const rounds = 5
	for range rounds {
		var both sync.WaitGroup
		for tab, product := range map[*browser]string{left: "coat", right: "hat"} {
			tab.visit(s.url + "/shop")
			both.Go(func() {
				status, err := tab.tryLeads(chromedp.Click(chromedp.CSS("#add-" + product)))
				if err != nil || status != http.StatusOK {
					t.Errorf("a %s for the cart: status %d, %v", product, status, err)
				}
			})
		}
		both.Wait()
	}
	left.visit(s.url + "/cart")
	left.shows("#cart-count", "10")
	for _, field := range []string{"#count-coat", "#count-hat"} {
		if value := get(left, chromedp.Value(chromedp.CSS(field))); value != "5" {
			t.Errorf("%s is %s, want 5", field, value)
		}
	}
}
