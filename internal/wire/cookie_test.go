package wire_test

import (
	"net/http"
	"slices"
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
			[]string{"", " ", "a b", "a(b", "a=b", "a;b", `"a"`, "a/b", "a\x00", "a\x7f", "é", "\xff", "a\r\nb"}},
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

func TestANameThatNoCookieHasIsNotFound(t *testing.T) {
	for _, name := range []string{"", " ", ";", "=", "; ", "=1; b", "a=1"} {
		if value, n := wire.Find([]string{"a=1; b=2", "=3; = 4", ""}, name); value != "" || n != 0 {
			t.Errorf("Find(%q) = %q, %d", name, value, n)
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

// A session ends with its browser, or then, but is never kept for longer than the most. One that is over by now is
// not one that ends with the browser: net/http takes 0 for that.
func TestACookieLastsAsLongAsItsSession(t *testing.T) {
	now, most := time.Unix(1700000000, 0), 400*24*time.Hour
	lines := wire.NewLines(http.Cookie{}, most)
	for until, want := range map[time.Time]int{
		{}: 0, now.Add(time.Hour): 3600, now.Add(1500 * time.Millisecond): 2, now.Add(2 * most): int(most.Seconds()),
		now: 1, now.Add(-time.Hour): 1,
	} {
		c, err := http.ParseSetCookie(lines.Line("x", "1", until, now))
		if err != nil {
			t.Fatal(err)
		}
		ends := until.Truncate(time.Second) // as a header has it
		if until.IsZero() {
			ends = until
		}
		if until.After(now.Add(most)) {
			ends = now.Add(most)
		}
		if c.MaxAge != want || !c.Expires.Equal(ends) {
			t.Errorf("until %v: Max-Age %d and Expires %v, want %d and %v", until, c.MaxAge, c.Expires, want, ends)
		}
	}
	const gone = "x=; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0"
	if line := lines.Line("x", "", now.Add(time.Hour), now); line != gone {
		t.Errorf("one that is to be deleted: %s", line)
	}
}

// The line of a cookie is that of net/http, to the byte, also where it is made in another way.
func TestALineIsThatOfNetHTTP(t *testing.T) {
	tickets := []string{"", "v1.aZ09-_", "e1." + strings.Repeat("x", 4000)}
	others := []string{"a b", "a;b", "a,b", `a"b`, "ä", "a\n", "a=", "+/"}
	now := time.Unix(1700000000, 0)
	ends := []time.Time{{}, now.Add(-time.Second), now.Add(time.Minute), now.Add(2 * time.Hour)}
	for flags := range 1 << 4 {
		for mode := range http.SameSiteNoneMode + 2 {
			on := func(bit int) bool { return flags&(1<<bit) != 0 }
			like := http.Cookie{Path: "/", HttpOnly: on(0), Secure: on(1), Partitioned: on(2), SameSite: mode}
			if on(3) {
				like.Domain = "shop.example"
			}
			lines := wire.NewLines(like, time.Hour)
			for i, value := range slices.Concat(tickets, others) {
				for _, until := range ends {
					want := lineOf(like, value, until, now)
					if got := lines.Line("__Host-x", value, until, now); got != want {
						t.Fatalf("Line of %q until %v = %q, want %q", value, until, got, want)
					}
					if got := lines.Ticket("__Host-x", value, until, now); i < len(tickets) && got != want {
						t.Fatalf("Ticket of %q until %v = %q, want %q", value, until, got, want)
					}
				}
			}
		}
	}
	if line := wire.NewLines(http.Cookie{}, time.Hour).Ticket("x", "v1.x", time.Time{}, now); line != "x=v1.x" {
		t.Errorf("without any attribute: %q", line)
	}
}

// lineOf is the line of a cookie that is kept for an hour at most.
func lineOf(c http.Cookie, value string, until, now time.Time) string {
	c.Name, c.Value = "__Host-x", value
	switch {
	case value == "":
		c.MaxAge, c.Expires = -1, time.Unix(1, 0)
	case until.Before(now) && !until.IsZero():
		c.MaxAge, c.Expires = 1, until
	case until.Sub(now) > time.Hour:
		c.MaxAge, c.Expires = 3600, now.Add(time.Hour)
	case !until.IsZero():
		c.MaxAge, c.Expires = 60, until
	}
	return c.String()
}
