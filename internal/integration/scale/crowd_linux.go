package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coatcheck/session"
)

const (
	fillers  = 32
	visitors = 2 // who come at the same time while it is measured
	dataSize = 400
	few      = 10 // sessions that expire in the last sweep
)

// crowd is the sessions of a store. The first ones expire, as many in each round, in any order of their ids. The last
// few do after all rounds.
type crowd struct {
	*backend
	ids      [][32]byte
	versions []uint64
	rounds   int
	expiring int
	start    time.Time
}

func newCrowd(b *backend, c config) *crowd {
	w := &crowd{
		backend: b, ids: make([][32]byte, c.sessions), versions: make([]uint64, c.sessions),
		rounds: c.rounds, expiring: c.sessions / 10 / visitors * visitors, start: time.Now().Truncate(time.Second),
	}
	for i := range w.ids {
		_, _ = rand.Read(w.ids[i][:]) // never fails
	}
	return w
}

func (w *crowd) id(n int) string { return hex.EncodeToString(w.ids[n][:]) }

// user is that of one session in two: each user has two in a row, and then come two of strangers.
func (w *crowd) user(n int) string {
	if n/2%2 == 1 {
		return ""
	}
	return "user" + strconv.Itoa(n/2)
}

// end is a moment that lies behind no clock: the manager's is moved forward for the sweeps, and Redis has its own.
func (w *crowd) end(n int) time.Time {
	if n < w.expiring {
		return w.sweepAt(n % w.rounds).Add(-time.Second)
	}
	if n >= len(w.ids)-few {
		return w.sweepAt(w.rounds).Add(-time.Second)
	}
	return w.start.Add(48*time.Hour + time.Duration(n)*time.Millisecond)
}

func (w *crowd) sweepAt(round int) time.Time {
	return w.start.Add(time.Hour + time.Duration(round+1)*time.Minute)
}

func (w *crowd) record(n int) *session.Record {
	data := make([]byte, dataSize)
	_, _ = rand.Read(data) // never fails
	return &session.Record{
		ID: w.id(n), User: w.user(n), Version: w.versions[n], CreatedAt: w.start, SeenAt: w.start, ExpiresAt: w.end(n),
		UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0)", Data: data,
	}
}

// fillAll saves every session, as a site would have done one by one.
func (w *crowd) fillAll(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	var next atomic.Int64
	for range fillers {
		all.Go(func() {
			for n := int(next.Add(1) - 1); n < len(w.ids); n = int(next.Add(1) - 1) {
				if err := w.fill.Save(ctx, w.record(n)); err != nil {
					cancel(err)
					return
				}
				w.versions[n] = 1
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// visitor is one of those who come at the same time. Each has sessions of his own, so that none of them is in another's
// way.
type visitor struct {
	*crowd
	number int
}

// any is one of his sessions that do not expire, each as likely as the others.
func (v visitor) any() int {
	return v.expiring + v.number + visitors*mathrand.IntN((len(v.ids)-v.expiring-few)/visitors)
}

// operation is something that a visitor asks of the store. It returns the call, so that only that is measured.
type operation struct {
	name string
	call func(v visitor, ctx context.Context) func() error
}

var operations = [...]operation{
	{"load", visitor.load},
	{"save", visitor.save},
	{"touch", visitor.touch},
	{"list by user", visitor.list},
}

func (v visitor) load(ctx context.Context) func() error {
	n := v.any()
	id := v.id(n)
	return func() error {
		rec, err := v.Load(ctx, id)
		if err == nil && rec.Version != v.versions[n] {
			err = fmt.Errorf("a session has version %d, and was saved %d times", rec.Version, v.versions[n])
		}
		return err
	}
}

func (v visitor) save(ctx context.Context) func() error {
	n := v.any()
	rec := v.record(n)
	v.versions[n]++
	return func() error { return v.Save(ctx, rec) }
}

func (v visitor) touch(ctx context.Context) func() error {
	n := v.any()
	id, version := v.id(n), v.versions[n]
	seen := v.start.Add(time.Since(v.start))
	return func() error {
		return v.Store.(session.Toucher).Touch(ctx, id, version, seen, seen.Add(49*time.Hour))
	}
}

func (v visitor) list(ctx context.Context) func() error {
	n := v.any()
	for v.user(n) == "" {
		n = v.any()
	}
	user := v.user(n)
	return func() error {
		recs, err := v.Store.(session.Lister).ByUser(ctx, user)
		if err == nil && len(recs) == 0 {
			err = errors.New("a session is alive and missing from the list of its user")
		}
		return err
	}
}
