package session

import (
	"context"
	"sync"
)

// turns make the requests of one process that met a conflict on a session try again one after the other. Otherwise all of
// them load and save at once, one of them succeeds, and with many writers the last ones give up. Only nodes then still
// compete with each other. Nobody waits for the requests of another session.
type turns struct {
	mu    sync.Mutex
	lines map[string]*line
}

// line is where those wait who want the same thing. It is there as long as somebody has or wants a turn.
type line struct {
	first chan struct{} // full while somebody has the turn
	size  int           // guarded by the turns
}

func newTurns() *turns { return &turns{lines: map[string]*line{}} }

// turn is that of one request, nil for none. It is released once, by whoever took it.
type turn struct {
	all  *turns
	name string
	line *line
}

// take waits for the turn of a session, or whatever else the name is of. It returns nil when the context ends first.
func (t *turns) take(ctx context.Context, name string) *turn {
	mine := &turn{t, name, t.join(name)}
	select {
	case mine.line.first <- struct{}{}:
		return mine
	case <-ctx.Done():
		mine.leave()
		return nil
	}
}

func (t *turns) join(name string) *line {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.lines[name]
	if l == nil {
		l = &line{first: make(chan struct{}, 1)}
		t.lines[name] = l
	}
	l.size++
	return l
}

func (t *turn) leave() {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	if t.line.size--; t.line.size == 0 {
		delete(t.all.lines, t.name)
	}
}

func (t *turn) release() {
	if t == nil {
		return
	}
	<-t.line.first
	t.leave()
}
