package guard

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// ReturnParam is the query parameter of the login page that says where to go afterwards.
const ReturnParam = "return"

// OperationParam is a query parameter of the page that confirms: the id of the operation that Once asks about.
const OperationParam = "operation"

const maxReturn = 2048

// ReturnPath is where the visitor wanted to go before the login page: what ReturnParam holds in the form or the address
// if that is a LocalPath, and otherwise the fallback. A login form that posts to its own address keeps the parameter by
// itself. You need not parse the form first.
//
//	http.Redirect(w, r, guard.ReturnPath(r, "/"), http.StatusSeeOther)
func ReturnPath(r *http.Request, fallback string) string {
	path := formField(r, ReturnParam)
	if path == "" {
		path = r.URL.Query().Get(ReturnParam)
	}
	if !LocalPath(path) {
		return fallback
	}
	return path
}

// LocalPath reports whether an address is a path on this site, however a browser reads it: one slash at the beginning,
// and no backslashes, control characters or dot segments, encoded or not. It also refuses a few paths that are
// harmless.
func LocalPath(address string) bool {
	if len(address) > maxReturn ||
		strings.ContainsFunc(address, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '\\' }) {
		return false
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return false
	}
	return localPath(address) && localPath(u.Path)
}

// localPath looks at a path, before or after it is decoded.
func localPath(path string) bool {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return false
	}
	if strings.ContainsFunc(path, func(c rune) bool { return c < ' ' || c == 0x7f || c == '\\' }) {
		return false
	}
	path, _, _ = strings.Cut(path, "?")
	segments := strings.Split(path, "/")
	return !slices.Contains(segments, ".") && !slices.Contains(segments, "..")
}

// withReturn is the address of the login page with the way back to what was asked for; "" without a login page.
func withReturn(page string, r *http.Request) string {
	return withWayBack(page, wanted(r))
}

// withWayBack is the address of the page with the way back; without one, if that is "".
func withWayBack(page, back string) string {
	if page == "" || back == "" {
		return page
	}
	return withParam(page, ReturnParam, back)
}

func withParam(page, name, value string) string {
	sep := "?"
	if strings.Contains(page, "?") {
		sep = "&"
	}
	return page + sep + name + "=" + url.QueryEscape(value)
}

// wanted is the page to come back to: the one that was asked for, or the one whose form was sent. "" when that is no
// local path.
func wanted(r *http.Request) string {
	path := asked(r)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		from, err := url.Parse(r.Referer())
		if err != nil || from.Host != r.Host {
			return ""
		}
		path = from.RequestURI()
	}
	if !LocalPath(path) {
		return ""
	}
	return path
}

// asked is what the request asks for, as it was sent, even below a StripPrefix. It need not be a LocalPath.
func asked(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}
