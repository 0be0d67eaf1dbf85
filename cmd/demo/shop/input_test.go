package shop_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

var wrongInputs = []struct {
	name, method, path, contentType, body string
	status                                int
}{
	{"no such page", "GET", "/nowhere", "", "", 404},
	{"no such page to post to", "POST", "/nowhere", formType, "a=b", 404},
	{"a page below a page", "GET", "/sessions/x", "", "", 404},
	{"POST to the first page", "POST", "/", formType, "", 405},
	{"GET of a form", "GET", "/login", "", "", 405},
	{"GET of the logout", "GET", "/logout", "", "", 405},
	{"GET of a revocation", "GET", "/sessions/revoke", "", "", 405},
	{"DELETE", "DELETE", "/sessions", "", "", 405},
	{"no name", "POST", "/login", formType, "", 400},
	{"an empty name", "POST", "/login", formType, "user=", 400},
	{"a name in the address", "POST", "/login?user=ada", formType, "", 400},
	{"a long name", "POST", "/login", formType, "user=" + strings.Repeat("a", 256), 400},
	{"a name with a line break", "POST", "/login", formType, "user=a%0Ab", 400},
	{"a name with a C1 control", "POST", "/login", formType, "user=a%C2%85b", 400},
	{"a name that is not UTF-8", "POST", "/login", formType, "user=%ff", 400},
	{"a JSON name that is not UTF-8", "POST", "/login", jsonType, "{\"user\":\"\xff\"}", 400},
	{"two names", "POST", "/login", formType, "user=ada&user=eve", 400},
	{"an odd remember", "POST", "/login", formType, "user=ada&remember=perhaps", 400},
	{"a broken form", "POST", "/login", formType, "user=%zz", 400},
	{"a list for a name", "POST", "/login", jsonType, `{"user":["ada"]}`, 400},
	{"broken JSON", "POST", "/login", jsonType, `{"user":`, 400},
	{"a JSON list", "POST", "/login", jsonType, `[]`, 400},
	{"JSON null", "POST", "/login", jsonType, `null`, 400},
	{"two JSON objects", "POST", "/login", jsonType, `{"user":"ada"}{}`, 400},
	{"a text", "POST", "/login", "text/plain", "user=ada", 400},
	{"no content type", "POST", "/login", "", "user=ada", 400},
	{"too much", "POST", "/login", formType, "user=" + strings.Repeat("a", 20_000), 400},
	{"an empty note", "POST", "/notes", formType, "text=", 400},
	{"a long note", "POST", "/notes", formType, "text=" + strings.Repeat("a", 501), 400},
	{"a note of two lines", "POST", "/notes", jsonType, `{"text":"a\nb"}`, 400},
	{"revoke as nobody", "POST", "/sessions/revoke", formType, "others=1", 401},
}

func TestWrongInputIsRefusedWithTheReason(t *testing.T) {
	site := start(t, options{})
	for _, row := range wrongInputs {
		t.Run(row.name, func(t *testing.T) {
			a := script(t, site).send(row.method, row.path, row.contentType, row.body)
			wantStatus(t, row.path, a, row.status)
			var reason map[string]string
			if err := json.Unmarshal([]byte(a.body), &reason); err != nil || len(reason) != 1 || reason["error"] == "" {
				t.Errorf("the script got %q, want a reason", a.body)
			}
			a = person(t, site).send(row.method, row.path, row.contentType, row.body)
			field, _, _ := strings.Cut(reason["error"], ":")
			if unread := row.name == "two names" || row.name == "a list for a name"; !unread &&
				(field == "user" || field == "text") {
				wantStatus(t, row.path, a, http.StatusUnprocessableEntity)
				wantText(t, "the form", a, `id="`+field+`"`, `aria-invalid="true"`, `id="`+field+`-error"`)
			} else {
				wantStatus(t, row.path, a, row.status)
				wantText(t, "the page", a, "<h1>"+http.StatusText(row.status)+"</h1>", `role="alert"`,
					"Back to the first page")
			}
			if got := a.Header.Get("Set-Cookie"); got != "" {
				t.Errorf("a refused request began a session: %q", got)
			}
		})
	}
}

func TestWrongRevocations(t *testing.T) {
	v := script(t, start(t, options{}))
	v.post("/login", "user", "ada")
	for body, status := range map[string]int{
		"":               400,
		"id=":            400,
		"others=0":       400,
		"others=maybe":   400,
		"others=1&id=x":  400,
		"id=x":           400,
		"id=../../etc":   400,
		"id=%00%ff&x=":   400,
		"others=on&id=":  200,
		"others=true&a=": 200,
	} {
		wantStatus(t, body, v.send(http.MethodPost, "/sessions/revoke", formType, body), status)
	}
}

func TestMethodsThatWouldWorkAreNamed(t *testing.T) {
	v := script(t, start(t, options{}))
	for path, want := range map[string]string{"/": "GET, HEAD", "/login": "POST", "/sessions": "GET, POST, HEAD"} {
		if got := v.send(http.MethodPut, path, "", "").Header.Get("Allow"); got != want {
			t.Errorf("Allow of %s = %q, want %q", path, got, want)
		}
	}
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		v := script(t, site)
		v.post("/login", "user", "ada")
		for name, headers := range map[string][]string{
			"by Origin":         {"Origin", "https://evil.example"},
			"by Sec-Fetch-Site": {"Sec-Fetch-Site", "cross-site"},
			"by same site":      {"Sec-Fetch-Site", "same-site"},
			"without an origin": {"Origin", "null"},
		} {
			for _, path := range []string{"/login", "/logout", "/notes", "/sessions/revoke"} {
				a := v.send(http.MethodPost, path, formType, "user=eve&text=a&others=1", headers...)
				wantStatus(t, path+" "+name, a, http.StatusForbidden)
				wantText(t, path, a, `{"error":`)
			}
		}
		if s := v.state(); s.User != "ada" || len(s.Notes) != 0 {
			t.Errorf("a form of another site changed the session: %+v", s)
		}
		a := v.send(http.MethodPost, "/notes", formType, "text=mine", "Origin", site.url)
		wantStatus(t, "a form of ours", a, http.StatusOK)
	})
}

func TestNamesUpToTheLimitAreTaken(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		for _, name := range []string{"a", "Zoë", "日本", strings.Repeat("é", 127) + "a", `..\/:*?"<>|`, "a b", "12"} {
			v := script(t, site)
			v.post("/login", "user", name)
			if s := v.state(); s.User != name {
				t.Errorf("signed in as %q, want %q", s.User, name)
			}
		}
	})
}

// A name that looks like another on the page is a mistake of whoever typed it, and no failure of the site.
func TestNamesThatLookAlikeAreRefused(t *testing.T) {
	site := start(t, options{})
	for _, name := range []string{" ", "ada ", "\u202eabc", "a\u200bda"} {
		v := script(t, site)
		wantStatus(t, name, v.post("/login", "user", name), http.StatusBadRequest)
		if s := v.state(); s.User != "" {
			t.Errorf("signed in as %q", s.User)
		}
	}
}
