// Package load puts load on a store, by way of a manager as a site has it, and measures how long sessions take.
package load

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/coatcheck/session"
)

// Options say how much load there is.
type Options struct {
	Clients  int           // that ask at the same time
	Sessions int           // at least one for each client
	Size     int           // bytes of data in a session
	Writes   int           // of a hundred requests, how many change their session
	Duration time.Duration // of reading and writing
	Step     func(n int)   // called for each operation
}

// The kinds of operation. A read opens a session and reads a key; a write changes a key, too, and saves.
const (
	Create = "create"
	Read   = "read"
	Write  = "write"
	End    = "end"
)

// leftover is how long sessions live that a run could not remove.
const leftover = time.Hour

const (
	payload = session.Key[string]("payload")
	count   = session.Key[int]("count")
)

var errLost = errors.New("a session is gone, or has lost its data")

// client has sessions of its own, and no other uses them.
type client struct {
	m     *session.Manager
	opts  Options
	times times
	held  []held
}

type held struct{ token, id string }

// Run makes sessions, reads and writes them for the time given, and ends them, also when the context ends or the store
// fails.
func Run(ctx context.Context, m *session.Manager, opts Options) (*Report, error) {
	clients := make([]*client, opts.Clients)
	for i := range clients {
		clients[i] = &client{m: m, opts: opts, times: times{}}
	}
	creating, err := together(clients, func(i int, c *client) error {
		return c.create(ctx, (opts.Sessions+i)/opts.Clients)
	})
	var using, ending time.Duration
	if err == nil {
		until := time.Now().Add(opts.Duration)
		using, err = together(clients, func(_ int, c *client) error { return c.use(ctx, until) })
	}
	uncancelled := context.WithoutCancel(ctx)
	ending, endErr := together(clients, func(_ int, c *client) error { return c.end(uncancelled) })
	if err = cmp.Or(errors.Join(err, endErr), ctx.Err()); err != nil {
		return nil, err
	}
	return newReport(clients, map[string]time.Duration{Create: creating, Read: using, Write: using, End: ending}), nil
}

// together has all clients work at the same time, and says how long that took.
func together(clients []*client, work func(i int, c *client) error) (time.Duration, error) {
	begin := time.Now()
	errs := make([]error, len(clients))
	var group sync.WaitGroup
	for i, c := range clients {
		group.Go(func() { errs[i] = work(i, c) })
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return 0, cmp.Or(errors.Unwrap(err), err) // with its cause; the others say the same
		}
	}
	return time.Since(begin), nil
}

func (c *client) create(ctx context.Context, n int) error {
	text := strings.Repeat("x", c.opts.Size)
	for range n {
		s, err := c.m.Open(ctx, "")
		if err != nil {
			return err
		}
		s.SetIdleTimeout(leftover)
		payload.Set(s, text)
		if err := c.measure(Create, func() error { return s.Save(ctx) }); err != nil {
			return err
		}
		c.held = append(c.held, held{s.Token(), s.ID()})
	}
	return nil
}

// use reads and writes until the time is over. What is under way then is done: a call whose context ends fails like one
// of a store that is down.
func (c *client) use(ctx context.Context, until time.Time) error {
	for ctx.Err() == nil && time.Now().Before(until) {
		at := &c.held[rand.IntN(len(c.held))]
		var err error
		if rand.IntN(100) < c.opts.Writes {
			err = c.measure(Write, func() error { return c.write(ctx, at) })
		} else {
			err = c.measure(Read, func() error { return c.read(ctx, at) })
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

func (c *client) read(ctx context.Context, at *held) error {
	s, err := c.m.Open(ctx, at.token)
	if err != nil {
		return err
	}
	if _, ok := payload.Get(s); !ok {
		return errLost
	}
	return nil
}

func (c *client) write(ctx context.Context, at *held) error {
	s, err := c.m.Open(ctx, at.token)
	if err != nil {
		return err
	}
	count.Update(s, func(n int) int { return n + 1 })
	if err := s.Save(ctx); err != nil {
		return err
	}
	*at = held{s.Token(), s.ID()} // it may have been renewed
	return nil
}

func (c *client) end(ctx context.Context) error {
	for _, at := range c.held {
		err := c.measure(End, func() error {
			_, err := c.m.Revoke(ctx, at.id)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// measure keeps the time of what succeeded.
func (c *client) measure(kind string, work func() error) error {
	begin := time.Now()
	err := work()
	if err == nil {
		c.times.add(kind, time.Since(begin))
		c.opts.Step(1)
	}
	return err
}
