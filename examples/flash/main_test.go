package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/examples/internal/browser"
)

func TestAMessageIsShownOnceAfterTheRedirect(t *testing.T) {
	address, stop, err := browser.Serve(app)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	b := browser.Open(address)
	if _, body := b.Post("/", url.Values{"name": {"Ada"}}); !strings.Contains(body, "Saved: Ada") {
		t.Errorf("after the form: %s", body)
	}
	if _, body := b.Get("/"); strings.Contains(body, "Saved") {
		t.Errorf("at the second look: %s", body)
	}
	long := strings.Repeat("x", 41)
	if _, body := b.Post("/", url.Values{"name": {long}}); !strings.Contains(body, "1 to 40") ||
		!strings.Contains(body, long) {
		t.Errorf("after a wrong name: %s", body)
	}
	if _, body := b.Get("/"); strings.Contains(body, "1 to 40") || strings.Contains(body, long) {
		t.Errorf("at the second look after a wrong name: %s", body)
	}
}

// What a stranger types is kept for as long as a session, so that it must not be long.
func TestALongNameIsNotKept(t *testing.T) {
	var store *session.Manager
	address, stop, err := browser.Serve(func(m *session.Manager) (http.Handler, error) { store = m; return app(m) })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	b := browser.Open(address)
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, n := range []int{1000, 1 << 20} {
		if status, body := b.Post("/", url.Values{"name": {strings.Repeat("x", n)}}); status != 303 {
			t.Errorf("%d letters are answered with %d %s", n, status, body)
		}
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		s, err := store.Open(t.Context(), b.Jar.Cookies(u)[0].Value)
		if err != nil || notice.Or(s, "") == "" || len(typed.Or(s, "")) > 400 {
			t.Errorf("of %d letters %d are kept, %v", n, len(typed.Or(s, "")), err)
		}
	}
}
