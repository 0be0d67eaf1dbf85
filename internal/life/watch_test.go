package life_test

import (
	"context"
	"testing"
)

// A manager serves requests after its Close. Nobody asks the store for who waits then, so nothing may be kept for that.
func TestAClosedKeeperKeepsNothingOfWhoWaited(t *testing.T) {
	w := newWorld(t)
	w.Close()
	for range 20 {
		ctx, done := context.WithCancel(t.Context())
		d, _ := w.find(w.stored("x"))
		d.Watch(ctx, d.Waiter())
		w.AskAll()
		done()
	}
	if n := w.Tips(); n > 0 {
		t.Errorf("%d sessions are noted, to ask the store for them", n)
	}
}
