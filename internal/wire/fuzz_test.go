package wire_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/coatcheck/session/internal/wire"
)

// What a proxy wrote last is believed, whatever the client put before it.
func FuzzClientIP(f *testing.F) {
	for _, text := range []string{
		"", "8.8.8.8", "for=8.8.8.8", `for="[::1]:80"`, `for="`, "a, b", "10.0.0.2", ";;,,", "for=unknown;by=_x",
		"[", "]:", "1.2.3.4:99999",
	} {
		f.Add(text, text)
	}
	find := wire.Proxies{netip.MustParsePrefix("10.0.0.0/8")}.Client
	client := netip.MustParseAddr("192.0.2.7")
	f.Fuzz(func(t *testing.T, xff, forwarded string) {
		ask := func(peer string, h http.Header) netip.Addr {
			return find(&http.Request{RemoteAddr: peer, Header: h})
		}
		if got := ask("192.0.2.7:1", http.Header{"X-Forwarded-For": {xff}, "Forwarded": {forwarded}}); got != client {
			t.Errorf("a stranger is %v", got)
		}
		if got := ask("10.0.0.1:1", http.Header{"X-Forwarded-For": {xff + ", 192.0.2.7"}}); got != client {
			t.Errorf("X-Forwarded-For %q: %v", xff, got)
		}
		if got := ask("10.0.0.1:1", http.Header{"Forwarded": {forwarded + ", for=192.0.2.7"}}); got != client {
			t.Errorf("Forwarded %q: %v", forwarded, got)
		}
		got := ask("10.0.0.1:1", http.Header{"X-Forwarded-For": {xff}, "Forwarded": {forwarded}})
		if !got.IsValid() || got.Zone() != "" || got.Is4In6() {
			t.Errorf("X-Forwarded-For %q, Forwarded %q: %v", xff, forwarded, got)
		}
	})
}

// What anybody calls himself can be shown in a list: it is short and clean, and cleaning it again changes nothing.
func FuzzCleanUserAgent(f *testing.F) {
	for _, text := range []string{
		"", "Mozilla/5.0 (X11)", "a\r\nSet-Cookie: x\x00\x7f", "a\u202eb\u2066c\u200f", "a\u2028b\u0085", "a\xffb\xc3",
		strings.Repeat("x", 300), strings.Repeat("x", 255) + "é", strings.Repeat("é", 600),
		strings.Repeat("\u202e", 400) + "x",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		clean := wire.CleanUserAgent(text)
		if len(clean) > 256 || !utf8.ValidString(clean) || wire.CleanUserAgent(clean) != clean {
			t.Errorf("CleanUserAgent(%q) = %q", text, clean)
		}
		hidden := func(c rune) bool { return unicode.IsControl(c) || unicode.Is(unicode.Cf, c) }
		if strings.ContainsFunc(clean, hidden) {
			t.Errorf("CleanUserAgent(%q) = %q, with what nobody sees", text, clean)
		}
	})
}

// A cookie that net/http finds is found, undecoded, and counted.
func FuzzFind(f *testing.F) {
	for _, line := range []string{
		"", "a=1", "b=2; a=1;c", "a=1; a=2", "A=1", `a="1"`, "a =1", "\ta=1\t", "=a=1", "a", "; ;;=", "a=1\x00",
		"a= 1", "a=1=2", "aa=1", "a=é", "a=", "$Version=1; a=1",
	} {
		f.Add(line, "a")
	}
	f.Fuzz(func(t *testing.T, line, name string) {
		if strings.ContainsAny(line, "\r\n") || !wire.IsToken(name) { // which no header has
			return
		}
		value, n := wire.Find([]string{line}, name)
		r := &http.Request{Header: http.Header{"Cookie": {line}}}
		var theirs []*http.Cookie
		for _, c := range r.CookiesNamed(name) {
			if c.Value != "" { // they take a word without "=" for an empty cookie
				theirs = append(theirs, c)
			}
		}
		if len(theirs) > n {
			t.Errorf("Find(%q, %q) finds %d cookies, net/http %d", line, name, n, len(theirs))
		}
		if n == 1 && len(theirs) == 1 && value != theirs[0].Value && value != `"`+theirs[0].Value+`"` {
			t.Errorf("Find(%q, %q) = %q, net/http says %q", line, name, value, theirs[0].Value)
		}
	})
}

