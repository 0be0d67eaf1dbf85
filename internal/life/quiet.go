package life

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// Quiet is a lock that may be held while something is done of which others are told, by events and the log. Whoever is
// told may ask for what the lock guards, so that they are told when it is free. The zero value is free.
type Quiet struct {
	mu    sync.Mutex
	state atomic.Uint32
}

// What the state of a Quiet has in it.
const (
	hushed    uint32 = 1 << iota // nobody is told anything
	wasHushed                    // or was not, at any time
	telling                      // how many are being told: this many times
)

// Lock locks it.
func (q *Quiet) Lock() { q.mu.Lock() }

// hush is false while somebody is told what happened before.
func (q *Quiet) hush() bool {
	if q.state.Load() >= telling {
		return false
	}
	q.state.Or(hushed | wasHushed)
	return true
}

// Hushed reports whether others are told nothing.
func (q *Quiet) Hushed() bool { return q.state.Load()&hushed != 0 }

// WasHushed reports whether that was ever so.
func (q *Quiet) WasHushed() bool { return q.state.Load()&wasHushed != 0 }

// Unlock unlocks it. Whoever had called Hush calls Tell next.
func (q *Quiet) Unlock() {
	if q.Hushed() {
		q.state.And(^hushed)
	}
	q.mu.Unlock()
}

// QuietKey finds what has a Quiet, and is hushed, in the context of what is done there.
type QuietKey struct{}

// Listener is told later.
type Listener interface{ Later(fn func()) }

// IsQuiet reports whether nobody is to be told now what happens in a context.
func IsQuiet(ctx context.Context) bool { return ctx.Value(QuietKey{}) != nil }

// AfterQuiet has fn called once others may be told, perhaps at once.
func AfterQuiet(ctx context.Context, fn func()) {
	if l, ok := ctx.Value(QuietKey{}).(Listener); ok {
		l.Later(fn)
		return
	}
	fn()
}

// errNoLoad is what those are told who ask for a session while they are told of a load that has panicked.
var errNoLoad = fmt.Errorf("%w: the load that this event is about has failed", ErrUnavailable)

// Kept is what is to be told later, and why the last load failed. It is for embedding in what a Few holds.
type Kept struct {
	fns []func()
	why error
}

func (k *Kept) kept() *Kept { return k }

// keeping is a *T that embeds Kept.
type keeping[T any] interface {
	*T
	kept() *Kept
}

// Hush has others told nothing until Unlock. The caller has the lock. While somebody is told what happened before, it
// returns why that load failed: they would be told for ever, should the same happen again each time they ask. Other
// goroutines that ask meanwhile are told the same, for who asks cannot be known: whoever is told may ask with another
// context than that of the event.
func Hush[T any, P keeping[T]](f *Few[T], q *Quiet) error {
	if q.hush() {
		return nil
	}
	v := f.Get()
	return cmp.Or(P(&v).kept().why, errNoLoad)
}

// Fail keeps why a load failed, and returns it.
func Fail[T any, P keeping[T]](f *Few[T], err error) error {
	f.Change(func(v *T) { P(v).kept().why = err })
	return err
}

// Later has fn called once: by Tell, or at once where it is quiet no more.
func Later[T any, P keeping[T]](f *Few[T], q *Quiet, fn func()) {
	f.Change(func(v *T) {
		k := P(v).kept()
		k.fns = append(slices.Clip(k.fns), fn)
	})
	if !q.Hushed() { // perhaps since before fn was kept
		Tell[T, P](f, q)
	}
}

// Tell calls what was kept. No lock is held.
func Tell[T any, P keeping[T]](f *Few[T], q *Quiet) {
	if at := f.at.Load(); at == nil || P(at).kept().fns == nil {
		return
	}
	var fns []func()
	f.Change(func(v *T) { fns, P(v).kept().fns = P(v).kept().fns, nil })
	q.state.Add(telling)
	defer q.state.Add(^(telling - 1))
	for _, fn := range fns {
		fn()
	}
}
