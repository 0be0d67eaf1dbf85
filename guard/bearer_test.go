package guard_test

import (
	"net/http"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

// One manager serves browsers and apps: who brings a ticket in a header gets JSON unless a page is asked for.
func TestAnAppBesideBrowsersGetsJSON(t *testing.T) {
	r := newRig(t, guard.Options{LoginPage: "/login"}, func(o *session.Options) {
		o.Transport = session.Transports(nil, session.Bearer("X-Session"))
	})
	serve(t, r.User(inside), func(t *testing.T, client *http.Client, address string) {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		for _, tt := range []struct {
			header []string
			status int
		}{
			{nil, 303},
			{[]string{"Authorization: Bearer x"}, 401},
			{[]string{"Authorization: Bearer x", "Accept: */*"}, 401},
			{[]string{"Authorization: Bearer x", asPage}, 303},
			{[]string{"Authorization: Basic YQ=="}, 303},
			{[]string{"Cookie: __Host-Http-session=x", "Authorization: Bearer x"}, 303},
			{[]string{"Cookie: __Host-Http-session=x", asJSON}, 401},
		} {
			resp, body := askServer(t, client, "GET", address, tt.header...)
			if resp.StatusCode != tt.status {
				t.Errorf("%q: status %d %s, want %d", tt.header, resp.StatusCode, body, tt.status)
			}
		}
	})
}

// No other site can make a browser send a ticket in a header, and an app has no page with a token.
func TestATicketInAHeaderNeedsNoFormToken(t *testing.T) {
	r := newRig(t, guard.Options{}, func(o *session.Options) {
		o.Transport = session.Transports(nil, session.Bearer("X-Session"))
	})
	serve(t, r.CSRF(inside), func(t *testing.T, client *http.Client, address string) {
		for _, tt := range []struct {
			header []string
			status int
		}{
			{[]string{"Authorization: Bearer x"}, 200},
			{nil, 403},
			{[]string{"Authorization: Basic YQ=="}, 403},
			{[]string{"Authorization: Bearer x", "Cookie: __Host-Http-session=x"}, 403},
			{[]string{"Authorization: Bearer x", "Sec-Fetch-Site: cross-site"}, 403},
			{[]string{"Authorization: Bearer x", "Origin: https://evil.example"}, 403},
		} {
			resp, body := askServer(t, client, "POST", address, tt.header...)
			if resp.StatusCode != tt.status {
				t.Errorf("%q: status %d %s, want %d", tt.header, resp.StatusCode, body, tt.status)
			}
		}
	})
}
