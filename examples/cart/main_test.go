package main

import (
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/coatcheck/session/examples/internal/browser"
)

func TestParallelTabsLoseNothing(t *testing.T) {
	address, stop, err := browser.Serve(app)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	b := browser.Open(address)
	if _, body := b.Post("/add", url.Values{"item": {"coat"}}); !strings.Contains(body, "1 × coat") {
		t.Fatalf("the first coat: %s", body)
	}
	var tabs sync.WaitGroup
	for i := range 30 {
		tabs.Go(func() {
			if status, body := b.Post("/add", url.Values{"item": {goods[i%3]}}); status != 200 {
				t.Errorf("status %d: %s", status, body)
			}
		})
	}
	tabs.Wait()
	_, body := b.Get("/")
	for _, want := range []string{"11 × coat", "10 × hat", "10 × scarf"} {
		if !strings.Contains(body, want) {
			t.Errorf("the cart lacks %s: %s", want, body)
		}
	}
	if _, body := browser.Open(address).Get("/"); strings.Contains(body, "×") {
		t.Errorf("another visitor sees a cart: %s", body)
	}
	if status, _ := b.Post("/add", url.Values{"item": {"<b>"}}); status != 400 {
		t.Errorf("what the shop does not have: status %d, want 400", status)
	}
	if _, body := b.Post("/empty", nil); strings.Contains(body, "×") {
		t.Errorf("after it was emptied: %s", body)
	}
}
