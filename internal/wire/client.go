package wire

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxUserAgent = 256

// UserAgent is the clean user agent of a request. known is one that is clean, and mostly that of the request.
func UserAgent(r *http.Request, known string) string {
	ua := ""
	if lines := r.Header["User-Agent"]; len(lines) > 0 { // as net/http looks for it, which makes sure of the name first
		ua = lines[0]
	}
	if ua != known {
		return CleanUserAgent(ua)
	}
	return known
}

// CleanUserAgent removes control and bidirectional characters and cuts at a rune.
func CleanUserAgent(ua string) string {
	if len(ua) > 4*maxUserAgent { // nothing beyond can matter
		ua = ua[:4*maxUserAgent]
	}
	if printable(ua) {
		return ua[:min(len(ua), maxUserAgent)]
	}
	ua = strings.Map(func(r rune) rune {
		if r >= ' ' && r < 0x7f {
			return r
		}
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return -1
		}
		return r
	}, ua)
	if len(ua) <= maxUserAgent {
		return ua
	}
	end := maxUserAgent
	for !utf8.RuneStart(ua[end]) {
		end--
	}
	return ua[:end]
}

// printable reports whether there is nothing to remove, as nearly always.
func printable(ua string) bool {
	for i := range len(ua) {
		if ua[i] < ' ' || ua[i] >= 0x7f {
			return false
		}
	}
	return true
}

// Peer is the address of the peer of a request, invalid when there is none, as on a socket of Unix.
func Peer(r *http.Request) netip.Addr {
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil { // as a server writes it
		return at.Addr().Unmap().WithZone("")
	}
	return parseAddr(r.RemoteAddr)
}

// parseAddr reads an address with or without a port, brackets and a zone. It is invalid for anything else.
func parseAddr(text string) netip.Addr {
	text = strings.Trim(strings.TrimSpace(text), `"`)
	if host, _, err := net.SplitHostPort(text); err == nil {
		text = host
	}
	addr, _ := netip.ParseAddr(strings.Trim(text, "[]")) // invalid where it is none
	return addr.Unmap().WithZone("")
}

// Proxies are the addresses of proxies that are believed. Nil believes nobody. It is safe for concurrent use.
type Proxies []netip.Prefix

// Client is the address of the client of a request. It goes through X-Forwarded-For or Forwarded (RFC 7239) from the
// right, past these proxies, to the first address that is not one. An entry that is not an address ends the walk at the
// proxy that wrote it. If both headers are there and differ, a client may have made up one of them, and the peer is all
// that is known.
func (trusted Proxies) Client(r *http.Request) netip.Addr {
	peer := Peer(r)
	if !trusted.include(peer) {
		return peer
	}
	var clients []netip.Addr
	for _, list := range [][]string{forwardedFor(r.Header["X-Forwarded-For"]), forwarded(r.Header["Forwarded"])} {
		if len(list) > 0 {
			clients = append(clients, trusted.walkBack(peer, list))
		}
	}
	if len(clients) == 0 || clients[0] != clients[len(clients)-1] {
		return peer
	}
	return clients[0]
}

func (trusted Proxies) include(addr netip.Addr) bool {
	return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
}

func (trusted Proxies) walkBack(peer netip.Addr, list []string) netip.Addr {
	client := peer
	for _, text := range slices.Backward(list) {
		addr := parseAddr(text)
		if !addr.IsValid() {
			return client
		}
		if client = addr; !trusted.include(addr) {
			return client
		}
	}
	return client
}

func forwardedFor(lines []string) []string {
	if len(lines) == 0 {
		return nil
	}
	return strings.Split(strings.Join(lines, ","), ",")
}

// forwarded returns the "for" parameter of each element, "" for an element without one.
func forwarded(lines []string) []string {
	var list []string
	for _, element := range forwardedFor(lines) {
		client := ""
		for param := range strings.SplitSeq(element, ";") {
			name, value, _ := strings.Cut(param, "=")
			if strings.EqualFold(strings.TrimSpace(name), "for") {
				client = value
			}
		}
		list = append(list, client)
	}
	return list
}

// IsForwarded reports whether a proxy seems to have passed the request on. What it spoke to the client is its own
// affair.
func IsForwarded(h http.Header) bool {
	for name := range h {
		if name == "Forwarded" || name == "Via" || strings.HasPrefix(name, "X-Forwarded-") {
			return true
		}
	}
	return false
}

// IsLoopback reports whether a Host header names the machine that the client runs on.
func IsLoopback(host string) bool {
	if addr := parseAddr(host); addr.IsValid() {
		return addr.IsLoopback()
	}
	name, _, _ := strings.Cut(strings.ToLower(host), ":")
	name = strings.TrimSuffix(name, ".")
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}
