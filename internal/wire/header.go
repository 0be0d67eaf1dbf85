package wire

import (
	"slices"
	"strings"
)

// taken are headers by which HTTP itself frames, routes and caches messages, or carries cookies. One that a
// connection ends with reaches nobody behind a proxy.
var taken = []string{
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade",
	"Content-Length", "Content-Encoding", "Content-Type", "Content-Range", "Host", "Expect", "Http2-Settings", "Via",
	"Forwarded",
	"Cookie", "Set-Cookie", "Cache-Control", "Vary", "Expires", "Age", "Date", "Etag", "Last-Modified", "Location",
	"Retry-After", "Range",
}

// HasMeaning reports whether a header, by its canonical name, already means something to clients and proxies.
func HasMeaning(header string) bool { return slices.Contains(taken, header) }

// BearerToken returns what follows "Bearer " (RFC 6750) in the values of a header, "" when there is nothing. It is not
// ok when the header came twice. A value without the scheme is one too, unless it is required.
func BearerToken(values []string, required bool) (token string, ok bool) {
	if len(values) != 1 {
		return "", len(values) == 0
	}
	value := strings.TrimSpace(values[0])
	scheme, rest, found := strings.Cut(value, " ")
	switch {
	case strings.EqualFold(scheme, "Bearer") && (found || required):
		return strings.TrimSpace(rest), true
	case required:
		return "", true
	}
	return value, true
}
