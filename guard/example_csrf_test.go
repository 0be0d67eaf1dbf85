package guard_test

import (
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/coatcheck/session/guard"
)

func ExampleGuard_CSRF() {
	sessions, g := newGuard(guard.Options{})
	defer sessions.Close()
	app := g.CSRF(say("saved"))
	for _, from := range []string{"same-origin", "cross-site"} {
		r := httptest.NewRequest("POST", "/save", nil)
		r.Header.Set("Sec-Fetch-Site", from)
		fmt.Println(from, ask(app, r, nil).Code)
	}
	// Output:
	// same-origin 200
	// cross-site 403
}

// A form with the field that older browsers need.
func ExampleCSRFField() {
	sessions, g := newGuard(guard.Options{})
	defer sessions.Close()
	page := template.Must(template.New("").Parse(`<form method="post">{{.CSRF}}<button>Save</button></form>`))
	app := g.CSRF(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			fmt.Fprint(w, "saved")
			return
		}
		if err := page.Execute(w, map[string]any{"CSRF": guard.CSRFField(r)}); err != nil {
			panic(err)
		}
	}))

	form := ask(app, httptest.NewRequest("GET", "/", nil), nil)
	_, rest, _ := strings.Cut(form.Body.String(), `value="`)
	token, _, _ := strings.Cut(rest, `"`)
	send := func(token string) *httptest.ResponseRecorder {
		body := url.Values{guard.CSRFFormField: {token}}.Encode()
		r := httptest.NewRequest("POST", "/", strings.NewReader(body)) // without Sec-Fetch-Site and Origin
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return ask(app, r, form.Result().Cookies())
	}
	fmt.Println(send(token).Code, send("").Code)
	// Output: 200 403
}

// A script sends the token in a header.
func ExampleCSRFToken() {
	sessions, g := newGuard(guard.Options{})
	defer sessions.Close()
	app := g.CSRF(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, guard.CSRFToken(r))
		}
	}))
	ada := login(sessions, "ada")
	token := get(app, "/", ada).Body.String()
	r := httptest.NewRequest("DELETE", "/", nil)
	r.Header.Set(guard.CSRFHeader, token)
	fmt.Println(ask(app, r, ada).Code)
	// Output: 200
}
