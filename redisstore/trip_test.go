package redisstore_test

import (
	"context"
	"fmt"
	"net"
	"os"
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

// late is a context whose deadline is past, and that has not ended yet: its timer is a moment behind.
type late struct{ context.Context }

func (late) Deadline() (time.Time, bool) { return time.Now(), true }

// A change is not sent twice. Only the bare end of a context that is not the caller's own says that it was not sent.
func TestOnlyTheEndOfAnothersContextIsTakenForUnsent(t *testing.T) {
	open := t.Context()
	over, cancel := context.WithCancel(open)
	cancel()
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for _, tt := range []struct {
		name string
		ctx  context.Context
		err  error
		want bool
	}{
		{"another's time is over", open, context.DeadlineExceeded, true},
		{"another left", open, context.Canceled, true},
		{"another left who connects", open, dial(context.Canceled), true},
		{"the caller left", over, context.Canceled, false},
		{"the caller left who connects", over, dial(context.Canceled), false},
		{"the caller's time is over", late{open}, context.DeadlineExceeded, false},
		{"a connection that was read from in vain", open, os.ErrDeadlineExceeded, false},
		{"one of the program's own kind", open, fmt.Errorf("read: %w", context.DeadlineExceeded), false},
		{"nobody is there", open, dial(os.ErrDeadlineExceeded), false},
		{"nobody is there in time", open, dial(context.DeadlineExceeded), false},
	} {
		if got := redisstore.IsAnothers(tt.ctx, tt.err); got != tt.want {
			t.Errorf("%s: unsent: %t, want %t", tt.name, got, tt.want)
		}
	}
}
