package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// client is a browser without passkeys.
func client(t *testing.T) (*http.Client, string) {
	t.Helper()
	sessions, err := session.New(memstore.New(memstore.Options{}), session.Options{
		Secrets: []session.Secret{session.NewSecret()}, SweepEvery: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sessions.Close() })
	handler, err := app(sessions, "https://app.example.com")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	c := server.Client()
	if c.Jar, err = cookiejar.New(nil); err != nil {
		t.Fatal(err)
	}
	return c, server.URL
}

func send(t *testing.T, c *http.Client, method, address, kind, body string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

func TestThePagesAskForAPasskeyWhereTheySaySo(t *testing.T) {
	c, address := client(t)
	_, text := send(t, c, "GET", address+"/", "", "")
	if !strings.Contains(text, "Sign in with a passkey") {
		t.Errorf("a stranger gets %s", text)
	}
	for path, want := range map[string]string{"/app.js": "import", "/passkey.js": "export async function signIn"} {
		if resp, text := send(t, c, "GET", address+path, "", ""); !strings.Contains(text, want) ||
			!strings.HasPrefix(resp.Header.Get("Content-Type"), "text/javascript") {
			t.Errorf("%s: %s %s", path, resp.Header.Get("Content-Type"), text)
		}
	}
	const form = "application/x-www-form-urlencoded"
	_, text = send(t, c, "POST", address+"/sign-in", form, url.Values{"user": {"ada"}}.Encode())
	if !strings.Contains(text, "Hello, ada") {
		t.Errorf("signing in leads to %s", text)
	}
	resp, text := send(t, c, "POST", address+"/passkey/register/begin", "application/json", "{}")
	if resp.StatusCode != http.StatusOK {
		t.Errorf("adding a passkey: %d %s", resp.StatusCode, text)
	}
	resp, text = send(t, c, "GET", address+"/pay", "", "")
	if resp.Request.URL.Path != "/confirm" || !strings.Contains(text, `data-then="/pay"`) {
		t.Errorf("paying leads to %s: %s", resp.Request.URL, text)
	}
}
