package life

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// queues make the requests of one process that met a conflict on a session try again one after the other. Otherwise all
// of them load and save at once, one of them succeeds, and with many writers the last ones give up. Only nodes then
// still compete with each other. Nobody waits for the requests of another session.
//
// A queue makes it likely that nobody loses twice, and no more: what is stored is decided by the store. So a turn can
// lapse.
type queues struct {
	mu     sync.Mutex
	byName map[string]*queue
	length atomic.Int64 // of byName, for has
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
	lapse  *time.Timer // runs leave; of who is at the head
}

// turnLasts is how long the others wait for one who is at the head: much longer than a turn takes on a busy machine. A
// function of the application runs in it, and may wait for a request that is behind it in this queue, or at the head of
// another one whose function waits for this.
const turnLasts = time.Second

// wait waits to be at the head of the queue for a session, or for whatever else the name is of. It returns nil when the
// context ends first.
func (q *queues) wait(ctx context.Context, name string) *spot {
	mine := &spot{queues: q, name: name, queue: q.join(name)}
	select {
	case mine.queue.head <- struct{}{}:
		mine.lapse = time.AfterFunc(turnLasts, mine.leave)
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
		q.length.Add(1)
	}
	one.length++
	return one
}

// has reports whether somebody is in the queue for a session. Every save asks, and mostly nobody waits for anything:
// then the saves do not wait for each other here either.
func (q *queues) has(name string) bool {
	if q.length.Load() == 0 {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.byName[name] != nil
}

// pauses is by how many attempts a pause grows. Whoever is at the head competes only with the heads of other nodes, one
// for each node, and has lost to one of them: at once it has the better chance, for that node's next one has not read
// the newest state yet. Whoever waits longer each time loses to all that come afterwards.
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
		s.queues.length.Add(-1)
	}
}

func (s *spot) leave() {
	<-s.queue.head
	s.quit()
}

func (s *spot) release() {
	if s != nil && s.lapse.Stop() {
		s.leave()
	}
}

// Turn is what one who makes several attempts has of a queue. Its zero value is none.
type Turn struct{ spot *spot }

// Await is called before each attempt to change a session, with the number of those that failed. After the first, or
// where others wait already, it waits for the turn that they have one after the other. The error wraps ErrConflict:
// there are to be no more attempts.
func (t *Turn) Await(ctx context.Context, d *Draft, failed int) error {
	if rec := d.at.Rec; t.spot == nil && rec != nil && (failed > 0 || d.k.queues.has(rec.ID)) {
		t.spot = d.k.queues.wait(ctx, rec.ID)
	}
	return Pause(ctx, t.spot.pauses(max(failed-1, 0)))
}

// End lets the next one have its turn.
func (t *Turn) End() { t.spot.release() }
