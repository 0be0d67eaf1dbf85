package session

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coatcheck/session/internal/keys"
	"github.com/coatcheck/session/internal/life"
	"github.com/coatcheck/session/internal/wire"
)

// Cookie says how the session cookie is set. The zero value is the safe one: the cookie reaches only this host, over
// HTTPS, scripts cannot read it, and it travels with links from other sites but not with their forms.
type Cookie struct {
	// Name of the cookie. "": "__Host-Http-session", which no script can set in Chrome from 140 and Firefox from 143;
	// with ScriptAccess "__Host-session", and "session" when Insecure, Domain or Path rule the prefix out. Change it
	// whenever you change Domain or Path: browsers keep the old cookie beside the new one and send both, and if two
	// come, neither is believed.
	Name string
	// FormerNames are names that the cookie had before. If there is no session under Name, theirs is opened and sent
	// again under Name, so that a rename signs nobody out; a logout ends it, too. A sibling host can plant a cookie
	// whose name lacks __Host-: remove such a name when the longest session is over. If nodes with the old name are
	// still running, first give those the new name as a former one. A former cookie with another Domain or Path stays
	// in the browser; after a logout it leads nowhere, unless the store is a cookiestore without Revocations. With a
	// cookiestore, a session that fills the cookie under a shorter name is only read under a longer one, until a change
	// makes it smaller. New refuses former names where Options.Transport has no cookie.
	FormerNames []string
	// Domain shares the cookie with the subdomains of this domain. "": only the host that set it.
	Domain string
	// Path limits the cookie to a part of the site. "": "/". A request for another path has no session, and setting a
	// value there is an error, because no browser would bring the ticket back.
	Path string
	// SameSite is http.SameSiteLaxMode (also when 0), http.SameSiteStrictMode or http.SameSiteNoneMode.
	SameSite http.SameSite
	// Insecure leaves out the Secure attribute. For development without HTTPS only.
	Insecure bool
	// ScriptAccess leaves out the HttpOnly attribute.
	ScriptAccess bool
	// Partitioned makes browsers keep a separate cookie for every top-level site (CHIPS).
	Partitioned bool
	// Persistent makes the cookie survive closing the browser, until the session's own end. Session.SetPersistent and
	// Remember decide it for one session.
	Persistent bool
}

// resolve fills in what was left at zero.
func (c Cookie) resolve() Cookie {
	if c.Path == "" {
		c.Path = "/"
	}
	c.FormerNames = slices.Clone(c.FormerNames)
	if c.SameSite == 0 {
		c.SameSite = http.SameSiteLaxMode
	}
	if c.Name == "" {
		switch {
		case c.Insecure || c.Domain != "" || c.Path != "/":
			c.Name = "session"
		case c.ScriptAccess:
			c.Name = "__Host-session"
		default:
			c.Name = "__Host-Http-session"
		}
	}
	return c
}

// check refuses what browsers would drop without a word, and what could smuggle in further attributes.
func (c Cookie) check() error {
	c = c.resolve()
	var problems []error
	refuse := func(bad bool, why string) {
		if bad {
			problems = append(problems, errors.New("Cookie."+why))
		}
	}
	refuse(!wire.IsToken(c.Name), "Name: use letters, digits and -_.!#$%&'*+^`|~ only")
	refuse(len(c.Name)+keys.TicketSize > wire.MaxCookieSize, "Name: too long for browsers")
	refuse(!wire.IsDomain(c.Domain), "Domain: not a domain name; use one such as example.com, without port, or leave "+
		"it empty")
	refuse(!wire.IsPath(c.Path), "Path: must begin with /, not end in a space, and have no semicolon, control or "+
		"non-ASCII characters")
	refuse(c.SameSite < http.SameSiteLaxMode || c.SameSite > http.SameSiteNoneMode, "SameSite: use Lax, Strict or None")
	refuse(c.SameSite == http.SameSiteNoneMode && c.Insecure, "SameSite: None needs Secure; unset Insecure")
	refuse(c.Partitioned && c.Insecure, "Partitioned: needs Secure; unset Insecure")
	return errors.Join(append(problems, c.checkPrefix(), c.checkFormer())...)
}

