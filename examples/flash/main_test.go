package main

import (
	"net/url"
	"strings"
	"testing"

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
