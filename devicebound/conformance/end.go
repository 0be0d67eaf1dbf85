package conformance

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/coatcheck/session/internal/dbsc"
)

func endRules() []rule {
	return []rule{
		{"a session that is over makes the browser forget it", "If the status is at least 400 and below 500, then " +
			"terminate the session; refresh-with-continue-false.https.html, clear-site-data.https.html", forgets},
		{"a session that nobody has is over", "Look up the public key and recent challenges for the session by " +
			"identifier", unknown},
		{"a refresh names its session", "Servers can check for a valid Sec-Secure-Session-Id header to ensure that " +
			"incoming requests are initiated by the user agent", names},
		{"other origins learn nothing", "the /refresh endpoint can refuse to ever return " +
			"Access-Control-Allow-Credentials", closed},
		{"cookies without the key are worth nothing", "to verify that a session credential has not been exported " +
			"from a device", worthless},
		{"a session of one user is no key to another", "Validate with the correct key", apart},
	}
}

func forgets(e *env) error {
	c, err := e.signIn()
	if err != nil {
		return err
	}
	copied := c.Copy()
	copied.Deaf = true
	e.s.SignOut(copied) // elsewhere, so that this browser does not know
	c.Refresh()
	said, err := c.tap.refresh()
	switch {
	case err != nil:
		return err
	case !said.ends() || said.sets():
		return fmt.Errorf("status %d, cookies %v, want one that ends the session", said.resp.StatusCode,
			said.resp.Cookies())
	case e.s.SignedIn(c.Browser):
		return errors.New("the browser is signed in after it has signed out")
	}
	return nil
}

func unknown(e *env) error {
	c, err := e.signIn()
	if err != nil {
		return err
	}
	c.Alter = func(r *http.Request) { r.Header.Set(dbsc.SessionID, "AAAAAAAAAAAAAAAAAAAAAA") }
	c.Refresh()
	said, err := c.tap.refresh()
	if err == nil && (!said.ends() || said.sets()) {
		err = fmt.Errorf("status %d, want one that ends the session", said.resp.StatusCode)
	}
	return err
}

func names(e *env) error {
	c, err := e.signIn()
	if err != nil {
		return err
	}
	c.Refresh()
	said, err := c.tap.refresh()
	if err != nil {
		return err
	}
	last := said.r.Clone(said.r.Context())
	last.Header.Del(dbsc.SessionID)
	last.Header.Del("Cookie")
	c.Deaf = true
	if resp := c.Do(last); (talk{resp: resp}).gives() {
		return fmt.Errorf("status %d, cookies %v for a request without %s", resp.StatusCode, resp.Cookies(),
			dbsc.SessionID)
	}
	return nil
}

func closed(e *env) error {
	c, err := e.signIn()
	if err != nil {
		return err
	}
	c.Alter = func(r *http.Request) {
		r.Header.Set("Origin", "https://elsewhere.example")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "cors")
	}
	c.Refresh()
	said, err := c.tap.refresh()
	if err == nil && said.resp.Header.Get("Access-Control-Allow-Credentials") != "" {
		err = errors.New("it is allowed to read the answer with credentials")
	}
	return err
}

// worthless takes the bound cookie away, as its age does.
func worthless(e *env) error {
	if e.s.Lax {
		return nil
	}
	c, _, a, err := e.instructed()
	if err != nil {
		return err
	}
	thief := c.Copy()
	for _, bound := range a.Credentials {
		thief.SetCookie(bound.Name, "")
	}
	if e.s.SignedIn(thief) {
		return errors.New("a copy of the cookies without the bound one is signed in")
	}
	if !e.s.SignedIn(c.Browser) {
		return errors.New("because of a copy the browser itself is not signed in any more")
	}
	return nil
}

// apart uses the bound cookie of one session with another.
func apart(e *env) error {
	if e.s.Lax {
		return nil
	}
	victim, err := e.signIn()
	if err != nil {
		return err
	}
	mallory, _, a, err := e.instructed()
	if err != nil {
		return err
	}
	thief := victim.Copy()
	for _, bound := range a.Credentials {
		thief.SetCookie(bound.Name, mallory.Cookie(bound.Name))
	}
	if e.s.SignedIn(thief) {
		return errors.New("the bound cookie of one session opens another")
	}
	return nil
}
