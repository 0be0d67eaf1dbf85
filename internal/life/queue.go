package life

import (
	"context"
	"sync"
)

// queues make the requests of one process that met a conflict on a session try again one after the other. Otherwise all
// of them load and save at once, one of them succeeds, and with many writers the last ones give up. Only nodes then
// still compete with each other. Nobody waits for the requests of another session.
type queues struct {
	mu     sync.Mutex
	byName map[string]*queue
}

// queue is where those wait who want the same thing. It is there as long as somebody is in it.
type queue struct {
	head   chan struct{} // full while somebody is at the head
	length int           // guarded by the queues
}

func newQueues() *queues { return &queues{byName: map[string]*queue{}} }

// spot is one request's in a queue, nil for none. Whoever waited for it releases it, once.
type spot struct {
	queues *queues
	name   string
	queue  *queue
}

// wait waits to be at the head of the queue for a session, or for whatever else the name is of. It returns nil when the
// context ends first.
func (q *queues) wait(ctx context.Context, name string) *spot {
	mine := &spot{q, name, q.join(name)}
	select {
	case mine.queue.head <- struct{}{}:
		return mine
	case <-ctx.Done():
		mine.quit()
		return nil
	}
}

func (q *queues) join(name string) *queue {
	q.mu.Lock()
	defer q.mu.Unlock()
	one := q.byName[name]
	if one == nil {
		one = &queue{head: make(chan struct{}, 1)}
		q.byName[name] = one
	}
	one.length++
	return one
}

// has reports whether somebody is in the queue for a session.
func (q *queues) has(name string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.byName[name] != nil
}

// pauses is by how many attempts a pause grows. Who is at the head competes with the heads of other nodes alone, one
// for each node, and has lost to one of them: at once it has the better chance, for that node's next one has not read
// the newest state yet. Who waits longer each time loses to all that come after him.
func (s *spot) pauses(attempt int) int {
	if s == nil || attempt >= maxAttempts {
		return attempt
	}
	return 0
}

func (s *spot) quit() {
	s.queues.mu.Lock()
	defer s.queues.mu.Unlock()
	if s.queue.length--; s.queue.length == 0 {
		delete(s.queues.byName, s.name)
	}
}

func (s *spot) release() {
	if s == nil {
		return
	}
	<-s.queue.head
	s.quit()
}
