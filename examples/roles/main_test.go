package main

import (
	"net/url"
	"testing"

	"github.com/coatcheck/session/examples/internal/browser"
)

func TestAChangeOfRolesHoldsAtOnceOnEveryDevice(t *testing.T) {
	address, stop, err := browser.Serve(app)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	signIn := func(user string) *browser.Browser {
		b := browser.Open(address)
		if status, body := b.Post("/login", url.Values{"user": {user}}); status != 200 {
			t.Fatalf("status %d: %s", status, body)
		}
		return b
	}
	want := func(b *browser.Browser, path string, status int) {
		t.Helper()
		if got, body := b.Get(path); got != status {
			t.Errorf("%s: status %d, want %d: %s", path, got, status, body)
		}
	}
	ada, phone, desk := signIn("ada"), signIn("bob"), signIn("bob")
	want(ada, "/settings", 200)
	want(phone, "/drafts", 200)
	want(phone, "/settings", 403)
	want(browser.Open(address), "/drafts", 401)

	if status, body := phone.Post("/roles", url.Values{"user": {"bob"}, "roles": {"admin"}}); status != 403 {
		t.Errorf("bob makes himself an administrator: status %d: %s", status, body)
	}
	if status, body := ada.Post("/roles", url.Values{"user": {"bob"}, "roles": {"admin"}}); status != 200 ||
		body != "Changed in 2 sessions.\n" {
		t.Errorf("status %d: %s", status, body)
	}
	want(phone, "/settings", 200)
	want(desk, "/settings", 200)
	ada.Post("/roles", url.Values{"user": {"bob"}})
	want(phone, "/drafts", 403)
	want(desk, "/settings", 403)
	want(signIn("bob"), "/drafts", 403)
}
