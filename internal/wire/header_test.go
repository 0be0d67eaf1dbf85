package wire_test

import (
	"net/http/httptest"
	"testing"

	"github.com/coatcheck/session/internal/wire"
)

func TestABearerTokenIsReadWithAndWithoutItsScheme(t *testing.T) {
	for _, row := range []struct {
		values         []string
		free, required string
		ok             bool
	}{
		{nil, "", "", true},
		{[]string{" v1.a "}, "v1.a", "", true},
		{[]string{"bearer  v1.a "}, "v1.a", "v1.a", true},
		{[]string{"Bearer"}, "Bearer", "", true},
		{[]string{"Basic dTpw"}, "Basic dTpw", "", true},
		{[]string{"v1.a", "v1.a"}, "", "", false},
	} {
		for required, want := range map[bool]string{false: row.free, true: row.required} {
			if got, ok := wire.BearerToken(row.values, required); got != want || ok != row.ok {
				t.Errorf("BearerToken(%q, %v) = %q, %v, want %q, %v", row.values, required, got, ok, want, row.ok)
			}
		}
	}
}

func TestHeadersOfHTTPHaveAMeaning(t *testing.T) {
	for name, want := range map[string]bool{"Cookie": true, "Te": true, "X-Session": false, "Authorization": false} {
		if got := wire.HasMeaning(name); got != want {
			t.Errorf("HasMeaning(%q) = %v", name, got)
		}
	}
}

func TestACookieReachesItsPathAndWhatIsBelow(t *testing.T) {
	for target, want := range map[string]bool{
		"/shop": true, "/shop/a?b": true, "/shopping": false, "/": false, "/a/shop": false,
	} {
		r := httptest.NewRequest("GET", target, nil)
		if got := wire.Reaches(r, "/shop"); got != want {
			t.Errorf("Reaches(%q) = %v", target, got)
		}
		if !wire.Reaches(r, "/") {
			t.Errorf("a cookie of / does not reach %q", target)
		}
	}
	r := httptest.NewRequest("GET", "/a", nil)
	r.Header.Set("X-Forwarded-Prefix", "/shop/, /inner")
	if !wire.Reaches(r, "/shop/") {
		t.Error("what a proxy stripped does not count")
	}
	if !wire.Reaches(r, "/shop/a") || wire.Reaches(r, "/shop/b") {
		t.Error("what a proxy stripped does not stand before the path that it left")
	}
}
