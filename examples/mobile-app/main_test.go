package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coatcheck/session/examples/internal/browser"
)

// phone is the app: it keeps the ticket of the last response that had the header, and the cookie of its device.
type phone struct {
	t       *testing.T
	address string
	ticket  string
	device  *http.Cookie
}

func (p *phone) send(method, path, body string) (int, string) {
	p.t.Helper()
	r, err := http.NewRequest(method, p.address+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Accept", "application/json")
	if p.ticket != "" {
		r.Header.Set("X-Session", "Bearer "+p.ticket)
	}
	if p.device != nil {
		r.AddCookie(p.device)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	if values, ok := resp.Header["X-Session"]; ok {
		p.ticket = values[0]
	}
	for _, c := range resp.Cookies() {
		if c.Name != "device" { // over HTTPS __Host-device
			p.t.Errorf("%s %s sets the cookie %s", method, path, c.Name)
		}
		p.device = c
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestAnAppSignsInByHeader(t *testing.T) {
	address, stop, err := browser.Serve(app, options)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	p := &phone{t: t, address: address}
	want := func(method, path, body string, status int, text string) {
		t.Helper()
		if got, answer := p.send(method, path, body); got != status || !strings.Contains(answer, text) {
			t.Errorf("%s %s: status %d, %q, want %d and %q", method, path, got, answer, status, text)
		}
	}
	want("GET", "/me", "", 401, `"reason":"user"`)
	want("POST", "/login", `{"user":"ada","password":"correct horse"}`, 204, "")
	if p.ticket == "" {
		t.Fatal("no ticket after the login")
	}
	want("GET", "/me", "", 200, `{"color":"blue","user":"ada"}`)
	want("PUT", "/me/color/green", "", 204, "")
	want("GET", "/me", "", 200, `{"color":"green","user":"ada"}`)
	old := p.ticket
	want("POST", "/logout", "", 204, "")
	if p.ticket != "" {
		t.Error("the app still has a ticket after the logout")
	}
	p.ticket = old
	want("GET", "/me", "", 401, `"reason":"user"`)
	want("POST", "/login", "{", 400, "JSON")
	want("POST", "/login", strings.Repeat(" ", 5000), 413, "body")
	want("POST", "/login", `{"user":"ada","password":"guess"}`, 422, "match")
}

func TestStrangersCannotLockAPhoneOut(t *testing.T) {
	address, stop, err := browser.Serve(app, options)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	phone, stranger := &phone{t: t, address: address}, &phone{t: t, address: address}
	const owner = `{"user":"Ada","password":"correct horse"}`
	phone.send("POST", "/login", owner)
	status := 0
	for range 11 {
		status, _ = stranger.send("POST", "/login", `{"user":"ada","password":"guess"}`)
	}
	if status != http.StatusTooManyRequests {
		t.Errorf("the eleventh guess: status %d, want 429", status)
	}
	if status, answer := phone.send("POST", "/login", owner); status != http.StatusNoContent {
		t.Errorf("the owner: status %d, %s, want 204", status, answer)
	}
}
