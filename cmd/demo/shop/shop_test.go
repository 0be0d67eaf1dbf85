package shop_test

import (
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

type shopState struct {
	User   string
	Flash  string
	Cart   map[string]int
	Orders []struct {
		Number, Cents int
		Lines         []struct {
			Product string
			Count   int
		}
	}
}

func (v *visitor) shop() shopState {
	v.t.Helper()
	var s shopState
	decode(v.t, v.get("/"), &s)
	return s
}

func TestAPersonBuysSomething(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		ada := person(t, site)
		wantText(t, "the shop", ada.get("/shop"), "Winter coat", "€ 189.00", `id="cart-count" class="badge">0<`)
		wantText(t, "the shop after a choice", ada.post("/cart", "product", "coat"), "Winter coat is in your cart.",
			`class="badge">1<`)
		ada.post("/cart", "product", "coat")
		wantText(t, "the cart", ada.post("/cart", "product", "hat", "count", "3"), "Your cart is up to date.",
			`class="badge">5<`, "€ 525.00")
		wantText(t, "the cart with one hat", ada.post("/cart", "product", "hat", "count", "1"), "€ 427.00")

		// Who is to order signs in first, and comes back to the cart, which is as it was.
		asked := ada.send(http.MethodPost, "/checkout", formType, "", "Referer", site.url+"/cart")
		wantText(t, "the page to sign in", asked, `<h1 id="title">Sign in</h1>`, `name="return" value="/cart"`)
		back := ada.post("/login", "user", "ada", "return", "/cart")
		if back.Request.URL.Path != "/cart" {
			t.Errorf("after the sign-in the browser is at %s, want the cart", back.Request.URL.Path)
		}
		wantText(t, "the cart", back, "Hello, ada.", "€ 427.00")
		wantText(t, "the order", ada.post("/checkout"), "Thank you for your order.", "Order 1", "2 × Winter coat",
			"There is nothing in it.", `class="badge">0<`)
		wantText(t, "another order", ada.post("/checkout"), "Your cart is empty")
	})
}

func TestOnlyPathsOfTheShopAreReturnedTo(t *testing.T) {
	v := person(t, start(t, options{}))
	for _, back := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "javascript:alert(1)"} {
		if got := v.step("/login", "user", "ada", "return", back).Header.Get("Location"); got != "/shop" {
			t.Errorf("return %q leads to %q, want /shop", back, got)
		}
	}
}

func TestPiecesAddedAtTheSameTimeAllCount(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		const n = 20
		v := script(t, site)
		v.post("/visits")
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				wantStatus(t, "add", v.post("/cart", "product", []string{"coat", "scarf"}[i%2]), http.StatusOK)
			})
		}
		wg.Wait()
		if s := v.shop(); s.Cart["coat"] != n/2 || s.Cart["scarf"] != n/2 {
			t.Errorf("the cart is %v, want %d of each", s.Cart, n/2)
		}
	})
}

func TestTwoTabsThatCheckOutAtTheSameTimeOrderOnce(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		v := script(t, site)
		v.post("/login", "user", "ada")
		v.post("/cart", "product", "coat")
		var ordered, empty atomic.Int64
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				switch a := v.post("/checkout"); a.StatusCode {
				case http.StatusOK:
					ordered.Add(1)
				case http.StatusBadRequest:
					empty.Add(1)
				default:
					t.Errorf("POST /checkout = %d: %s", a.StatusCode, a.body)
				}
			})
		}
		wg.Wait()
		s := v.shop()
		if ordered.Load() != 1 || empty.Load() != 3 || len(s.Orders) != 1 || len(s.Cart) != 0 ||
			s.Orders[0].Cents != 18900 {
			t.Errorf("%d ordered, %d found it empty, and the state is %+v; want one order", ordered.Load(),
				empty.Load(), s)
		}
	})
}

