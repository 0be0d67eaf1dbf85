package session_test

import (
	"errors"
	"testing"
	"time"
)

var errDown = errors.New("connection refused")

// waitFor fails the test when the channel is not closed in a time that is long for any computer.
func waitFor(t *testing.T, done <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(5 * time.Minute):
		t.Fatal(what)
	}
}
