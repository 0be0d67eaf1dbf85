package guard_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/coatcheck/session/guard"
)

var localPaths = []string{"/", "/a", "/a/b?c=d&e=f", "/?q=//x", "/search?q=%E2%82%AC", "/%E2%82%AC", "/a#b", "/a%20b",
	"/..a", "/a.b/c"}

var foreignPaths = []string{
	"", "a", "?q", "#a", "//evil.example", "///evil.example", "////evil.example/", `/\evil.example`, `\/evil.example`,
	`\\evil.example`,
	`/a\b`, "/\t/evil.example", "/\n/evil.example", "/\r/evil.example", " //evil.example", "/ a", "/\x00", "/\x7f",
	"/\u00a0", "/\u2028",
	"https://evil.example", "HTTPS://evil.example", "https:evil.example", "https:/evil.example", "http:///evil.example",
	"javascript:alert(1)", "data:text/html,x", "mailto:a@b", "//user@evil.example", "//evil.example:80/", "//[::1]/",
	"/%2fevil.example", "/%2Fevil.example", "/%2f%2fevil.example", "/%5cevil.example", "/%5Cevil.example",
	"/%09/evil.example",
	"/%0d%0aSet-Cookie:%20a=b", "/%00", "/%zz", "/./", "/.//evil.example", "/..//evil.example", "/a/..//evil.example",
	"/a/../../b",
	"/%2e%2e/b", "/%2e/%2fevil.example", "/" + strings.Repeat("a", 2048),
}

func TestLocalPathKnowsWhatStaysOnTheSite(t *testing.T) {
	for _, path := range localPaths {
		if !guard.LocalPath(path) {
			t.Errorf("LocalPath(%q) = false, want true", path)
		}
	}
	for _, path := range foreignPaths {
		if guard.LocalPath(path) {
			t.Errorf("LocalPath(%q) = true, want false", path)
		}
	}
}

func TestReturnPathTakesLocalPathsFromTheFormOrTheAddress(t *testing.T) {
	for _, path := range localPaths {
		query := url.Values{guard.ReturnParam: {path}}.Encode()
		if got := guard.ReturnPath(httptest.NewRequest("GET", "/login?"+query, nil), "/home"); got != path {
			t.Errorf("ReturnPath of the address %q = %q", path, got)
		}
		form := httptest.NewRequest("POST", "/login", strings.NewReader(query))
		form.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if got := guard.ReturnPath(form, "/home"); got != path {
			t.Errorf("ReturnPath of the form %q = %q", path, got)
		}
	}
	for _, path := range foreignPaths {
		query := url.Values{guard.ReturnParam: {path}}.Encode()
		if got := guard.ReturnPath(httptest.NewRequest("GET", "/login?"+query, nil), "/home"); got != "/home" {
			t.Errorf("ReturnPath of %q = %q, want the fallback", path, got)
		}
	}
}

// A path that is believed leads nowhere else, whatever makes an address of it: a browser, http.Redirect, or both.
func FuzzReturnPath(f *testing.F) {
	for _, path := range append(localPaths, foreignPaths...) {
		f.Add(path)
	}
	base, err := url.Parse(site + "/dir/login?return=x")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := httptest.NewRequest("GET", "/login?"+url.Values{guard.ReturnParam: {text}}.Encode(), nil)
		path := guard.ReturnPath(r, "/")
		if path != "/" && path != text {
			t.Fatalf("ReturnPath(%q) = %q, want it unchanged or the fallback", text, path)
		}
		w := httptest.NewRecorder()
		http.Redirect(w, r, path, http.StatusSeeOther)
		for _, address := range []string{path, w.Header().Get("Location"), asBrowser(path)} {
			to, err := base.Parse(address)
			if err != nil || to.Scheme != "https" || to.Host != "app.example.com" || to.User != nil {
				t.Fatalf("ReturnPath(%q) = %q leads to %v (%v), want this site", text, path, to, err)
			}
		}
		if decoded, err := url.PathUnescape(path); err == nil && strings.HasPrefix(asBrowser(decoded), "//") {
			t.Fatalf("ReturnPath(%q) = %q decodes to an address of another site", text, path)
		}
	})
}

// asBrowser does what browsers do to an address first: blanks at its ends, tabs and line breaks go, backslashes turn.
func asBrowser(address string) string {
	address = strings.TrimFunc(address, func(r rune) bool { return r <= ' ' })
	return strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(address)
}