func TestTooManyOrdersAreTurnedAway(t *testing.T) {
	now := time.Now() // and stays: a rate lets another one through every twelve seconds
	v := script(t, start(t, options{now: func() time.Time { return now }}))
	v.post("/login", "user", "ada")
	for n := 1; ; n++ {
		v.post("/cart", "product", "brush")
		a := v.post("/checkout")
		if a.StatusCode == http.StatusOK && n <= 5 {
			continue
		}
		wantStatus(t, "one order too many", a, http.StatusTooManyRequests)
		wantText(t, "the answer", a, `{"error":"Too many requests.`)
		if n != 6 || a.Header.Get("Retry-After") == "" {
			t.Errorf("order %d was turned away with Retry-After %q, want the sixth", n, a.Header.Get("Retry-After"))
		}
		break
	}
	if s := v.shop(); s.Cart["brush"] != 1 {
		t.Errorf("the cart is %v, want it untouched", s.Cart)
	}
}

func TestAnOrderNeedsARecentSignIn(t *testing.T) {
	var later atomic.Int64
	site := start(t, options{now: func() time.Time {
		return time.Now().Add(time.Duration(later.Load()))
	}})
	v := script(t, site)
	wantStatus(t, "an order of nobody", v.post("/checkout"), http.StatusUnauthorized)
	v.post("/login", "user", "ada")
	v.post("/cart", "product", "coat")
	later.Store(int64(11 * time.Minute))
	wantStatus(t, "an order eleven minutes later", v.post("/checkout"), http.StatusUnauthorized)
	browser := person(t, site)
	browser.client = v.client
	wantText(t, "the page for a browser", browser.post("/checkout"), "say again who you are", `value="ada"`)
	v.post("/login", "user", "ada")
	wantStatus(t, "an order after another sign-in", v.post("/checkout"), http.StatusOK)
}

func TestARoleHoldsAtOnceOnAllDevices(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		admin, phone, desk := person(t, site), person(t, site), person(t, site)
		for _, v := range []*visitor{phone, desk} {
			v.post("/login", "user", "ada")
			wantStatus(t, "the page of the staff", v.get("/staff"), http.StatusForbidden)
		}
		admin.post("/login", "user", "admin")
		wantText(t, "the page of the staff", admin.get("/staff"), "ada", "2 sessions", "Make staff")
		wantText(t, "the change", admin.post("/staff", "user", "ada", "staff", "1"), "ada belongs to the staff.",
			"Remove from the staff")
		for _, v := range []*visitor{phone, desk} {
			wantText(t, "the page of the staff", v.get("/staff"), "<h1>Staff</h1>")
			wantText(t, "the shop", v.get("/"), `href="/staff"`)
		}
		wantStatus(t, "the own role", phone.post("/staff", "user", "ada", "staff", "0"), http.StatusBadRequest)
		admin.post("/staff", "user", "ada", "staff", "0")
		for _, v := range []*visitor{phone, desk} {
			wantStatus(t, "the page of the staff", v.get("/staff"), http.StatusForbidden)
		}
		stranger := script(t, site)
		wantStatus(t, "the page for a stranger", stranger.get("/staff"), http.StatusUnauthorized)
		wantStatus(t, "a change by a stranger", stranger.post("/staff", "user", "eve", "staff", "1"),
			http.StatusUnauthorized)
	})
}

func TestWrongChoicesAreRefused(t *testing.T) {
	v := script(t, start(t, options{}))
	for _, body := range []string{"", "product=", "product=gold", "product=coat&count=", "product=coat&count=-1",
		"product=coat&count=100", "product=coat&count=a"} {
		wantStatus(t, body, v.send(http.MethodPost, "/cart", formType, body), http.StatusBadRequest)
	}
	if s := v.shop(); len(s.Cart) != 0 {
		t.Errorf("the cart is %v, want nothing in it", s.Cart)
	}
}

