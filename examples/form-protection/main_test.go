package main

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/coatcheck/session/examples/internal/browser"
	"github.com/coatcheck/session/guard"
)

var field = regexp.MustCompile(`name="csrf_token" value="([^"]+)"`)

func token(t *testing.T, b *browser.Browser) string {
	t.Helper()
	_, body := b.Get("/")
	m := field.FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("no token in %s", body)
	}
	return m[1]
}

func TestOnlyFormsOfThisSiteAreTaken(t *testing.T) {
	address, stop, err := browser.Serve(app)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	b := browser.Open(address)
	before := token(t, b)
	form := func(token string) url.Values {
		return url.Values{"user": {"ada"}, "email": {"ada@example.com"}, guard.CSRFFormField: {token}}
	}
	if status, _ := b.PostOld("/login", form("")); status != 403 {
		t.Errorf("a login without a token: status %d, want 403", status)
	}
	if status, body := b.PostOld("/login", form(before)); status != 200 || !strings.Contains(body, "ada: no address") {
		t.Errorf("a login with the token of the page: status %d: %s", status, body)
	}
	if status, _ := b.PostOld("/email", form(before)); status != 403 {
		t.Errorf("the token from before the login: status %d, want 403", status)
	}
	after := token(t, b)
	for what, send := range map[string]func() (int, string){
		"the field": func() (int, string) { return b.PostOld("/email", form(after)) },
		"the header": func() (int, string) {
			return b.Post("/email", form(""), "Sec-Fetch-Site: ", guard.CSRFHeader+": "+after)
		},
		"a browser of today, without a token": func() (int, string) { return b.Post("/email", form("")) },
	} {
		if status, body := send(); status != 200 || !strings.Contains(body, "ada: ada@example.com") {
			t.Errorf("%s: status %d: %s", what, status, body)
		}
	}
	for _, header := range []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site"} {
		if status, _ := b.Post("/email", form(after), header); status != 403 {
			t.Errorf("%s: status %d, want 403", header, status)
		}
	}
	other := browser.Open(address)
	if status, _ := other.PostOld("/login", form(after)); status != 403 {
		t.Errorf("the token of somebody else: status %d, want 403", status)
	}
}
