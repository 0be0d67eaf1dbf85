package respond

import (
	"net/http"
	"slices"
	"strings"
)

// dropped are the headers that belong to the response that an answer replaces. Clear-Site-Data of a logout that
// failed would take the ticket from a session that goes on, and what a Login that failed offers a device is of none.
// The last three name a file that a server in front sends in place of the body.
var dropped = []string{
	"Clear-Site-Data", "Refresh", "Content-Length", "Content-Encoding", "Content-Type", "Content-Disposition",
	"Content-Range", "Content-Language", "Content-Location", "Accept-Ranges", "Etag", "Last-Modified", "Location",
	"Trailer", "Repr-Digest", "Content-Digest", "Digest", "Secure-Session-Registration",
	"X-Accel-Redirect", "X-Sendfile", "X-Lighttpd-Send-File",
}

// droppedPrefixes are what the names of others begin with: scripts in the page do what they say, such as to go to
// another page, without a look at the status.
var droppedPrefixes = []string{"Hx-", "X-Inertia", http.TrailerPrefix}

func isDropped(name string) bool {
	return slices.Contains(dropped, name) ||
		slices.ContainsFunc(droppedPrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// isForCaches reports whether a header says how long to keep a response. Caches of vendors read their own before
// Cache-Control: Cloudflare-CDN-Cache-Control and its like, Edge-Control of Akamai, and X-Accel-Expires of nginx.
func isForCaches(name string) bool {
	switch name {
	case "Cache-Control", "Expires", "Surrogate-Control", "Edge-Control", "X-Accel-Expires":
		return true
	}
	return strings.HasSuffix(name, "Cdn-Cache-Control")
}

// drop also finds those that the handler spelled in its own way.
func drop(h http.Header, bad func(name string) bool) {
	for name := range h {
		if bad(http.CanonicalHeaderKey(name)) {
			delete(h, name)
		}
	}
}

// NoStore tells caches, those of vendors too, to keep nothing of the response.
func NoStore(h http.Header) {
	drop(h, isForCaches)
	h["Cache-Control"] = []string{"no-store"}
}

// ClearSite asks the browser to forget what the site has stored in it. What it has cached is left: clearing that can
// take a browser minutes, in which it loads no page of the site.
func ClearSite(h http.Header) { h.Add("Clear-Site-Data", `"cookies", "storage"`) }

// Reset makes the headers of a response ready for an answer that replaces it and that no cache keeps. encoding is the
// Content-Encoding of a writer around this one, which goes on to encode what is written.
func Reset(h http.Header, encoding []string) {
	drop(h, isDropped)
	NoStore(h)
	if len(encoding) > 0 {
		h["Content-Encoding"] = encoding
	}
}

// Both is one function after the other, of which the first may be nil.
func Both(first, then func(http.Header, bool)) func(http.Header, bool) {
	if first == nil {
		return then
	}
	return func(h http.Header, said bool) {
		first(h, said)
		then(h, said)
	}
}

// AddVary says that the response depends on fields of the request, unless that was said already: one, or several with
// ", " in between. room is used for the header when it has no value yet, and belongs to the response from then on.
func AddVary(h http.Header, fields string, room *[1]string) {
	for field := range strings.SplitSeq(fields, ", ") {
		addVary(h, field, room)
	}
}

func addVary(h http.Header, field string, room *[1]string) {
	lines := h["Vary"]
	for _, line := range lines {
		for have := range strings.SplitSeq(line, ",") {
			if have = strings.TrimSpace(have); have == "*" || strings.EqualFold(have, field) {
				return
			}
		}
	}
	if len(lines) == 0 {
		lines = room[:0]
	}
	h["Vary"] = append(lines, field)
}
