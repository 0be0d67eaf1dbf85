package bounded

import (
	"context"
	"sync"
	"time"
)

// Context is a context with a deadline, as of [context.WithTimeout]. Its timer starts when somebody asks for Done,
// unless it shares one. It is safe for concurrent use.
type Context struct {
	parent   context.Context
	deadline time.Time
	shared   context.Context // if not nil, it ends with this one, and not with its parent

	mu    sync.Mutex
	timed context.Context // nil until somebody waits
	end   context.CancelFunc
	ended bool
}

var _ context.Context = (*Context)(nil)

// Within returns a context that ends with its parent, and at the latest after d. Whoever made it calls End when the
// call is over.
func Within(parent context.Context, d time.Duration) *Context {
	deadline := now().Add(d)
	if earlier, bounded := parent.Deadline(); bounded && earlier.Before(deadline) {
		deadline = earlier
	}
	return &Context{parent: parent, deadline: deadline}
}

// Until returns a context with the values of its parent that only a deadline ends. Whoever made it calls End when the
// call is over.
func Until(parent context.Context, deadline time.Time) *Context {
	return &Context{parent: context.WithoutCancel(parent), deadline: deadline}
}

// Detached reports whether nothing but its deadline ends a context, as one of [Calls.Detach].
func Detached(ctx context.Context) bool {
	c, ok := ctx.(*Context)
	return ok && c.shared != nil
}

// now measures how long a call takes, and judges no record.
func now() time.Time { return time.Now() }

// End ends the context and releases what it holds. Only the first call counts.
func (c *Context) End() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = c.ended || c.shared == nil || c.shared.Err() == nil
	if c.end != nil {
		c.end()
	}
}

// Deadline implements [context.Context].
func (c *Context) Deadline() (time.Time, bool) { return c.deadline, true }

// Done implements [context.Context]. A call that ends by its deadline alone says nothing there when it is over.
func (c *Context) Done() <-chan struct{} {
	if c.shared != nil {
		return c.shared.Done()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.start().Done()
}

// Err implements [context.Context].
func (c *Context) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shared != nil {
		if c.ended {
			return context.Canceled
		}
		return c.shared.Err()
	}
	if c.timed == nil && !c.ended && c.parent.Err() == nil && now().Before(c.deadline) {
		return nil
	}
	return c.start().Err()
}

// Value implements [context.Context]. Once there is a timer its context answers, by which the standard library finds it
// and needs no goroutine for the contexts that come after.
func (c *Context) Value(key any) any {
	if c.shared != nil {
		if value := c.shared.Value(key); value != nil {
			return value
		}
		return c.parent.Value(key)
	}
	if timed := c.started(); timed != nil {
		return timed.Value(key)
	}
	return c.parent.Value(key)
}

func (c *Context) started() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.timed
}

// start returns the context with the timer, or one that is over when the call is. The caller holds the lock.
func (c *Context) start() context.Context {
	switch {
	case c.timed != nil:
	case c.ended:
		c.timed, c.end = context.WithCancel(c.parent)
		c.end()
	default:
		c.timed, c.end = context.WithDeadline(c.parent, c.deadline)
	}
	return c.timed
}
