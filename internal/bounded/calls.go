package bounded

import (
	"context"
	"sync/atomic"
	"time"
)

// Calls bounds calls, all by the same time. Those that only a deadline ends share it with all that begin at about the
// same time, because a timer for each of them takes longer than the rest of its context. It is safe for concurrent use,
// but not in two bubbles of testing/synctest, one after the other.
type Calls struct {
	within time.Duration
	latest atomic.Pointer[deadline]
}

// NewCalls returns calls that take no longer than a time. Some have up to a twentieth less, so that they can share a
// timer.
func NewCalls(within time.Duration) *Calls { return &Calls{within: within} }

// deadline is shared by the calls that begin in a period.
type deadline struct {
	context.Context
	at           time.Time
	began, until time.Time // of the period
}

// Limit gives a context without a deadline one. A context that has a deadline is returned as it is, and with it nil,
// whose End does nothing.
func (c *Calls) Limit(parent context.Context) (context.Context, *Context) {
	if _, has := parent.Deadline(); has {
		return parent, nil
	}
	limited := Within(parent, c.within)
	return limited, limited
}

// Outlast is Detach for a parent without a deadline. Of one that has a deadline it leaves nothing but that.
func (c *Calls) Outlast(parent context.Context) *Context {
	if at, has := parent.Deadline(); has {
		return Until(parent, at)
	}
	return c.Detach(parent)
}

// Detach returns a context with the values of its parent that nothing ends but the deadline of the calls.
func (c *Calls) Detach(parent context.Context) *Context {
	d := c.deadline(now())
	return &Context{parent: parent, deadline: d.at, shared: d}
}

// deadline is that of a call which begins now.
func (c *Calls) deadline(now time.Time) *deadline {
	if d := c.latest.Load(); d != nil && now.Before(d.until) && !now.Before(d.began) {
		return d
	}
	at := now.Add(c.within)
	ctx, release := context.WithDeadline(context.Background(), at)
	context.AfterFunc(ctx, release)
	d := &deadline{ctx, at, now, now.Add(c.within / 20)}
	c.latest.Store(d)
	return d
}
