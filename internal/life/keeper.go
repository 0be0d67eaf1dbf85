package life

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/coatcheck/session/internal/bounded"
	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/keys"
)

// StoreTimeout is how long a store may take where no request says less.
const StoreTimeout = 5 * time.Second

// Rules are what the sessions of one manager live by.
type Rules struct {
	Data       data.Rules       // what one session holds
	Now        func() time.Time // at the precision that stores keep
	Idle       time.Duration    // not above 0: none; also of the next
	Lifetime   time.Duration
	RenewEvery time.Duration // 0: only by Login and Regenerate
	RenewGrace time.Duration
	TouchEvery time.Duration
	WatchEvery time.Duration
	MaxPerUser int  // for a store that is a Limiter
	RefuseNew  bool // above MaxPerUser, instead of ending the oldest
	Persistent bool // unless a session says otherwise

	Ring          func() keys.Ring // what tickets and records are made with
	Names         []string         // what tickets are signed for: the first, and once the others
	Sealing       bool             // records are encrypted, and not signed alone
	RequireSealed bool

	StoreType string // for errors
	Local     bool   // the store waits for nothing
	Logger    *slog.Logger
	Tell      func(context.Context, ...Event) // called without a lock held
	Explain   func(error) error               // makes an error of package data what callers know
}

// Keeper is what the sessions of one manager have in common: the rules that they live by, their store with what it can
// do, and who waits for what. It knows no request and no options.
type Keeper struct {
	Rules
	Store   Store
	can     Abilities
	calls   *bounded.Calls
	Records Records // where they are: in the store, unless somebody puts others here before the first request

	queues  *queues
	orphans orphans
	watch   *watch
	*background
}

// New returns a keeper of sessions whose records are in the store.
func New(store Store, can Abilities, rules Rules) *Keeper {
	calls := bounded.NewCalls(StoreTimeout)
	if !rules.Local {
		store, can = patient{store, calls}, can.patient(calls)
	}
	k := &Keeper{Rules: rules, Store: store, can: can, calls: calls, queues: newQueues(), background: newBackground()}
	k.Records = stored{k}
	k.watch = newWatch(k)
	return k
}

// Evicted takes note that the store dropped a session to stay within a bound.
func (k *Keeper) Evicted(id string) { k.watch.ended(ReasonLimit, id) }

// AskAll has the store asked for every session of which somebody waits for the end.
func (k *Keeper) AskAll() { k.watch.tip("") }

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

// Start runs fn with a context that ends at close, and reports false when that was already.
func (b *background) Start(fn func(ctx context.Context)) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed() {
		return false
	}
	b.running.Go(func() { fn(b.open) })
	return true
}

func (b *background) closed() bool { return b.open.Err() != nil }

// Close ends what runs, and waits for it.
func (b *background) Close() {
	b.mu.Lock()
	b.stop()
	b.mu.Unlock()
	b.running.Wait()
}

// Every calls fn again and again, for the first time after d, until close.
func (b *background) Every(d time.Duration, fn func(ctx context.Context)) {
	b.Start(func(ctx context.Context) {
		ticker := time.NewTicker(d)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				fn(ctx)
			}
		}
	})
}

// Rest waits, and reports whether the context has not ended.
func Rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
