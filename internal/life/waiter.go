package life

import (
	"context"
	"sync"
	"sync/atomic"
)

// Waiter waits for the end of one session.
type Waiter struct {
	ended   chan struct{}
	why     Reason // once ended is closed
	once    sync.Once
	watched bool
	release atomic.Pointer[func() bool] // by the context in which it waits

	id string // under which it waits; this and what follows is guarded by the watch
	Member
}

// Waiter makes somebody who waits for the end of this session, and is told of it at once if it is gone.
func (d *Draft) Waiter() *Waiter {
	w := &Waiter{ended: make(chan struct{})}
	if d.gone {
		w.notify(d.EndedBy())
	}
	return w
}

// Ended is closed when the session has ended.
func (w *Waiter) Ended() <-chan struct{} { return w.ended }

// EndedBy is why it has ended, "" as long as it has not, or when that is not known.
func (w *Waiter) EndedBy() Reason {
	if w.over() {
		return w.why
	}
	return ""
}

func (w *Waiter) over() bool {
	select {
	case <-w.ended:
		return true
	default:
		return false
	}
}

func (w *Waiter) notify(why Reason) {
	w.once.Do(func() {
		w.why = why
		close(w.ended)
		w.leave()
	})
}

// leave has the context forget somebody who waits no longer. The context may last as long as the program.
func (w *Waiter) leave() {
	if release := w.release.Load(); release != nil {
		(*release)()
	}
}

// Watch has somebody wait for as long as the context lasts, once the session is stored. Later it notes whose it is by
// then.
func (d *Draft) Watch(ctx context.Context, w *Waiter) {
	switch {
	case !d.Stored() || w.over():
	case w.watched:
		d.k.watch.note(w, d.member())
	default:
		w.watched = true
		d.k.watch.add(d.at.Rec.ID, w, d.member())
		k := d.k
		release := context.AfterFunc(ctx, func() { k.watch.remove(w) })
		w.release.Store(&release)
		if w.over() { // and whoever told it may not have seen that
			w.leave()
		}
	}
}
