package experiment

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/demo/trace"
)

// gate is the running store, with a switch that is the experiment's alone: nobody else notices when it is off. It
// remembers what was made, so that nothing stays.
type gate struct {
	trace.Backend
	mu   sync.Mutex
	off  bool
	left int // how many calls fail before it is on again; 0: all of them
	made map[string]bool
}

var errOff = errors.New("the store is switched off")

func (g *gate) turn(on bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.off, g.left = !on, 0
}

// turnOnAfter lets this many calls fail yet.
func (g *gate) turnOnAfter(calls int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.off, g.left = true, calls
}

func (g *gate) check() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.off {
		return nil
	}
	if g.left > 0 {
		g.left--
		g.off = g.left > 0
	}
	return errOff
}

func (g *gate) Load(ctx context.Context, id string) (*session.Record, error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	return g.Backend.Load(ctx, id)
}

func (g *gate) Save(ctx context.Context, rec *session.Record) error {
	if err := g.check(); err != nil {
		return err
	}
	g.remember(rec.ID)
	return g.Backend.Save(ctx, rec)
}

func (g *gate) SaveWithin(ctx context.Context, rec *session.Record, limit session.Limit) error {
	if err := g.check(); err != nil {
		return err
	}
	g.remember(rec.ID)
	return g.Backend.SaveWithin(ctx, rec, limit)
}

func (g *gate) Delete(ctx context.Context, id string) error {
	if err := g.check(); err != nil {
		return err
	}
	return g.Backend.Delete(ctx, id)
}

func (g *gate) Touch(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
	if err := g.check(); err != nil {
		return err
	}
	return g.Backend.Touch(ctx, id, version, seen, expires)
}

func (g *gate) remember(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.made == nil {
		g.made = map[string]bool{}
	}
	g.made[id] = true
}

// clean deletes what the experiment made.
func (g *gate) clean(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	g.mu.Lock()
	defer g.mu.Unlock()
	for id := range g.made {
		err = errors.Join(err, g.Backend.Delete(ctx, id))
	}
	return err
}

// clock is the time of an experiment, which can be put forward.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}
