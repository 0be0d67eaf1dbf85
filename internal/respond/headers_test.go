package respond_test

import (
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/coatcheck/session/internal/respond"
)

// Caches of vendors read headers of their own, and handlers spell them as they like.
func TestNoStoreLeavesNoOtherWordToCaches(t *testing.T) {
	h := http.Header{
		"Cache-Control": {"public", "max-age=60"}, "EXPIRES": {"x"}, "CDN-Cache-Control": {"x"},
		"X-Accel-Expires":              {"x"},
		"Cloudflare-CDN-Cache-Control": {"x"}, "surrogate-control": {"x"}, "Edge-Control": {"x"},
		"Set-Cookie": {"a=1", "b=2"}, "Etag": {"x"},
	}
	respond.NoStore(h)
	want := http.Header{"Cache-Control": {"no-store"}, "Set-Cookie": {"a=1", "b=2"}, "Etag": {"x"}}
	if !maps.EqualFunc(h, want, slices.Equal) {
		t.Errorf("NoStore leaves %v, want %v", h, want)
	}
}

// The answer has another body, and what was said of the one that it replaces would be wrong. A writer around it goes on
// to encode.
func TestResetLeavesNothingOfTheResponseThatIsReplaced(t *testing.T) {
	for encoding, want := range map[string][]string{"": nil, "gzip": {"gzip"}} {
		h := http.Header{
			"Content-Encoding": {"br"}, "content-length": {"17"}, "Etag": {"x"}, "Location": {"/"}, "Trailer": {"X"},
			"Clear-Site-Data": {`"*"`}, "Cache-Control": {"public"}, "X-Request-Id": {"kept"}, "Vary": {"Accept"},
			"X-Accel-Redirect": {"/protected/x"}, "x-sendfile": {"/protected/x"}, "X-Lighttpd-Send-File": {"/x"},
			"HX-Redirect": {"/account"}, "Hx-Trigger-After-Settle": {"saved"}, "X-Inertia-Location": {"/account"},
			http.TrailerPrefix + "Grpc-Status": {"0"},
		}
		var around []string
		if encoding != "" {
			around = []string{encoding}
		}
		respond.Reset(h, around)
		left := http.Header{"Cache-Control": {"no-store"}, "X-Request-Id": {"kept"}, "Vary": {"Accept"}}
		if want != nil {
			left["Content-Encoding"] = want
		}
		if !maps.EqualFunc(h, left, slices.Equal) {
			t.Errorf("Reset with encoding %q leaves %v, want %v", encoding, h, left)
		}
	}
}

func TestAddVarySaysItOnce(t *testing.T) {
	for _, row := range []struct{ before, after []string }{
		{nil, []string{"Cookie"}},
		{[]string{"Accept"}, []string{"Accept", "Cookie"}},
		{[]string{"Accept, cookie "}, []string{"Accept, cookie "}},
		{[]string{"Accept", "COOKIE"}, []string{"Accept", "COOKIE"}},
		{[]string{"Accept, *"}, []string{"Accept, *"}},
		{[]string{"Cookies"}, []string{"Cookies", "Cookie"}},
		{[]string{""}, []string{"", "Cookie"}},
	} {
		h := http.Header{}
		if row.before != nil {
			h["Vary"] = slices.Clone(row.before)
		}
		if respond.AddVary(h, "Cookie", new([1]string)); !slices.Equal(h["Vary"], row.after) {
			t.Errorf("AddVary to %q = %q, want %q", row.before, h["Vary"], row.after)
		}
	}
}
