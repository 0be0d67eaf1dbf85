package session

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const maxUserAgent = 256

// noteClient notes the client of the request, for lists of sessions, before the first commit. It holds no lock while it
// calls Options.ClientIP.
func (s *Session) noteClient() {
	if s.ex == nil {
		return
	}
	s.client.Do(func() {
		ip, ua := s.m.opts.ClientIP(s.ex.r).Unmap().WithZone(""), s.ex.r.UserAgent()
		s.mu.Lock()
		defer s.mu.Unlock()
		if rec := s.draft.rec; rec == nil || rec.UserAgent != ua { // what is stored is clean
			ua = cleanUserAgent(ua)
		}
		s.draft.ip, s.draft.ua = ip, ua
	})
}

// nothingToDo reports whether a commit would do nothing. Then a last one is over at once, unless one is under way that may leave
// something to tell the client.
func (s *Session) nothingToDo(mode commitMode) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	idle := s.draft.nothingToDo(mode) && !(s.busy && mode.last)
	if idle && mode.last {
		s.ex.sent.Store(true)
	}
	return idle
}

// takeReply returns what to tell the client about its ticket, and until when it should keep it.
func (s *Session) takeReply() (r reply, text string, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, s.draft.reply = s.draft.reply, replyNothing
	if r != replyTicket {
		return r, "", time.Time{}
	}
	at := s.draft.place
	if l := s.draft.leaving; at.rec == nil && l != nil { // a commit failed to end it, so it is still the client's
		at = *l
	}
	if at.rec == nil { // and an empty ticket would delete the cookie
		return replyNothing, "", time.Time{}
	}
	if at.rec.Persistent {
		until = at.rec.ExpiresAt
		if until.IsZero() {
			until = s.m.now().Add(maxCookieAge)
		}
	}
	if s.m.carried != nil {
		return r, at.token, until
	}
	return r, at.ticket.text(s.m.ring(), s.m.transport.Name()), until
}

// cleanUserAgent removes control and bidirectional characters and cuts at a rune.
func cleanUserAgent(ua string) string {
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

// SkipHeader returns a predicate for Options.Skip: requests with this header, and the value if it is not "*", have no
// session. Any client can send a header: use one that your proxy sets or removes.
func SkipHeader(name, value string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		values := r.Header.Values(name)
		return slices.Contains(values, value) || value == "*" && len(values) > 0
	}
}

// peerIP is the address of the peer.
func peerIP(r *http.Request) netip.Addr {
	return parseAddr(r.RemoteAddr)
}

// parseAddr reads an address with or without a port, brackets and a zone. It is invalid for anything else.
func parseAddr(text string) netip.Addr {
	text = strings.Trim(strings.TrimSpace(text), `"`)
	if host, _, err := net.SplitHostPort(text); err == nil {
		text = host
	}
	addr, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap().WithZone("")
}

// ClientIPFrom returns a function for Options.ClientIP that believes proxies at these addresses. It goes through
// X-Forwarded-For or Forwarded (RFC 7239) from the right, past trusted proxies, to the first address that is not one. An
// entry that is no address ends the walk at the proxy that wrote it. When both headers are there and differ, a client
// may have made up one of them: then the peer is all that is known.
func ClientIPFrom(trusted ...netip.Prefix) func(*http.Request) netip.Addr {
	trusted = slices.Clone(trusted)
	return func(r *http.Request) netip.Addr {
		peer := peerIP(r)
		if !isTrusted(peer, trusted) {
			return peer
		}
		var clients []netip.Addr
		for _, list := range [][]string{forwardedFor(r.Header["X-Forwarded-For"]), forwarded(r.Header["Forwarded"])} {
			if len(list) > 0 {
				clients = append(clients, walkBack(peer, list, trusted))
			}
		}
		if len(clients) == 0 || clients[0] != clients[len(clients)-1] {
			return peer
		}
		return clients[0]
	}
}

func isTrusted(addr netip.Addr, trusted []netip.Prefix) bool {
	return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
}

func walkBack(peer netip.Addr, list []string, trusted []netip.Prefix) netip.Addr {
	client := peer
	for _, text := range slices.Backward(list) {
		addr := parseAddr(text)
		if !addr.IsValid() {
			return client
		}
		if client = addr; !isTrusted(addr, trusted) {
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
