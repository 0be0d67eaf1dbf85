package main

import (
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/examples/internal/browser"
)

func TestTwoSessionsLiveBesideEachOther(t *testing.T) {
	shop, staff, err := managers(true)
	if err != nil {
		t.Fatal(err)
	}
	defer shop.Close()
	defer staff.Close()
	site, err := app(shop, staff)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(site)
	defer server.Close()
	b := browser.Open(server.URL)
	want := func(path, text string) {
		t.Helper()
		if status, body := b.Get(path); status != 200 || body != text {
			t.Errorf("%s: status %d, %q, want %q", path, status, body, text)
		}
	}
	want("/", "visit 1, staff \"\"\n")
	if status, _ := b.Get("/staff/orders"); status != 401 {
		t.Errorf("a visitor sees the orders: status %d", status)
	}
	if _, body := b.Post("/staff/login", url.Values{"user": {"ada"}}); body != "visit 2, staff \"ada\"\n" {
		t.Errorf("after the login: %q", body)
	}
	want("/staff/orders", "orders\n")
	if _, body := b.Post("/staff/logout", nil); body != "visit 3, staff \"\"\n" {
		t.Errorf("after the logout: %q", body)
	}
	if status, _ := b.Get("/staff/orders"); status != 401 {
		t.Errorf("after the logout the orders are still there: status %d", status)
	}
	want("/", "visit 4, staff \"\"\n")
}

// No other host of the domain can plant or block a cookie of that prefix.
func TestTheCookiesBelongToTheHost(t *testing.T) {
	shop, staff, err := managers(false)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*session.Manager{shop, staff} {
		defer m.Close()
		for _, f := range m.Audit() {
			if f.Name == "cookie-host-prefix" && !f.Pass {
				t.Error(f.Advice)
			}
		}
	}
}
