package main

import (
	"bufio"
	"io"
	"strings"
	"testing"

	"github.com/coatcheck/session/examples/internal/browser"
)

func TestTheStreamEndsWithTheSession(t *testing.T) {
	address, stop, err := browser.Serve(app)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	b := browser.Open(address)
	if status, _ := b.Get("/events", "Accept: text/event-stream"); status != 401 {
		t.Errorf("a stranger: status %d, want 401", status)
	}
	b.Post("/login", nil)
	resp, err := b.Client.Get(address + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	stream := bufio.NewReader(resp.Body)
	if line, err := stream.ReadString('\n'); line != "data: ada, event 1\n" || err != nil {
		t.Fatalf("the first event: %q, %v", line, err)
	}

	b.Post("/logout", nil) // in another tab
	rest, err := io.ReadAll(stream)
	if err != nil || !strings.HasSuffix(string(rest), "event: bye\ndata: signed out\n\n") {
		t.Errorf("the end of the stream: %q, %v", rest, err)
	}
	if status, _ := b.Get("/events"); status != 401 {
		t.Errorf("after the logout: status %d, want 401", status)
	}
}