// checkPrefix applies the rules of the name prefixes.
func (c Cookie) checkPrefix() error {
	sent := c.attributes()
	sent.Name = c.Name
	if err := wire.CheckPrefix(&sent); err != nil {
		return fmt.Errorf("Cookie.Name: %w (Insecure takes Secure away, and ScriptAccess HttpOnly)", err)
	}
	return nil
}

// cookieTransport is the Transport of Options.Cookie.
type cookieTransport struct {
	Cookie
	pieces wire.Pieces // one cookie only, unless the record is in the token
	lines  *wire.Lines
}

func newCookieTransport(c Cookie, pieces wire.Pieces) cookieTransport {
	return cookieTransport{c, pieces, wire.NewLines(c.attributes(), life.MaxAge)}
}

// attributes are what the cookie is sent with.
func (c Cookie) attributes() http.Cookie {
	return http.Cookie{
		Path: c.Path, Domain: c.Domain, Secure: !c.Insecure, HttpOnly: !c.ScriptAccess, SameSite: c.SameSite,
		Partitioned: c.Partitioned,
	}
}

func (t cookieTransport) Name() string   { return t.Cookie.Name }
func (t cookieTransport) VaryOn() string { return "Cookie" }

func (t cookieTransport) Read(r *http.Request) (string, error) {
	return wellFormed(t.pieces.Read(r.Header["Cookie"]))
}

func (t cookieTransport) Write(h http.Header, ticket string, until, now time.Time) {
	h.Add("Set-Cookie", t.lines.Line(t.Cookie.Name, ticket, until, now))
}

// put sets a cookie whose value the manager has made.
func (t cookieTransport) put(h http.Header, name, value string, until, now time.Time) {
	h["Set-Cookie"] = append(h["Set-Cookie"], t.lines.Ticket(name, value, until, now))
}

// tellClient gives the client its token, "" to forget the one it has, and removes what is left of a longer one.
func (m *Manager) tellClient(r *http.Request, h http.Header, token string, until time.Time) {
	carrier := m.carrierOf(r)
	t, ok := carrier.(cookieTransport)
	if !ok {
		carrier.Write(h, token, until, m.now())
		return
	}
	t.forgetFormer(r, h)
	var now time.Time // which does not matter to a cookie that ends with the browser
	if !until.IsZero() {
		now = m.now()
	}
	t.pieces.Write(r.Header["Cookie"], token, func(name, value string) { t.put(h, name, value, until, now) })
}

// owns reports whether a cookie is, was, or may become, part of the session's.
func (m *Manager) owns(cookie string) bool {
	t, ok := m.cookie()
	if !ok {
		return cookie == m.opts.Cookie.Name
	}
	return slices.ContainsFunc(append([]string{t.Cookie.Name}, t.FormerNames...), func(own string) bool {
		return slices.Contains(t.pieces.Named(own).Names(), cookie)
	})
}

// warnOfPlainHTTP says once that browsers will drop the cookie: each of their requests then begins a new session. Most
// take it from the machine that they run on. Behind a proxy that speaks HTTPS, and adds no header at all, the warning
// is mistaken.
func (m *Manager) warnOfPlainHTTP(r *http.Request) {
	_, byCookie := m.carrierOf(r).(cookieTransport)
	if !byCookie || m.opts.Cookie.Insecure || r.TLS != nil || wire.IsForwarded(r.Header) || wire.IsLoopback(r.Host) {
		return
	}
	m.warnedOfPlainHTTP.Do(func() {
		m.opts.Logger.WarnContext(r.Context(), "session: a Secure cookie went out over plain HTTP, and browsers drop "+
			"it unless a proxy adds HTTPS: use HTTPS, or Cookie.Insecure in development")
	})
}

// hostPrefixed reports whether no sibling host can plant the cookie, under a former name either.
func (c Cookie) hostPrefixed() bool {
	open := func(name string) bool { return !wire.PrefixOf(name).Host }
	return !open(c.Name) && !slices.ContainsFunc(c.FormerNames, open)
}

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
	t.Cookie.Name = name
	return newCookieTransport(t.Cookie, t.pieces.Named(name))
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
		if text, ok := t.pieces.Named(name).Read(r.Header["Cookie"]); ok && text != "" {
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
