package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/coatcheck/session"
)

var watchRules = []rule{
	{name: "a watcher is told of every record that is deleted or retired", clause: "Watcher 1", needs: []need{watcher},
		check: watcherIsTold},
	{name: "a watcher is told of what a second store ends", clause: "Watcher 1", needs: []need{watcher, peer},
		check: watcherIsToldOfPeers},
	{name: "a watch ends with its context, and with an error", clause: "Watcher 2", needs: []need{watcher},
		check: watchEnds},
}

// patience is how long a backend may take to tell.
const patience = 10 * time.Second

// watcher is the store's, if it says of itself that it is one.
func (e *env) watcher() session.Watcher {
	w, ok := e.Store.(session.Watcher)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if errors.Is(w.Watch(ctx, func(string) {}), session.ErrNotSupported) {
		return nil
	}
	return w
}

// ears hear what is told, and that it is true. Who is told that a session ended asks for its record: if that is still
// live then, they go on with it.
type ears struct {
	ended func(id string) bool
	asked sync.WaitGroup

	mu    sync.Mutex
	heard []string
	news  chan struct{}
}

// tell asks in another goroutine, for a store may tell where it cannot answer.
func (h *ears) tell(id string) {
	h.asked.Go(func() {
		if h.ended(id) {
			h.hear(id)
		}
	})
}

func (h *ears) hear(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard = append(h.heard, id)
	select {
	case h.news <- struct{}{}:
	default:
	}
}

func (h *ears) has(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Contains(h.heard, id)
}

// wait wants that the id is told in time.
func (h *ears) wait(id string) error {
	late := time.After(patience)
	for !h.has(id) {
		select {
		case <-h.news:
		case <-late:
			return fmt.Errorf("Watch does not report %q once it has ended", id)
		}
	}
	return nil
}

// watched calls fn while the store is watched. A watch of a server takes a moment to begin, so that fn begins when the
// first of some records was told of.
func (e *env) watched(ctx context.Context, fn func(h *ears) error) error {
	watching, stop := context.WithCancel(ctx)
	h, ended := &ears{ended: e.hasEnded(ctx), news: make(chan struct{}, 1)}, make(chan error, 1)
	defer h.asked.Wait()
	go func() { ended <- e.watcher().Watch(watching, h.tell) }()
	err := e.untilHeard(ctx, h)
	if err == nil {
		err = fn(h)
	}
	stop()
	select {
	case watchErr := <-ended:
		if err == nil && watchErr == nil {
			err = errors.New("Watch = no error when its context ended, want one")
		}
	case <-time.After(patience):
		err = first(err, errors.New("Watch does not return when its context has ended"))
	}
	return err
}

func (e *env) hasEnded(ctx context.Context) func(id string) bool {
	return func(id string) bool {
		rec, err := e.Load(ctx, id)
		return errors.Is(err, session.ErrNotFound) || err == nil && rec.Kind != session.KindLive
	}
}

func (e *env) untilHeard(ctx context.Context, h *ears) error {
	const pause = 20 * time.Millisecond
	for i := range int(patience / pause) {
		id := handle(1000 + i)
		if err := first(e.create(ctx, owned(id, "eve")), e.remove(ctx, id)); err != nil {
			return err
		}
		select {
		case <-h.news:
			return nil
		case <-time.After(pause):
		}
	}
	return errors.New("Watch reports nothing")
}

func watcherIsTold(ctx context.Context, e *env) error {
	return e.watched(ctx, func(h *ears) error { return e.endAll(ctx, e, h) })
}

func watcherIsToldOfPeers(ctx context.Context, e *env) error {
	p := e.second()
	return e.watched(ctx, func(h *ears) error { return p.endAll(ctx, e, h) })
}

// endAll ends records in each way, of a user and of nobody, and wants that each is told.
func (e *env) endAll(ctx context.Context, watched *env, h *ears) error {
	alias, tombstone := owned(idB, "ada"), owned(idC, "")
	alias.Kind, alias.Version, alias.Successor = session.KindAlias, 1, handle(0)
	tombstone.Kind, tombstone.Version = session.KindTombstone, 1
	err := first(
		e.create(ctx, owned(idA, "ada"), owned(idB, "ada"), owned(idC, "")),
		e.remove(ctx, idA), h.wait(idA), e.replace(ctx, alias), h.wait(idB), e.replace(ctx, tombstone), h.wait(idC),
		watched.wantAbsent(ctx, idA),
	)
	if err != nil || e.sharer() == nil {
		return err
	}
	shared := owned(handle(1), "ada")
	shared.Kind, shared.Version = session.KindTombstone, 1
	return first(
		e.saveShared(ctx, owned(shared.ID, "ada"), nil), e.saveShared(ctx, shared, nil), h.wait(shared.ID),
	)
}

func watchEnds(ctx context.Context, e *env) error {
	return e.watched(ctx, func(*ears) error { return nil })
}
