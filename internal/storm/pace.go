package storm

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// pace lets one call to the store happen at a time, in the order that the seed decides; or each when it likes.
type pace struct {
	settled func() // nil: when it likes
	mu      sync.Mutex
	waiting map[int]chan struct{} // by worker
	left    int                   // workers that have not ended
}

// step is where a call waits for its turn. A call that no worker makes does not wait.
func (p *pace) step(v *visit) {
	switch {
	case v == nil || v.worker < 0:
		return
	case p.settled == nil:
		if v.rng.IntN(4) == 0 {
			time.Sleep(time.Duration(v.rng.IntN(500)) * time.Microsecond)
		}
		return
	}
	let := make(chan struct{})
	p.mu.Lock()
	p.waiting[v.worker] = let
	p.mu.Unlock()
	<-let
}

func (p *pace) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left--
}

// run decides until every worker has ended. Now and then it lets time pass first, for those who pause.
func (p *pace) run(rng *rand.Rand) {
	for {
		p.settled()
		next, over := p.choose(rng)
		switch {
		case over:
			return
		case next == nil:
			time.Sleep(time.Duration(1+rng.IntN(20)) * time.Millisecond)
		default:
			close(next)
		}
	}
}

func (p *pace) choose(rng *rand.Rand) (next chan struct{}, over bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left == 0 {
		return nil, true
	}
	var ready []int
	for worker := range p.waiting {
		ready = append(ready, worker)
	}
	if len(ready) == 0 || rng.IntN(16) == 0 {
		return nil, false
	}
	slices.Sort(ready)
	worker := pick(rng, ready...)
	next = p.waiting[worker]
	delete(p.waiting, worker)
	return next, false
}

type visitKey struct{}

// visitOf is the request that makes a call, nil when it is the manager itself.
func visitOf(ctx context.Context) *visit {
	v, _ := ctx.Value(visitKey{}).(*visit)
	return v
}
