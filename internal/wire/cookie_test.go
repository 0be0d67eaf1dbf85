package wire_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session/internal/wire"
)

func TestNamesDomainsAndPathsAreThoseOfBrowsers(t *testing.T) {
	long := strings.Repeat("a.", 127)
	for name, row := range map[string]struct {
		is      func(string) bool
		yes, no []string
	}{
		"IsToken": {wire.IsToken, []string{"a", "__Host-x", "a!#$%&'*+-.^_`|~1"},
			[]string{"", " ", "a b", "(a)", "a=b", "a;b", `"a"`, "a/b", "a\x00", "a\x7f", "é", "\xff", "a\r\nb"}},
		"IsDomain": {wire.IsDomain,
			[]string{
				"", "example.com", ".example.com", "127.0.0.1", "a-b.Z", "z0-9.a", long[:253], strings.Repeat("a", 63),
			},
			[]string{
				".", "..a", "a..b", "com.", "-a.com", "a-.com", "a_b.com", "a.com:80", "*.a.com", "[::1]", "::1",
				"1.2.3", "é.com", "a@b", "a`b", long[:253] + "aa", strings.Repeat("a", 64),
			}},
		"IsPath": {wire.IsPath, []string{"/", "/a b", "/a=b,c", "/" + strings.Repeat("a", 1023)},
			[]string{"", "a/", "/ ", "/a ", "/a;b", "/\n", "/\x7f", "/é", "/" + strings.Repeat("a", 1024)}},
	} {
		for _, text := range row.yes {
			if !row.is(text) {
				t.Errorf("%s(%q) = false", name, text)
			}
		}
		for _, text := range row.no {
			if row.is(text) {
				t.Errorf("%s(%q) = true", name, text)
			}
		}
	}
}

// Browsers compare the prefix without regard to case, and no prefix asks for nothing.
func TestAPrefixAsksForAttributes(t *testing.T) {
	for name, want := range map[string]wire.Prefix{
		"session":             {},
		"__Hostx":             {},
		"x__Host-":            {},
		"__Secure-x":          {Secure: true},
		"__HOST-x":            {Secure: true, Host: true},
		"__Host-":             {Secure: true, Host: true},
		"__Http-x":            {Secure: true, HTTPOnly: true},
		"__Host-Http-x":       {Secure: true, Host: true, HTTPOnly: true},
		"__host-http-sesSion": {Secure: true, Host: true, HTTPOnly: true},
	} {
		if got := wire.PrefixOf(name); got != want {
			t.Errorf("PrefixOf(%q) = %+v, want %+v", name, got, want)
		}
	}
}

func TestACookieIsFoundByItsExactName(t *testing.T) {
	for _, row := range []struct {
		lines []string
		value string
		n     int
	}{
		{nil, "", 0},
		{[]string{"a=1"}, "1", 1},
		{[]string{"b=2; a=1;c"}, "1", 1},
		{[]string{"b=2", "a=1"}, "1", 1},
		{[]string{"a=1; a=2"}, "1", 2},
		{[]string{"a=1", "a=2", "a=3"}, "1", 3},
		{[]string{"a=; a=2"}, "", 2},
		{[]string{"A=1; aa=2; b=a=3; a"}, "", 0},
		{[]string{"\ta =1\t"}, "1", 1},
		{[]string{`a="1"`}, `"1"`, 1},
		{[]string{"a=%41=b"}, "%41=b", 1},
	} {
		if value, n := wire.Find(row.lines, "a"); value != row.value || n != row.n {
			t.Errorf("Find(%q) = %q, %d, want %q, %d", row.lines, value, n, row.value, row.n)
		}
	}
}

// A cookie must not end before its session.
func TestSecondsRoundUp(t *testing.T) {
	for d, want := range map[time.Duration]int{0: 0, 1: 1, time.Second: 1, time.Second + 1: 2, -time.Second: -1} {
		if got := wire.Seconds(d); got != want {
			t.Errorf("Seconds(%v) = %d, want %d", d, got, want)
		}
	}
}

// The line of a cookie is that of net/http, to the byte, also where it is made in another way.
func TestALineIsThatOfNetHTTP(t *testing.T) {
	values := []string{"", "v1.aZ09-_", "e1." + strings.Repeat("x", 4000), "v1.b", "a b", "a;b", "a,b", `a"b`, "ä", "a\n", "a=",
		"+/"}
	modes := []http.SameSite{0, http.SameSiteDefaultMode, http.SameSiteLaxMode, http.SameSiteStrictMode,
		http.SameSiteNoneMode, http.SameSiteNoneMode + 1}
	for flags := range 1 << 7 {
		for i, value := range values {
			on := func(bit int) bool { return flags&(1<<bit) != 0 }
			c := &http.Cookie{Name: "__Host-x", Value: value, Path: "/", HttpOnly: on(0), Secure: on(1),
				Partitioned: on(2), Quoted: on(3), SameSite: modes[(flags+i)%len(modes)]}
			if on(4) {
				c.Domain = "shop.example"
			}
			if on(5) {
				c.MaxAge = 2 - i
			}
			if on(6) {
				c.Expires = time.Unix(1700000000, 0)
			}
			if got := wire.SetCookie(*c); got != c.String() {
				t.Fatalf("SetCookie of %+v = %q, want %q", c, got, c.String())
			}
		}
	}
	if line := wire.SetCookie(http.Cookie{Name: "x", Value: "v1.x"}); line != "x=v1.x" {
		t.Errorf("without any attribute: %q", line)
	}
}
