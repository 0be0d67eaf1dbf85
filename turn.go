package session

import (
	"context"
	"hash/maphash"
)

// turns make the requests of one process that met a conflict on a session try again one after the other. Otherwise all of
// them load and save at once, one of them succeeds, and with many writers the last ones give up. Only nodes then still
// compete with each other.
type turns struct {
	seed maphash.Seed
	line [64]chan struct{} // sessions share a line by chance, which costs them a little time
}

func newTurns() *turns {
	t := &turns{seed: maphash.MakeSeed()}
	for i := range t.line {
		t.line[i] = make(chan struct{}, 1)
	}
	return t
}

// turn is that of one session, or none. It is released once, by whoever took it.
type turn chan struct{}

// take waits for the turn of a session. It returns nil when the context ends first.
func (t *turns) take(ctx context.Context, id string) turn {
	line := t.line[maphash.String(t.seed, id)%uint64(len(t.line))]
	select {
	case line <- struct{}{}:
		return line
	case <-ctx.Done():
		return nil
	}
}

func (t turn) release() {
	if t != nil {
		<-t
	}
}
