// Package conformance checks a server for what browsers expect of it with Device Bound Session Credentials (DBSC), and
// for what an attacker must not get. It runs against the URL of any server, whatever it is written in:
//
//	func TestServer(t *testing.T) {
//		conformance.Run(t, conformance.Server{
//			Origin: "https://app.example.test",
//			SignIn: func(b *sessiontest.Browser) { b.Post("/login?user=ada") },
//			SignOut: func(b *sessiontest.Browser) { b.Post("/logout") },
//			SignedIn: func(b *sessiontest.Browser) bool { return b.Get("/account").StatusCode == http.StatusOK },
//		})
//	}
//
// Each case names the sentence of the editor's draft of 17 February 2026 that it stands for, or the file of
// web-platform-tests which tests that browsers rely on it. It plays the browser itself and needs none.
package conformance

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session/sessiontest"
)

// Server is a server under test, and how its pages are used.
type Server struct {
	// Origin is where it is, such as "https://localhost:8443".
	Origin string

	// Transport sends the requests. nil: http.DefaultTransport. It follows no redirect.
	Transport http.RoundTripper

	// SignIn makes the browser sign in, by a response that offers a registration.
	SignIn func(*sessiontest.Browser)

	// SignOut ends the session of the browser.
	SignOut func(*sessiontest.Browser)

	// SignedIn reports whether the server takes the browser for signed in.
	SignedIn func(*sessiontest.Browser) bool

	// Lax is set for a server that lets a bound session in without its bound cookie. What it would open is not checked.
	Lax bool
}

// rule is one thing that a server does.
type rule struct {
	name  string
	from  string // the sentence that it stands for, or the file
	check func(*env) error
}

// Run checks every rule in a subtest of its own, each with fresh browsers.
func Run(t *testing.T, s Server) {
	t.Helper()
	for _, r := range rules() {
		t.Run(strings.ReplaceAll(r.name, " ", "_"), func(t *testing.T) {
			if err := s.check(t, r); err != nil {
				t.Errorf("%v\nThe rule: %s.\nIt stands for: %s", err, r.name, r.from)
			}
		})
	}
}

// Check is Run without subtests: it returns what is wrong, with the names of the rules.
func Check(t testing.TB, s Server) error {
	var wrong []error
	for _, r := range rules() {
		if err := s.check(t, r); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", r.name, err))
		}
	}
	return errors.Join(wrong...)
}

func (s Server) check(t testing.TB, r rule) error {
	if s.Transport == nil {
		s.Transport = http.DefaultTransport
	}
	return r.check(&env{t: t, s: s})
}

// env is what one rule has.
type env struct {
	t testing.TB
	s Server
}

// client is a browser and what it said and heard.
type client struct {
	*sessiontest.Browser
	tap *tap
}

func (e *env) client() *client {
	tap := &tap{to: e.s.Transport}
	return &client{sessiontest.NewRemoteBrowser(e.t, time.Now, e.s.Origin, tap), tap}
}

// signIn is a client with a bound session.
func (e *env) signIn() (*client, error) {
	c := e.client()
	e.s.SignIn(c.Browser)
	if len(c.Sessions()) != 1 {
		return nil, fmt.Errorf("a sign-in leaves the browser with %d sessions, want one; it sent %q", len(c.Sessions()),
			c.Log())
	}
	return c, nil
}

// offered is a client that has signed in, and has not registered yet.
func (e *env) offered() *client {
	c := e.client()
	c.Hold = true
	e.s.SignIn(c.Browser)
	return c
}
