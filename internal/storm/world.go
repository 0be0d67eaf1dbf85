package storm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

// plan is what the seed makes of a round.
type plan struct {
	seed              uint64
	clients, workers  int
	requests          int // of each worker
	users             []string
	max, bound        int
	overflow          session.Overflow
	renewEvery        time.Duration
	seal              bool
	faults            int // one call in so many; 0: none
	deeds             []deed
	errands           []errand
	gates             []gate
	errandsIn, killIn int // one request in so many
	gatesIn           int
}

func (p plan) String() string {
	return fmt.Sprintf("%d clients, %d workers of %d requests, users %v, MaxPerUser %d overflow %d, MaxSessions %d, "+
		"RenewEvery %v, a fault in one call of %d", p.clients, p.workers, p.requests, p.users, p.max, p.overflow,
		p.bound, p.renewEvery, p.faults)
}

// newPlan chooses few kinds of request for each round: two that do not get on with each other then meet often.
func newPlan(seed uint64, bounded bool) plan {
	rng := rand.New(rand.NewPCG(seed, 1))
	p := plan{
		seed: seed, clients: 1 + rng.IntN(3), workers: 2 + rng.IntN(5), requests: 2 + rng.IntN(6),
		users: []string{"ada", "bob"}[:1+rng.IntN(2)], max: pick(rng, 0, 0, 1, 2, 3),
		overflow:   session.Overflow(rng.IntN(2)),
		renewEvery: pick(rng, 0, time.Millisecond, time.Millisecond, 10*time.Millisecond),
		seal:       rng.IntN(4) == 0, faults: pick(rng, 0, 0, 50, 20, 8),
		errandsIn: 2 + rng.IntN(8), killIn: pick(rng, 0, 0, 5, 20), gatesIn: pick(rng, 2, 3, 6, 20),
	}
	if bounded {
		p.bound = pick(rng, 0, 0, 1, 2, 3, 5)
	}
	for len(p.deeds) == 0 {
		p.deeds = some(rng, deeds())
	}
	for len(p.errands) == 0 {
		p.errands = some(rng, errands())
	}
	for len(p.gates) == 0 {
		p.gates = some(rng, gates())
	}
	return p
}

func pick[T any](rng *rand.Rand, list ...T) T { return list[rng.IntN(len(list))] }

// some returns about half of a list.
func some[T any](rng *rand.Rand, list []T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(T) bool { return rng.IntN(2) == 0 })
}

// world is where one round takes place.
type world struct {
	plan
	ledger
	nodes   [2]*session.Manager
	guards  [2]*guard.Guard
	stores  [2]session.Store // that may keep counts; nil: none may
	done    func()           // with the stores
	clients []*client
	pace    pace
	calm    atomic.Bool  // no more faults
	calls   atomic.Int64 // of the store, which the clock counts
	others  locked       // chooses for calls that no request makes
}

// client is a browser with its tickets.
type client struct {
	name   string
	mu     sync.Mutex
	jar    *ticket // nil: none
	device *device
	had    []*ticket
}

// locked is a source of random numbers for everybody.
type locked struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func (l *locked) intN(n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rng.IntN(n)
}

func newWorld(seed uint64, o Options) (*world, error) {
	w := &world{plan: newPlan(seed, o.Bounded), ledger: newLedger(),
		pace: pace{settled: o.Settled, waiting: map[int]chan struct{}{}}}
	w.others.rng = rand.New(rand.NewPCG(seed, 2))
	w.calm.Store(true)
	stores, done, err := o.Stores(w.bound)
	if err != nil {
		return nil, err
	}
	w.done = done
	if err := clear(context.Background(), stores[0]); err != nil {
		return nil, err
	}
	return w, w.open(stores)
}

// open makes the nodes.
func (w *world) open(stores [2]Store) (err error) {
	opts := session.Options{
		Secrets:   []session.Secret{session.NewSecret()},
		Transport: session.Header(header), SweepEvery: -1, Now: w.now, OnEvent: w.happened,
		IdleTimeout: time.Hour, TouchEvery: 2 * time.Millisecond, RenewEvery: w.renewEvery,
		RenewGrace: 30 * time.Minute,
		MaxPerUser: w.max, Overflow: w.overflow, Seal: w.seal, Logger: slog.New(slog.DiscardHandler),
	}
	for i, store := range stores {
		if w.nodes[i], err = session.New(w.wrap(store), opts); err != nil {
			return err
		}
		if session.Forgets(store) == "" {
			w.stores[i] = faulty{store, w}
		}
		if w.guards[i], err = guard.New(w.nodes[i], w.guardOptions(i)); err != nil {
			return err
		}
	}
	for i := range w.plan.clients {
		w.clients = append(w.clients, &client{name: fmt.Sprint("client ", i)})
	}
	return nil
}

// stop ends what the nodes do by themselves, such as to remove again what is gone: it would write to the ledger.
func (w *world) stop() error { return errors.Join(w.nodes[0].Close(), w.nodes[1].Close()) }

func (w *world) close() error {
	err := w.stop()
	w.done()
	return err
}

// now is the clock of both nodes. It goes on with each call, so that a renewal is soon due in memory as well.
func (w *world) now() time.Time {
	return time.Now().Add(time.Duration(w.calls.Load()) * 200 * time.Microsecond)
}

// rage lets everybody begin a session, and then all workers make their requests at once.
func (w *world) rage() {
	rng := rand.New(rand.NewPCG(w.seed, 3))
	for i, c := range w.clients {
		v := w.newVisit(-1, rng, c)
		v.begin = pick(rng, append(w.users, "")...)
		v.http(context.Background(), i%2)
	}
	w.calm.Store(false)
	var all sync.WaitGroup
	w.pace.left = w.workers
	for i := range w.workers {
		all.Go(func() {
			w.work(i)
			w.pace.leave()
		})
	}
	if w.pace.settled != nil {
		w.pace.run(rng)
	}
	all.Wait()
	w.calm.Store(true)
}

// work makes the requests of one worker.
func (w *world) work(worker int) {
	rng := rand.New(rand.NewPCG(w.seed, 100+uint64(worker)))
	var next step // that the last request led to
	client := w.clients[0]
	for range w.requests {
		if next == nil {
			client = pick(rng, w.clients...)
		}
		v := w.newVisit(worker, rng, client)
		ctx, cancel := context.WithCancel(context.Background())
		v.cancel = cancel
		if w.killIn > 0 && rng.IntN(w.killIn) == 0 {
			v.killAt = 1 + rng.IntN(6)
		}
		ctx = context.WithValue(ctx, visitKey{}, v)
		switch node := rng.IntN(2); {
		case next != nil:
			v.at(node)
			next = next(ctx, v)
		case rng.IntN(w.errandsIn) == 0:
			pick(rng, w.errands...).run(ctx, v, w.nodes[node])
		case rng.IntN(w.gatesIn) == 0:
			v.at(node)
			next = pick(rng, w.gates...).pass(ctx, v)
		case rng.IntN(6) == 0:
			v.open(ctx, node)
		default:
			v.http(ctx, node)
		}
		cancel()
	}
}
