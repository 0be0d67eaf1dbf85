package wire

import (
	"fmt"
	"math"
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

// CheckPrefix says what browsers miss in a cookie whose name has a prefix. They drop it without a word.
func CheckPrefix(c *http.Cookie) error {
	ask, missed := PrefixOf(c.Name), ""
	switch {
	case ask.Secure && !c.Secure:
		missed = "without Secure"
	case ask.Host && c.Domain != "":
		missed = "with a Domain"
	case ask.Host && c.Path != "/":
		missed = `without the Path "/"`
	case ask.HTTPOnly && !c.HttpOnly:
		missed = "without HttpOnly"
	default:
		return nil
	}
	return fmt.Errorf("browsers refuse a cookie %q %s; set it otherwise or choose another name", c.Name, missed)
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
	if name == "" { // which is in every text, and no name
		return "", 0
	}
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

// Lines makes the Set-Cookie lines of cookies that differ in name and value alone. It is never changed, and so safe for
// concurrent use.
type Lines struct {
	like  http.Cookie
	most  time.Duration
	after string // what follows a value whose cookie ends with the browser
}

// NewLines returns the lines of cookies with the attributes of this one, which last no longer than the most.
func NewLines(like http.Cookie, most time.Duration) *Lines {
	like.Name, like.Value = "n", "v"
	return &Lines{like, most, strings.TrimPrefix(like.String(), "n=v")}
}

// Line is the line of a cookie that lasts until then, or with the browser when that is zero, as net/http makes it. One
// without a value is to be deleted.
func (l *Lines) Line(name, value string, until, now time.Time) string {
	c := l.like
	c.Name, c.Value = name, value
	switch {
	case value == "":
		c.MaxAge, c.Expires = -1, time.Unix(1, 0)
	case !until.IsZero():
		age := min(until.Sub(now), l.most)
		c.MaxAge, c.Expires = max(Seconds(age), 1), now.Add(age)
	}
	return c.String()
}

// Ticket is Line of a good name, and of a value that has only characters of base64 for URLs and dots. net/http would
// look at each of them more than once.
func (l *Lines) Ticket(name, value string, until, now time.Time) string {
	if value == "" || !until.IsZero() {
		return l.Line(name, value, until, now)
	}
	return name + "=" + value + l.after
}

// Seconds is a duration as headers have it, or the most that an int holds. It rounds up, so that a cookie does not end
// before its session.
func Seconds(d time.Duration) int {
	seconds := int64(d / time.Second)
	if d%time.Second > 0 {
		seconds++
	}
	return int(min(seconds, math.MaxInt))
}
