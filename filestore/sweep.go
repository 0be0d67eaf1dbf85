package filestore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/coatcheck/session"
)

// sweepBatch is how many files are removed under one lock.
const sweepBatch = 64

// cursor is where the last sweep stopped: at a record, or at a folder of marks. The next one goes on from there and
// comes round to it again at the end, so that one that finds less than its limit has seen all shelves.
type cursor[T any] struct {
	mu sync.Mutex
	at T
}

func (c *cursor[T]) load() T {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *cursor[T]) store(at T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// Sweep removes records that expired before the given time, at most limit of them, and says how many. The file named
// due in each shelf tells it which records these may be, so what a sweep costs depends on what has expired, not on what
// is stored. Once there are none left, it looks at a few hundred other records and entries in the lists of users, and
// repairs what crashes left behind: temporary files, entries that lead nowhere, and records that no file names. Each
// sweep goes on where the last one stopped. It goes past what it cannot read or remove, and returns the first of these
// errors. It works on several files at a time, in goroutines that have ended when it returns.
//
// The first sweep of a folder without such files reads the header of every record.
func (s *Store) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := ctx.Err(); err != nil || limit <= 0 {
		return 0, wrapSweep(err)
	}
	sw := sweep{store: s, before: before.Truncate(time.Microsecond), limit: limit, at: s.swept.load()}
	err := sw.round(ctx, sw.due)
	err = cmp.Or(err, sw.remove(ctx)) // also after an error, which may come at the same place each time
	s.swept.store(sw.at)
	if sw.removed < limit {
		err = cmp.Or(err, errors.Join(sw.patrol(ctx), s.sweepMarks(ctx)))
	}
	return sw.removed, wrapSweep(err)
}

func wrapSweep(err error) error {
	if err != nil {
		err = fmt.Errorf("filestore: sweep: %w", err)
	}
	return err
}

type sweep struct {
	store   *Store
	before  time.Time
	limit   int
	removed int
	found   []*share // to be removed, not more than the limit allows
	at      key      // the last that was found, or looked at
	budget  int      // of a patrol: how many records it may still read
}

// round goes round all shelves, so that it comes twice to the one where it starts: for what is after, then for what is
// before. One that fails keeps it from none of the others.
func (sw *sweep) round(ctx context.Context, shelf func(context.Context, byte, func(key) bool) error) (failed error) {
	start := sw.at
	for i := range shelfCount + 1 {
		wanted := func(k key) bool { return true }
		switch i {
		case 0:
			wanted = func(k key) bool { return k.compare(start) > 0 }
		case shelfCount:
			wanted = func(k key) bool { return k.compare(start) <= 0 }
		}
		failed = cmp.Or(failed, shelf(ctx, start.shelf()+byte(i), wanted))
		if sw.removed >= sw.limit || sw.budget < 0 || failed != nil && ctx.Err() != nil {
			break
		}
	}
	return failed
}

// dueSeen is what a sweep has found in the file due of a shelf.
type dueSeen struct {
	mu    sync.Mutex
	file  fs.FileInfo // nil: nothing
	first int64       // when the first entry is due
}

// nothing reports whether the file is as it was, and had nothing that is due before then.
func (d *dueSeen) nothing(now fs.FileInfo, before int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.file != nil && now != nil && os.SameFile(d.file, now) && d.file.Size() == now.Size() &&
		d.file.ModTime().Equal(now.ModTime()) && d.first >= before
}

func (d *dueSeen) note(file fs.FileInfo, first int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.file, d.first = file, first
}

// due finds what is due in a shelf, and has it removed once there is enough of it.
func (sw *sweep) due(ctx context.Context, shelf byte, wanted func(key) bool) error {
	due, failed := sw.dueIn(ctx, shelf, wanted)
	for len(due) > 0 && sw.removed < sw.limit {
		some := due[:min(len(due), sw.room())]
		due = due[len(some):]
		sw.found = append(sw.found, &share{due: some})
		sw.at = some[len(some)-1].key
		if sw.room() == 0 || len(sw.found) == atATime {
			failed = cmp.Or(failed, sw.remove(ctx))
		}
	}
	return failed
}

// room is how many entries may be added to what was found.
func (sw *sweep) room() int {
	room := sw.limit - sw.removed
	for _, f := range sw.found {
		room -= len(f.due)
	}
	return room
}

// dueIn returns what is due in a shelf, in the order of the keys, and each of them once.
func (sw *sweep) dueIn(ctx context.Context, shelf byte, wanted func(key) bool) (due []dueEntry, err error) {
	dir, err := sw.store.shelf(shelf, false)
	if err != nil {
		return nil, ignoreAbsent(err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	seen, before := &sw.store.dues[shelf], micros(sw.before)
	file, err := dir.Stat(dueName)
	if err := ignoreAbsent(err); err != nil {
		return nil, err
	}
	if seen.nothing(file, before) {
		return nil, nil
	}
	entries, err := sw.store.wholeDue(ctx, dir, shelf)
	for _, e := range entries {
		if e.at < before && wanted(e.key) {
			due = append(due, e)
		}
	}
	if len(due) == 0 && err == nil {
		seen.note(file, earliest(entries))
	}
	slices.SortFunc(due, func(a, b dueEntry) int { return a.key.compare(b.key) })
	return slices.CompactFunc(due, func(a, b dueEntry) bool { return a.key == b.key }), err
}

// remove removes what was found, from several shelves at a time. One that fails does not hold up the others.
func (sw *sweep) remove(ctx context.Context) (err error) {
	_ = several(len(sw.found), func(i int) error {
		sw.found[i].err = sw.found[i].settle(ctx, sw)
		return nil
	})
	for _, f := range sw.found {
		sw.removed += f.removed
		err = cmp.Or(err, f.err)
	}
	sw.found = nil
	return err
}

func (sw *sweep) expired(rec *session.Record) bool {
	return rec != nil && !rec.ExpiresAt.IsZero() && rec.ExpiresAt.Before(sw.before)
}
