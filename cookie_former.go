package session

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coatcheck/session/internal/wire"
)

// A cookie that is renamed is still out there under its former names, with tickets that were signed for them. What it
// names is opened, sent anew under the new name, and the former cookie removed by the same response.

// checkFormer refuses former names that no cookie has, or that are those of the cookie itself or of one another.
func (c Cookie) checkFormer() error {
	for i, name := range c.FormerNames {
		switch {
		case !wire.IsToken(name):
			return errors.New("Cookie.FormerNames: a name has letters, digits and -_.!#$%&'*+^`|~ only")
		case name == c.Name:
			return fmt.Errorf("Cookie.FormerNames: %q is the cookie's name; leave it out", name)
		case slices.Contains(c.FormerNames[:i], name):
			return fmt.Errorf("Cookie.FormerNames: %q is there twice; leave one out", name)
		}
		for _, other := range append(c.FormerNames[:i:i], c.Name) {
			if strings.HasPrefix(name, other+".") || strings.HasPrefix(other, name+".") {
				return fmt.Errorf("Cookie.FormerNames: %q and %q may be parts of one session; choose another name",
					name, other)
			}
		}
	}
	return nil
}

// named is the transport of the same cookie under a former name. A prefix asks for attributes that the cookie may not
// have now.
func (t cookieTransport) named(name string) cookieTransport {
	if strings.HasPrefix(name, "__") {
		t.Insecure, t.ScriptAccess = false, false
	}
	if wire.PrefixOf(name).Host {
		t.Domain, t.Path = "", "/"
	}
	t.Cookie.Name, t.pieces = name, t.pieces.Named(name)
	return t
}

// former are the tickets in former cookies of the request, unless it brings one in another transport.
func (m *Manager) former(r *http.Request) []string {
	if len(m.formerNames) == 0 {
		return nil
	}
	t, _ := m.carrierOf(r).(cookieTransport)
	return t.former(r)
}

// former are the tickets in former cookies of the request. One that came twice is not believed.
func (t cookieTransport) former(r *http.Request) (tickets []string) {
	for _, name := range t.FormerNames {
		if text, err := t.named(name).Read(r); err == nil && text != "" {
			tickets = append(tickets, text)
		}
	}
	return tickets
}

// forgetFormer removes the former cookies that came with the request.
func (t cookieTransport) forgetFormer(r *http.Request, h http.Header) {
	for _, name := range t.FormerNames {
		old := t.named(name)
		for _, piece := range old.pieces.Names() {
			if _, n := wire.Find(r.Header["Cookie"], piece); n > 0 {
				old.put(h, piece, "", time.Time{}, time.Time{})
			}
		}
	}
}
