package redisstore_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session/redisstore"
)

// A sweep makes many trips. A server that refuses them all holds it up for five seconds, not for five seconds each.
func TestTheTripsOfACallShareItsPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sweep, ends := redisstore.SharePatience(t.Context()), time.Now().Add(time.Hour)
		mine, cancel := context.WithDeadline(sweep, ends)
		defer cancel()
		for _, want := range []time.Duration{5 * time.Second, 3 * time.Second, time.Second, 50 * time.Millisecond} {
			if got := redisstore.Patience(sweep); got != want {
				t.Errorf("the next trip has a patience of %v, want %v", got, want)
			}
			if got, left := redisstore.Patience(mine), time.Until(ends); got != left {
				t.Errorf("with a deadline it has %v, want what is left, %v", got, left)
			}
			time.Sleep(2 * time.Second)
		}
		if got := redisstore.Patience(t.Context()); got != 5*time.Second {
			t.Errorf("another call has a patience of %v, want five seconds", got)
		}
	})
}
