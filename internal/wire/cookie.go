package wire

import (
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// MaxCookieSize is what browsers keep of one cookie: so many bytes of name and value (RFC 6265bis).
const MaxCookieSize = 4096

// Prefix is what browsers ask of a cookie whose name begins in a certain way (RFC 6265bis). They drop one that has
// it not.
type Prefix struct {
	Secure   bool // the attribute Secure
	Host     bool // no Domain, and the Path "/"
	HTTPOnly bool // the attribute HttpOnly
}

// PrefixOf returns what the prefix of a name asks. Browsers compare it without regard to case.
func PrefixOf(name string) Prefix {
	name = strings.ToLower(name)
	host := strings.HasPrefix(name, "__host-")
	script := strings.HasPrefix(name, "__http-") || strings.HasPrefix(name, "__host-http-")
	return Prefix{Secure: host || script || strings.HasPrefix(name, "__secure-"), Host: host, HTTPOnly: script}
}

// IsToken reports whether a text can be the name of a cookie or a header.
func IsToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// IsDomain accepts the empty domain, IPv4 addresses, and names of letters, digits and hyphens. A leading dot is what
// old code writes.
func IsDomain(s string) bool {
	if s == "" {
		return true
	}
	if !strings.ContainsAny(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		addr, err := netip.ParseAddr(s)
		return err == nil && addr.Is4()
	}
	for _, label := range strings.Split(strings.TrimPrefix(s, "."), ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i] | 0x20
			if (c < 'a' || c > 'z') && (label[i] < '0' || label[i] > '9') && label[i] != '-' {
				return false
			}
		}
	}
	return len(s) <= 253
}

// IsPath reports whether browsers take a text as the path of a cookie. They cut off a space at its end, and then it is
// another path.
func IsPath(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f || s[i] == ';' {
			return false
		}
	}
	return strings.HasPrefix(s, "/") && !strings.HasSuffix(s, " ") && len(s) <= 1024
}

// Reaches reports whether browsers send a cookie of that path along with a request, whose own path is the one before
// anything was stripped from it here. What a proxy has stripped it says in X-Forwarded-Prefix; whoever makes that up
// gains nothing.
func Reaches(r *http.Request, cookiePath string) bool {
	asked, _, _ := strings.Cut(r.RequestURI, "?")
	before, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Prefix"), ",")
	before = strings.TrimRight(strings.TrimSpace(before), "/")
	for _, path := range []string{asked, r.URL.EscapedPath(), before + asked, before + r.URL.EscapedPath()} {
		rest, ok := strings.CutPrefix(path, cookiePath)
		if ok && (rest == "" || rest[0] == '/' || strings.HasSuffix(cookiePath, "/")) { // RFC 6265, 5.1.4
			return true
		}
	}
	return false
}

// Find returns the first value of the cookie with exactly that name, undecoded, and how many there are. It is
// what net/http does, without a list of all cookies.
func Find(lines []string, name string) (value string, n int) {
	for _, line := range lines {
		// It passes over what does not have the name in it: a header may have a million parts, and be searched for the
		// names of many pieces.
		for at := strings.Index(line, name); at >= 0; at = strings.Index(line, name) {
			var part string
			part, line, _ = strings.Cut(line[strings.LastIndexByte(line[:at], ';')+1:], ";")
			k, v, ok := strings.Cut(trim(part), "=")
			if !ok || trim(k) != name {
				continue
			}
			if n == 0 {
				value = v
			}
			n++
		}
	}
	return value, n
}

// trim is strings.Trim for spaces and tabs, without a set to look them up in.
func trim(s string) string {
	blank := func(c byte) bool { return c == ' ' || c == '\t' }
	for s != "" && blank(s[0]) {
		s = s[1:]
	}
	for s != "" && blank(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// Lasting returns a cookie that lasts until then, but no longer than the most, or with the browser when that is zero.
// One without a value is to be deleted.
func Lasting(c http.Cookie, until, now time.Time, most time.Duration) http.Cookie {
	switch {
	case c.Value == "":
		c.MaxAge, c.Expires = -1, time.Unix(1, 0)
	case !until.IsZero():
		age := min(until.Sub(now), most)
		c.MaxAge, c.Expires = max(Seconds(age), 1), now.Add(age)
	}
	return c
}

// SetCookie is the Set-Cookie line of a cookie, as its String makes it.
func SetCookie(c http.Cookie) string {
	if !isTicket(c.Value) {
		return c.String()
	}
	return SetTicket(c)
}

// SetTicket is SetCookie of a value that has only characters of base64 for URLs and dots, if any. String looks at each
// of them more than once. Here none is looked at where the cookie ends with the browser, as most do; its name and its
// path are good.
func SetTicket(c http.Cookie) string {
	if c.Path == "" || c.Domain != "" || c.MaxAge != 0 || !c.Expires.IsZero() || c.Quoted {
		return c.String()
	}
	room := len(c.Name) + len("=") + len(c.Value) + len("; Path=") + len(c.Path) + len(attributes)
	var line strings.Builder
	line.Grow(room)
	for _, part := range [...]string{c.Name, "=", c.Value, "; Path=", c.Path} {
		line.WriteString(part)
	}
	for _, one := range [...]struct {
		on   bool
		text string
	}{
		{c.HttpOnly, "; HttpOnly"}, {c.Secure, "; Secure"}, {c.SameSite == http.SameSiteLaxMode, "; SameSite=Lax"},
		{c.SameSite == http.SameSiteStrictMode, "; SameSite=Strict"},
		{c.SameSite == http.SameSiteNoneMode, "; SameSite=None"}, {c.Partitioned, "; Partitioned"},
	} {
		if one.on {
			line.WriteString(one.text)
		}
	}
	return line.String()
}

// attributes are the longest that SetCookie writes.
const attributes = "; HttpOnly; Secure; SameSite=Strict; Partitioned"

// isTicket reports whether a text has only characters of base64 for URLs and dots, and any.
func isTicket(text string) bool {
	for i := range len(text) {
		if !inTickets[text[i]] {
			return false
		}
	}
	return text != ""
}

var inTickets = func() (in [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_." {
		in[c] = true
	}
	return in
}()

// Seconds is a duration as headers have it. It rounds up, so that a cookie does not end before its session.
func Seconds(d time.Duration) int {
	seconds := d / time.Second
	if d%time.Second > 0 {
		seconds++
	}
	return int(seconds)
}
