package life

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"
)

// watch knows who wants to be told of the end of which session. One goroutine asks the store for all of them; it runs
// only while somebody waits.
type watch struct {
	k       *Keeper
	mu      sync.Mutex
	waiting map[string][]*Waiter
	tips    map[string]bool // ids among them that the store told of
	wake    chan struct{}   // something was told
	polling bool
}

func newWatch(k *Keeper) *watch {
	return &watch{k: k, waiting: map[string][]*Waiter{}, tips: map[string]bool{}, wake: make(chan struct{}, 1)}
}

// add has the session asked for once at the start: it may have ended since it was loaded.
func (w *watch) add(id string, one *Waiter, of Member) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one.id, one.Member = id, of
	w.waiting[id] = append(w.waiting[id], one)
	w.askSoon(id)
	if !w.polling {
		w.polling = w.k.Start(w.poll)
	}
}

// note notes whose a watched session is by now.
func (w *watch) note(one *Waiter, of Member) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one.Member = of
}

func (w *watch) remove(one *Waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.waiting[one.id]
	if i := slices.Index(list, one); i >= 0 {
		w.put(one.id, slices.Delete(list, i, i+1))
	}
}

func (w *watch) put(id string, list []*Waiter) {
	if len(list) == 0 {
		delete(w.waiting, id)
		return
	}
	w.waiting[id] = list
}

// moved follows a session to its new id.
func (w *watch) moved(from, to string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.waiting[from]
	if len(list) == 0 {
		return
	}
	delete(w.waiting, from)
	w.waiting[to] = append(w.waiting[to], list...)
	for _, one := range list {
		one.id = to
	}
}

func (w *watch) ended(why Reason, ids ...string) {
	for _, one := range w.take(ids) { // without the lock: a context is somebody else's
		one.notify(why)
	}
}

// take returns those who wait for these sessions, who do no longer.
func (w *watch) take(ids []string) (list []*Waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		list = append(list, w.waiting[id]...)
		delete(w.waiting, id)
	}
	return list
}

func (w *watch) poll(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if w.k.can.Watcher != nil {
		w.k.Start(func(context.Context) { w.listen(ctx) })
	}
	ticker := time.NewTicker(w.k.WatchEvery)
	defer ticker.Stop()
	for more := true; more; {
		var ids []string
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
			ids = w.takeTips()
		case <-ticker.C:
			ids, more = w.ids()
		}
		w.askAll(ctx, ids)
	}
}

// askers is how many sessions are asked for at a time, so that one round over many of them is done before the next is
// due.
const askers = 8

func (w *watch) askAll(ctx context.Context, ids []string) {
	asked := make(chan string)
	var group sync.WaitGroup
	for range min(askers, len(ids)) {
		group.Go(func() {
			for id := range asked {
				w.ask(ctx, id)
			}
		})
	}
	for _, id := range ids {
		select {
		case asked <- id:
		case <-ctx.Done():
		}
	}
	close(asked)
	group.Wait()
}

// listen lets the store tell of sessions that ended, and begins again when it stopped. What was missed is found by
// asking.
func (w *watch) listen(ctx context.Context) {
	for {
		err := w.k.can.Watcher.Watch(ctx, w.tip)
		if ctx.Err() != nil || errors.Is(err, ErrNotSupported) {
			return
		}
		w.k.Logger.WarnContext(ctx, "session: the store reports no ended sessions for now", "err", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(w.k.WatchEvery):
		}
	}
}

// tip is told that a session may have ended, or with "" that any may have.
func (w *watch) tip(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if id != "" {
		w.askSoon(id)
		return
	}
	for id := range w.waiting {
		w.askSoon(id)
	}
}

// askSoon has the store asked for a session soon, if somebody waits for it. After the close nobody asks, and what was
// noted would stay for good. It is called with the lock held.
func (w *watch) askSoon(id string) {
	if w.waiting[id] == nil || w.k.closed() {
		return
	}
	w.tips[id] = true
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// takeTips returns what was told since it was called last.
func (w *watch) takeTips() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := slices.Collect(maps.Keys(w.tips))
	clear(w.tips)
	return ids
}

// ids lists what is watched, or ends the polling when nothing is.
func (w *watch) ids() ([]string, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := make([]string, 0, len(w.waiting))
	for id := range w.waiting {
		ids = append(ids, id)
	}
	w.polling = len(ids) > 0
	return ids, w.polling
}

// ask asks the store for one session, under its new id when it got one. A store that fails says nothing about it.
func (w *watch) ask(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(ctx, StoreTimeout)
	defer cancel()
	rec, err := w.k.Load(ctx, id)
	for err == nil && w.k.goesOn(rec) && ctx.Err() == nil {
		w.moved(id, rec.Successor)
		id = rec.Successor
		rec, err = w.k.Load(ctx, id)
	}
	switch {
	case errors.Is(err, ErrNotFound) && w.isGone(ctx, id):
		w.ended("", id)
	case err != nil:
	case rec.Kind == KindTombstone:
		w.ended(w.k.noted(rec), id)
	case !w.k.alive(rec):
		w.ended(w.k.ranOut(rec), id)
	}
}

// goesOn reports whether the session of a retired record goes on under another id. What followed a Logout does not: its
// tombstone tells why the session ended.
func (k *Keeper) goesOn(rec *Record) bool {
	return rec.Kind == KindAlias || rec.Kind == KindTombstone && rec.Successor != "" && k.noted(rec) == ""
}

// isGone reports whether a session of whose id the store knows nothing has ended.
func (w *watch) isGone(ctx context.Context, id string) bool {
	w.mu.Lock()
	var of Member
	if list := w.waiting[id]; len(list) > 0 {
		of = list[0].Member
	}
	w.mu.Unlock()
	_, err := w.k.Records.Missing(ctx, id, of)
	return errors.Is(err, ErrNotFound)
}
