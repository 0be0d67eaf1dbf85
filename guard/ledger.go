package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/beside"
)

// ledger changes records of a store that many requests want to change at once. Those of this process that wait for the
// same record share one save: otherwise one of them would succeed while all others load and save in vain, and the last
// of them would not be admitted. Only nodes compete with each other.
type ledger struct {
	store  session.Store
	mu     sync.Mutex
	sheets map[string]*sheet
}

func newLedger(store session.Store) *ledger {
	return &ledger{store: store, sheets: map[string]*sheet{}}
}

// entryFunc is what becomes of a record, nil for no change. A record that is not there has only an ID.
type entryFunc func(*session.Record) *session.Record

// sheet is the changes that wait for one record. It is there as long as somebody is at it.
type sheet struct {
	pen     chan struct{} // full while somebody writes
	readers int           // who is at it
	waiting []*change     // guarded by the ledger, as is readers
}

// change is that of one request.
type change struct {
	fn   entryFunc
	done chan struct{} // closed when err is set
	err  error
}

// change replaces a record by what fn makes of it, by compare-and-set. fn may run more than once, and in the goroutine
// of another request. After an error it may still run.
func (l *ledger) change(ctx context.Context, id string, fn entryFunc) error {
	c := &change{fn: fn, done: make(chan struct{})}
	p := l.open(id, c)
	defer l.leave(id, p, c)
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return timedOut(ctx)
	case p.pen <- struct{}{}:
	}
	defer func() { <-p.pen }()
	select {
	case <-c.done: // by whoever wrote before
	default:
		l.write(ctx, id, l.take(p))
	}
	return c.err
}

func (l *ledger) open(id string, c *change) *sheet {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.sheets[id]
	if p == nil {
		p = &sheet{pen: make(chan struct{}, 1)}
		l.sheets[id] = p
	}
	p.readers++
	p.waiting = append(p.waiting, c)
	return p
}

func (l *ledger) leave(id string, p *sheet, c *change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p.waiting = slices.DeleteFunc(p.waiting, func(other *change) bool { return other == c })
	if p.readers--; p.readers == 0 {
		delete(l.sheets, id)
	}
}

func (l *ledger) take(p *sheet) []*change {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := p.waiting
	p.waiting = nil
	return all
}

// write makes changes for all that wait, even if the client of the request that writes has left.
func (l *ledger) write(ctx context.Context, id string, all []*change) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	err := errors.New("guard: count a request: a function that counts has panicked")
	defer func() {
		for _, c := range all {
			c.err = err
			close(c.done)
		}
	}()
	err = l.replace(ctx, id, func(rec *session.Record) (next *session.Record) {
		for _, c := range all {
			if changed := c.fn(rec); changed != nil {
				rec, next = changed, changed
			}
		}
		return next
	})
}

// replace begins a count again that cannot be read. No ticket leads to one, so that nobody else would ever replace it,
// and whoever is counted there would be turned away for good.
func (l *ledger) replace(ctx context.Context, id string, fn entryFunc) error {
	err := beside.Change(ctx, l.store, id, fn)
	if errors.Is(err, session.ErrCorrupt) && l.store.Delete(ctx, id) == nil {
		err = beside.Change(ctx, l.store, id, fn)
	}
	if err != nil {
		return fmt.Errorf("guard: count a request: %w", err)
	}
	return nil
}

func timedOut(ctx context.Context) error {
	return fmt.Errorf("guard: %w: %w", session.ErrConflict, ctx.Err())
}
