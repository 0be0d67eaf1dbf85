package main

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/coatcheck/session/examples/internal/browser"
	"github.com/coder/websocket"
)

func TestTheSocketEndsWithTheSession(t *testing.T) {
	address, stop, err := browser.Serve(app)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b := browser.Open(address)
	dial := func(origin string) (*websocket.Conn, *http.Response, error) {
		return websocket.Dial(ctx, address+"/echo", &websocket.DialOptions{
			HTTPClient: &b.Client, HTTPHeader: http.Header{"Origin": {origin}},
		})
	}
	wantRefused := func(what, origin string, status int) {
		t.Helper()
		conn, resp, err := dial(origin)
		if err == nil {
			conn.CloseNow()
			t.Errorf("%s gets a socket", what)
			return
		}
		if resp == nil || resp.StatusCode != status {
			t.Errorf("%s: %v, want status %d", what, err, status)
		}
	}
	wantRefused("a stranger", address, 401)
	b.Post("/login", nil)
	wantRefused("another site", "https://evil.example", 403)

	conn, _, err := dial(address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if err := conn.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, message, err := conn.Read(ctx); string(message) != "ada: hello" || err != nil {
		t.Errorf("read %q, %v", message, err)
	}

	b.Post("/logout", nil) // in another tab
	_, _, err = conn.Read(ctx)
	var closed websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != websocket.StatusPolicyViolation || closed.Reason != "signed out" {
		t.Errorf("after the logout: %v, want it closed because of it", err)
	}
	wantRefused("who signed out", address, 401)
}
