package session

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/keys"
)

// storeTimeout is how long a store may take where no request says less.
const storeTimeout = 5 * time.Second

// rules are what the sessions of one manager live by.
type rules struct {
	data       data.Rules
	now        func() time.Time // at the precision that stores keep
	idle       time.Duration    // not above 0: none; also of the next
	lifetime   time.Duration
	renewEvery time.Duration // 0: only by Login and Regenerate
	renewGrace time.Duration
	touchEvery time.Duration
	watchEvery time.Duration
	maxPerUser int  // for a store that is a Limiter
	refuseNew  bool // above maxPerUser, instead of ending the oldest
	persistent bool // unless a session says otherwise

	ring          func() keys.Ring
	names         []string // what tickets are signed for: the first, and once the others
	sealing       bool
	requireSealed bool

	storeType string // for errors
	logger    *slog.Logger
	tell      func(context.Context, ...Event) // called without a lock held
	explain   func(error) error               // makes an error of package data what callers know
}

// keeper is what the sessions of one manager have in common: the rules that they live by, their store with what it can
// do, and who waits for what. It knows no request and no options.
type keeper struct {
	rules
	store    Store
	toucher  Toucher // this and what follows is nil where the store cannot do it
	lister   Lister  //
	limiter  Limiter // nil: no limit
	watcher  Watcher // nil: sessions that ended elsewhere are asked for
	discards bool    // the store keeps nothing
	records  records

	queues  *queues
	orphans orphans
	watch   *watch
	*background
}

func newKeeper(store Store, r rules) *keeper {
	k := &keeper{rules: r, store: store, queues: newQueues(), background: newBackground()}
	k.toucher, _ = store.(Toucher)
	k.lister, _ = store.(Lister)
	k.watcher, _ = store.(Watcher)
	if r.maxPerUser > 0 {
		k.limiter, _ = store.(Limiter)
	}
	if d, ok := store.(interface{ Discards() bool }); ok {
		k.discards = d.Discards()
	}
	k.records = stored{k}
	k.watch = newWatch(k)
	return k
}

func (k *keeper) traits() traits { return k.records.traits() }

func (k *keeper) canLimit() bool { return k.limiter != nil && k.lister != nil }

// ended takes note that the store dropped a session by itself.
func (k *keeper) ended(id string) { k.watch.ended(id) }

// askAll has the store asked for every session of which somebody waits for the end.
func (k *keeper) askAll() { k.watch.tip("") }

// background is what runs by itself until it is closed.
type background struct {
	mu      sync.Mutex // of start and close
	open    context.Context
	stop    context.CancelFunc
	running sync.WaitGroup
}

func newBackground() *background {
	var b background
	b.open, b.stop = context.WithCancel(context.Background())
	return &b
}

// start runs fn with a context that ends at close, and reports false when that was already.
func (b *background) start(fn func(ctx context.Context)) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed() {
		return false
	}
	b.running.Go(func() { fn(b.open) })
	return true
}

func (b *background) closed() bool { return b.open.Err() != nil }

// close ends what runs, and waits for it.
func (b *background) close() {
	b.mu.Lock()
	b.stop()
	b.mu.Unlock()
	b.running.Wait()
}

// rest waits, and reports whether the context has not ended.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