func TestNoMoreThanFitsIsInTheCart(t *testing.T) {
	v := script(t, start(t, options{}))
	v.post("/cart", "product", "coat", "count", "99")
	v.post("/cart", "product", "coat")
	if s := v.shop(); s.Cart["coat"] != 99 {
		t.Errorf("the cart is %v, want 99 coats", s.Cart)
	}
}

// olderGet asks for a page as such a browser does.
func olderGet(v *visitor, path string) answer {
	v.t.Helper()
	accept := v.accept
	v.accept = "text/plain;q=0.5"
	defer func() { v.accept = accept }()
	return v.get(path)
}

// older sends what browsers sent before 2020: neither Sec-Fetch-Site nor Origin.
func older(v *visitor, path, body string) answer {
	v.t.Helper()
	accept := v.accept
	v.accept = "text/plain;q=0.5" // no page, so that the helper adds no header
	defer func() { v.accept = accept }()
	return v.send(http.MethodPost, path, formType, body)
}

func TestAnOlderBrowserNeedsTheTokenOfThePage(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		v := person(t, site)
		v.post("/login", "user", "ada")
		wantStatus(t, "without a token", older(v, "/notes", "text=a"), http.StatusForbidden)
		page := olderGet(v, "/shop")
		token := regexp.MustCompile(`name="csrf_token" value="([^"]+)"`).FindStringSubmatch(page.body)
		if token == nil {
			t.Fatalf("the page has no token:\n%s", page.body)
		}
		wantStatus(t, "with the token", older(v, "/notes", "text=b&csrf_token="+token[1]), http.StatusOK)
		long := "csrf_token=" + token[1] + "&text=" + strings.Repeat("a", 20_000)
		wantStatus(t, "too much with the token", older(v, "/notes", long), http.StatusBadRequest)
		v.agent = "Opera/9.80 (X11; Linux i686) Presto/2.12.388 Version/12.16"
		wantStatus(t, "another old browser", older(v, "/notes", "text=a"), http.StatusForbidden)
		program := person(t, site)
		program.agent = "curl/8.5.0"
		wantStatus(t, "a program that asks for no JSON", older(program, "/notes", "text=c"), http.StatusOK)
	})
}

func TestEveryPageHasFormsWithTokensLabelsAndNoScript(t *testing.T) {
	v := person(t, start(t, options{}))
	v.post("/cart", "product", "coat")
	pages := []string{"/", "/shop", "/sign-in", "/cart"}
	check := func(path string) {
		page := olderGet(v, path)
		wantStatus(t, path, page, http.StatusOK)
		forms := strings.Count(page.body, `<form `)
		if tokens := strings.Count(page.body, `name="csrf_token"`); forms == 0 || tokens != forms {
			t.Errorf("%s has %d forms and %d tokens", path, forms, tokens)
		}
		if found := regexp.MustCompile(`<script|<style| style=| on[a-z]+=|javascript:`).FindString(
			page.body); found != "" {
			t.Errorf("%s has %q, which its Content-Security-Policy forbids", path, found)
		}
		for _, input := range regexp.MustCompile(`<input id="([^"]+)"`).FindAllStringSubmatch(page.body, -1) {
			if !strings.Contains(page.body, `for="`+input[1]+`"`) {
				t.Errorf("%s: the field %s has no label", path, input[1])
			}
		}
		for _, picture := range regexp.MustCompile(`<img src="([^"]+)"`).FindAllStringSubmatch(page.body, -1) {
			if a := v.get(picture[1]); a.StatusCode != http.StatusOK ||
				a.Header.Get("Content-Type") != "image/svg+xml" {
				t.Errorf("%s: the picture %s = %d", path, picture[1], a.StatusCode)
			}
		}
	}
	for _, path := range pages {
		check(path)
	}
	v.post("/login", "user", "admin")
	for _, path := range append(pages, "/sessions", "/staff") {
		check(path)
	}
}
