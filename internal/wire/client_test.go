package wire_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/coatcheck/session/internal/wire"
)

// The peer is written as net/http writes it, and as tests, proxies and sockets do.
func TestThePeerIsOneAddressInOneSpelling(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.7:1234":        "192.0.2.7",
		"192.0.2.7":             "192.0.2.7",
		"[2001:db8::1]:99":      "2001:db8::1",
		"[2001:db8::1]":         "2001:db8::1",
		"[::ffff:192.0.2.7]:99": "192.0.2.7",
		"[fe80::1%eth0]:99":     "fe80::1",
		"":                      "invalid IP",
		"@":                     "invalid IP",
		"localhost:80":          "invalid IP",
		"192.0.2.010:80":        "invalid IP",
	} {
		if got := wire.Peer(&http.Request{RemoteAddr: text}).String(); got != want {
			t.Errorf("Peer(%q) = %s, want %s", text, got, want)
		}
	}
}

func TestNobodyIsBelievedByDefault(t *testing.T) {
	r := &http.Request{RemoteAddr: "10.0.0.1:1", Header: http.Header{"X-Forwarded-For": {"8.8.8.8"}}}
	for _, trusted := range []wire.Proxies{nil, {}, {netip.Prefix{}}, {netip.MustParsePrefix("192.0.2.0/24")}} {
		if got := trusted.Client(r).String(); got != "10.0.0.1" {
			t.Errorf("Client with %v trusted = %s, want the peer", trusted, got)
		}
	}
}

// A proxy writes one of the two headers. If both are there, they are believed as far as they say the same.
func TestAProxyIsBelievedUnlessItsHeadersDisagree(t *testing.T) {
	trusted := wire.Proxies{netip.MustParsePrefix("10.0.0.0/8")}
	for _, row := range []struct{ xff, forwarded, want string }{
		{"", "", "10.0.0.1"},
		{"192.0.2.7", "", "192.0.2.7"},
		{"", "for=192.0.2.7", "192.0.2.7"},
		{"", `by=10.0.0.1; For="[2001:db8::1]:99";proto=https`, "2001:db8::1"},
		{"", "for=192.0.2.7, proto=https", "10.0.0.1"},
		{"192.0.2.7", "for=192.0.2.7", "192.0.2.7"},
		{"192.0.2.7", "for=192.0.2.8", "10.0.0.1"},
	} {
		r := &http.Request{RemoteAddr: "10.0.0.1:1", Header: http.Header{}}
		if row.xff != "" {
			r.Header.Set("X-Forwarded-For", row.xff)
		}
		if row.forwarded != "" {
			r.Header.Set("Forwarded", row.forwarded)
		}
		if got := trusted.Client(r).String(); got != row.want {
			t.Errorf("X-Forwarded-For %q, Forwarded %q: Client = %s, want %s", row.xff, row.forwarded, got, row.want)
		}
	}
}

func TestWhatAProxyLeavesBehindIsSeen(t *testing.T) {
	for name, want := range map[string]bool{
		"Forwarded": true, "Via": true, "X-Forwarded-For": true, "X-Forwarded-Proto": true,
		"X-Forwarded": false, "Cookie": false, "X-Real-Ip": false,
	} {
		if got := wire.IsForwarded(http.Header{name: {"x"}}); got != want {
			t.Errorf("IsForwarded with %s = %v, want %v", name, got, want)
		}
	}
}

func TestLoopbackIsThisMachine(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST:8080": true, "localhost.": true, "shop.localhost:80": true,
		"127.0.0.1:8080": true, "127.9.9.9": true, "[::1]:80": true, "[::1]": true, "::1": true,
		"": false, "notlocalhost": false, "localhost.example.com": false, "192.168.1.7": false, "0.0.0.0:80": false,
	} {
		if got := wire.IsLoopback(host); got != want {
			t.Errorf("IsLoopback(%q) = %v, want %v", host, got, want)
		}
	}
}

// What is cut is cut before a rune that does not fit, and what is removed makes room for what comes after it.
func TestAUserAgentIsCutAtARune(t *testing.T) {
	for text, want := range map[string]string{
		"Mozilla/5.0 (X11)":             "Mozilla/5.0 (X11)",
		"a\x1b[31m\u202eb\xff":          "a[31mb",
		"a\x7fb":                        "ab",
		strings.Repeat("x", 255) + "é":  strings.Repeat("x", 255),
		strings.Repeat("x", 254) + "éé": strings.Repeat("x", 254) + "é",
		strings.Repeat("\n", 300) + "x": "x",
	} {
		if got := wire.CleanUserAgent(text); got != want {
			t.Errorf("CleanUserAgent(%.20q) = %.20q, want %.20q", text, got, want)
		}
	}
}

// What is known of the session is mostly what the request says.
func TestTheUserAgentIsThatOfTheRequest(t *testing.T) {
	for _, row := range []struct {
		lines       []string
		known, want string
	}{
		{nil, "", ""}, {nil, "old", ""}, {[]string{"new"}, "old", "new"}, {[]string{"old"}, "old", "old"},
		{[]string{"a\nb"}, "ab", "ab"}, {[]string{"first", "second"}, "", "first"},
	} {
		r := &http.Request{Header: http.Header{"User-Agent": row.lines}}
		if got := wire.UserAgent(r, row.known); got != row.want {
			t.Errorf("UserAgent of %q, known as %q, = %q, want %q", row.lines, row.known, got, row.want)
		}
	}
}

func ExampleProxies() {
	office := wire.Proxies{netip.MustParsePrefix("10.0.0.0/8")}
	ask := func(peer, forwardedFor string) {
		r := &http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": {forwardedFor}}}
		fmt.Println(office.Client(r))
	}
	ask("10.0.0.1:1234", "192.0.2.7")                    // through the proxy
	ask("10.0.0.1:1234", "8.8.8.8, 192.0.2.7, 10.0.0.2") // through two, and the client claims to be another
	ask("192.0.2.9:1234", "8.8.8.8")                     // past the proxy
	// Output:
	// 192.0.2.7
	// 192.0.2.7
	// 192.0.2.9
}
