package session

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/coatcheck/session/internal/wire"
)

// Transport carries tickets between the client and the manager. Many requests use it at once.
type Transport interface {
	// Name is covered by the signature of the tickets, so that two managers refuse each other's.
	Name() string
	// VaryOn is the request header on which responses depend.
	VaryOn() string
	// Read returns the ticket of the request, "" when there is none, and ErrMalformed when there is more than one.
	Read(r *http.Request) (string, error)
	// Write puts the ticket into the header of the response; "" tells the client to forget the one it has. The client
	// should keep it until the time given, or until it closes when that is zero. now is the manager's clock.
	Write(h http.Header, ticket string, until, now time.Time)
}

// Header returns a transport for API clients and mobile apps: the ticket comes in the request header of that name, with
// or without "Bearer " before it, and a new one goes out in the response header of that name, empty after a logout. New
// refuses a name that means something else to proxies and clients, such as Cookie or Content-Length.
func Header(name string) Transport { return headerTransport(textproto.CanonicalMIMEHeaderKey(name)) }

// Bearer returns a transport for API clients: the ticket comes in "Authorization: Bearer …" (RFC 6750), and a new one
// goes out in the response header of that name, empty after a logout. Other schemes in Authorization bring no ticket. A
// script on another origin can read the header only if Access-Control-Expose-Headers names it. New refuses a name that
// has another meaning, as for Header.
func Bearer(responseHeader string) Transport {
	return bearer{headerTransport(textproto.CanonicalMIMEHeaderKey(responseHeader))}
}

// Transports returns a transport for several kinds of clients on one manager, such as browsers and apps. If a request
// brings several tickets, the first one in the given order counts, good or bad, and the reply goes the same way. A
// client that brings none gets a ticket through the first transport, so an app that has none yet sends any text in its
// place, such as "Bearer none". nil is the cookie of Options.Cookie:
//
//	opts.Transport = session.Transports(nil, session.Bearer("X-Session"))
//
// A ticket issued through one of them is accepted through the others, too, and so is one from a manager that had only
// one of them. New refuses the same transport twice.
func Transports(first Transport, more ...Transport) Transport {
	var all transports
	for _, t := range append([]Transport{first}, more...) {
		many, ok := t.(transports)
		switch {
		case ok:
			all = append(all, many...)
		case isNil(t):
			all = append(all, cookieTransport{}) // New knows which
		default:
			all = append(all, t)
		}
	}
	return all
}

// VaryOn is the request header in which the tickets of this manager come, or a list of them: "Cookie" unless
// Options.Transport says otherwise. It is for middleware that must tell browsers from programs.
func (m *Manager) VaryOn() string { return m.transport.VaryOn() }

// Transport is how the tickets of this manager come and go: the transport of the options, with the cookie in place of
// nil.
func (m *Manager) Transport() Transport { return m.transport }

// ByHeader reports whether the request brings a ticket, good or bad, in a header by Header or Bearer, and not in a
// cookie. No other site can make a browser send one. It is for middleware that must tell browsers from programs.
func (m *Manager) ByHeader(r *http.Request) bool {
	t := m.carrierOf(r)
	switch t.(type) {
	case headerTransport, bearer:
		text, err := t.Read(r)
		return err == nil && text != "" && !strings.Contains(text, " ") // such as Basic, which browsers send
	}
	return false
}

// carrierOf is the transport in which the ticket of the request came, and its reply goes.
func (m *Manager) carrierOf(r *http.Request) Transport {
	if many, ok := m.transport.(transports); ok {
		return many.of(r)
	}
	return m.transport
}

// setCookie puts the cookie where the transport has one.
func (m *Manager) setCookie(t cookieTransport) {
	switch now := m.transport.(type) {
	case cookieTransport:
		m.transport = t
	case transports:
		m.transport = now.withCookie(t)
	}
}

// cookie is the cookie among the transports.
func (m *Manager) cookie() (cookieTransport, bool) {
	many, ok := m.transport.(transports)
	if !ok {
		many = transports{m.transport}
	}
	for _, one := range many {
		if t, ok := one.(cookieTransport); ok {
			return t, true
		}
	}
	return cookieTransport{}, false
}

// names are what tickets may be signed for: the first for new ones.
func (m *Manager) names() []string {
	names := append([]string{m.transport.Name()}, m.formerNames...)
	if many, ok := m.transport.(transports); ok {
		for _, t := range many[1:] {
			names = append(names, t.Name())
		}
	}
	return names
}

// transports are one or more, each of them once.
type transports []Transport

func (t transports) check() error {
	seen := map[string]bool{}
	var problems []error
	for _, one := range t {
		if c, ok := one.(interface{ check() error }); ok {
			problems = append(problems, c.check())
		}
		if name := one.Name(); seen[name] {
			problems = append(problems, fmt.Errorf("Transport: %q comes twice; drop one", cmp.Or(name, "the cookie")))
		}
		seen[one.Name()] = true
	}
	return errors.Join(problems...)
}

func (t transports) withCookie(c cookieTransport) transports {
	with := slices.Clone(t)
	for i := range with {
		if _, ok := with[i].(cookieTransport); ok {
			with[i] = c
		}
	}
	return with
}

// of is the one that carries the ticket of the request.
func (t transports) of(r *http.Request) Transport {
	for _, one := range t {
		text, err := one.Read(r)
		c, ok := one.(cookieTransport)
		if text != "" || err != nil || ok && len(c.former(r)) > 0 {
			return one
		}
	}
	return t[0]
}

func (t transports) Name() string                         { return t[0].Name() }
func (t transports) Read(r *http.Request) (string, error) { return t.of(r).Read(r) }

func (t transports) VaryOn() string {
	fields := make([]string, len(t))
	for i, one := range t {
		fields[i] = one.VaryOn()
	}
	return strings.Join(fields, ", ")
}

func (t transports) Write(h http.Header, ticket string, until, now time.Time) {
	t[0].Write(h, ticket, until, now)
}

// bearer reads Authorization and answers in another header.
type bearer struct{ reply headerTransport }

func (t bearer) check() error   { return t.reply.check() }
func (t bearer) Name() string   { return "bearer" }
func (t bearer) VaryOn() string { return "Authorization" }

func (t bearer) Read(r *http.Request) (string, error) {
	return wellFormed(wire.BearerToken(r.Header["Authorization"], true))
}

func (t bearer) Write(h http.Header, ticket string, until, now time.Time) {
	t.reply.Write(h, ticket, until, now)
}

type headerTransport string

func (t headerTransport) check() error {
	switch {
	case !wire.IsToken(string(t)):
		return fmt.Errorf("Transport: %q is not the name of a header", string(t))
	case wire.HasMeaning(string(t)):
		return fmt.Errorf("Transport: the header %s has another meaning; use Authorization, or a name of your own "+
			"such as X-Session", string(t))
	}
	return nil
}

func (t headerTransport) Name() string   { return "header " + string(t) }
func (t headerTransport) VaryOn() string { return string(t) }

func (t headerTransport) Read(r *http.Request) (string, error) {
	return wellFormed(wire.BearerToken(r.Header[string(t)], false))
}

// wellFormed makes an error of what cannot be read.
func wellFormed(text string, ok bool) (string, error) {
	if !ok {
		return "", ErrMalformed
	}
	return text, nil
}

func (t headerTransport) Write(h http.Header, ticket string, _, _ time.Time) {
	h[string(t)] = []string{ticket}
}