// asBrowsersDo reads the attributes of a Set-Cookie header: what stands between semicolons, without the space around
// it.
func asBrowsersDo(attributes string) map[string]string {
	got := map[string]string{}
	for part := range strings.SplitSeq(attributes, ";") {
		name, value, _ := strings.Cut(part, "=")
		got[strings.Trim(name, " \t")] = strings.Trim(value, " \t")
	}
	return got
}

// What is accepted as name, domain and path is written by net/http, and arrives at the browser.
func FuzzAttributes(f *testing.F) {
	for _, text := range []string{
		"", "a", "a b", "a;b", "a\r\nb", "a\x00", "é", "/", "/a;b", "example.com", ".example.com", "example.com:80",
		"a-.com", "Path", "127.0.0.1", `/"`, `/\`, "[::1]", "com.", "a_b.com", strings.Repeat("a", 64) + ".com", "a.1",
		"__Host-x",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := &http.Cookie{Name: "x", Value: "1", Path: "/"}
		if wire.IsToken(text) {
			c.Name = text
		}
		if wire.IsDomain(text) {
			c.Domain = text
		}
		if wire.IsPath(text) {
			c.Path = text
		}
		if err := c.Valid(); err != nil {
			t.Fatalf("%q is accepted, and net/http refuses it: %v", text, err)
		}
		rest, ok := strings.CutPrefix(c.String(), c.Name+"=1;")
		got := asBrowsersDo(rest)
		if !ok || got["Domain"] != strings.TrimPrefix(c.Domain, ".") || got["Path"] != c.Path {
			t.Errorf("%q arrives as %q", text, c)
		}
	})
}

// A Cookie header, whatever is in it, gives a token that fits into the cookies, or none.
func FuzzPieces(f *testing.F) {
	for _, line := range []string{
		"", "s=abc", "s=2.a; s.1=b", "s=2.a", "s=2.a; s.1=b; s.1=c", "s=9.a", "s=1.a", "s=0.", "s=2",
		"s=8.a;s.1=;s.7=b", "s=a;s=b",
		"s=3.a; s.2=c; s.1=b", "s=2,a; s.1=b",
	} {
		f.Add(line, byte(8))
	}
	f.Fuzz(func(t *testing.T, line string, most byte) {
		p := wire.NewPieces("s", int(most%(wire.MaxPieces+1)))
		token, ok := p.Read([]string{line})
		if _, n := wire.Find([]string{line}, "s"); n > 1 && ok || !ok && token != "" {
			t.Errorf("Read(%q) = %q, %v", line, token, ok)
		}
		if ok && len(token) > len(line) {
			t.Errorf("Read(%q) = %q, which is longer", line, token)
		}
		jar := jar{}
		p.Write([]string{line}, "e1.x", jar.put)
		if got, ok := p.Read(jar.lines()); got != "e1.x" || !ok {
			t.Errorf("after %q another token is read as %q, %v", line, got, ok)
		}
	})
}

// What Find passes over has no such cookie in it: it finds what cutting the whole line finds.
func FuzzFindPassesOver(f *testing.F) {
	for _, line := range []string{
		"", ";", "a", "a=", "a=1", "b=a; a=1;;a=2", "aa=1; a =2\t; ba=3", "=a", "a;a=1",
		strings.Repeat(";", 99) + "a=1",
		"a.1=2;a=1", " a=1", "a=a=a;", "ab=;a",
	} {
		f.Add(line, "a")
		f.Add(line, "a.1")
	}
	f.Fuzz(func(t *testing.T, line, name string) {
		if !wire.IsToken(name) {
			return
		}
		var values []string
		for part := range strings.SplitSeq(line, ";") {
			if k, v, ok := strings.Cut(strings.Trim(part, " \t"), "="); ok && strings.Trim(k, " \t") == name {
				values = append(values, v)
			}
		}
		value, n := wire.Find([]string{line}, name)
		if n != len(values) || n > 0 && value != values[0] {
			t.Errorf("Find(%q, %q) = %q, %d, want %q", line, name, value, n, values)
		}
	})
}
