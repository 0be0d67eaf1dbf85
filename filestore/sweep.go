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
	"github.com/coatcheck/session/internal/atomicfile"
)

// sweepBatch is how many files are removed under one lock.
const sweepBatch = 64

// cursor is where the last sweep stopped. The next one goes on from there and comes round to it again at the end, so
// that one that finds less than its limit has seen all shelves.
type cursor struct {
	mu sync.Mutex
	at key
}

func (c *cursor) load() key {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *cursor) store(at key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// Sweep removes records that expired before the given time, at most limit of them, and says how many. The file named
// due in each shelf tells it which records these may be, so a sweep costs what has expired, not what is there. Once
// there are none left, it looks at a few hundred other records and entries in the lists of users, and repairs what
// crashes left behind: temporary files, entries that lead nowhere, and records that no file names. Each sweep goes on
// where the last one stopped.
//
// The first sweep of a folder without such files reads the header of every record.
func (s *Store) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := ctx.Err(); err != nil || limit <= 0 {
		return 0, wrapSweep(err)
	}
	sw := sweep{store: s, before: before.Truncate(time.Microsecond), limit: limit, at: s.swept.load()}
	err := sw.round(ctx, sw.due)
	s.swept.store(sw.at)
	if err == nil && sw.removed < limit {
		err = errors.Join(sw.patrol(ctx), s.sweepMarks(ctx))
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
	gone    []*session.Record // removed from a shelf, and perhaps not from the disk yet
	at      key               // the last that was looked at
	budget  int               // of a patrol: how many records it may still read
}

// round goes round all shelves, so that it comes twice to the one where it starts: for what is after, then for what is
// before.
func (sw *sweep) round(ctx context.Context, shelf func(context.Context, byte, func(key) bool) error) error {
	start := sw.at
	for i := range shelfCount + 1 {
		wanted := func(k key) bool { return true }
		switch i {
		case 0:
			wanted = func(k key) bool { return k.compare(start) > 0 }
		case shelfCount:
			wanted = func(k key) bool { return k.compare(start) <= 0 }
		}
		at := start.shelf() + byte(i)
		if err := shelf(ctx, at, wanted); err != nil {
			sw.at = key{at + 1} // lest one bad folder keep all later sweeps from what follows it
			return err
		}
		if sw.removed >= sw.limit || sw.budget < 0 {
			return nil
		}
	}
	return nil
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

// due removes what is due in a shelf.
func (sw *sweep) due(ctx context.Context, shelf byte, wanted func(key) bool) error {
	dir, err := sw.store.shelf(shelf, false)
	if err != nil {
		return ignoreAbsent(err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	seen, before := &sw.store.dues[shelf], micros(sw.before)
	file, err := dir.Stat(dueName)
	if err := ignoreAbsent(err); err != nil {
		return err
	}
	if seen.nothing(file, before) {
		return nil
	}
	entries, err := sw.store.wholeDue(ctx, dir, shelf)
	if err != nil {
		return err
	}
	var due []dueEntry
	for _, e := range entries {
		if e.at < before && wanted(e.key) {
			due = append(due, e)
		}
	}
	if len(due) == 0 {
		seen.note(file, earliest(entries))
		return nil
	}
	return sw.settle(ctx, shelf, due)
}

// settle does what is due, in the order of the keys, and takes it out of the file.
func (sw *sweep) settle(ctx context.Context, shelf byte, due []dueEntry) error {
	slices.SortFunc(due, func(a, b dueEntry) int { return a.key.compare(b.key) })
	done, moved := make(map[dueEntry]bool, len(due)), []dueEntry(nil)
	var failed error
	for len(due) > 0 && sw.removed < sw.limit && failed == nil {
		some := due[:min(len(due), sweepBatch, sw.limit-sw.removed)]
		due = due[len(some):]
		var later []dueEntry
		if later, failed = sw.remove(ctx, shelf, some); failed == nil {
			moved = append(moved, later...)
			for _, e := range some {
				done[e] = true
			}
		}
		sw.at = some[len(some)-1].key
	}
	failed = cmp.Or(failed, sw.forget(ctx, shelf))
	err := sw.store.locked(ctx, key{shelf}, false, func(dir *atomicfile.Dir) error {
		settleDue(ctx, dir, shelf, done, moved)
		return nil
	})
	return cmp.Or(failed, err)
}

func (sw *sweep) expired(rec *session.Record) bool {
	return rec != nil && !rec.ExpiresAt.IsZero() && rec.ExpiresAt.Before(sw.before)
}

// remove removes those of the records that have expired, now that nobody can touch them, and returns the entries of
// those that will later.
func (sw *sweep) remove(ctx context.Context, shelf byte, due []dueEntry) (later []dueEntry, err error) {
	err = sw.store.locked(ctx, key{shelf}, false, func(dir *atomicfile.Dir) error {
		for _, e := range due {
			rec, err := readHead(dir, e.key)
			if err := ignoreGone(err); err != nil {
				return err
			}
			if !sw.expired(rec) {
				if e, can := dueOf(rec, e.key); can {
					later = append(later, e)
				}
				continue
			}
			if err := dir.Remove(e.key.String()); err != nil {
				return err
			}
			sw.removed++
			sw.gone = append(sw.gone, rec)
		}
		return nil
	})
	return later, err
}

// forget makes the removal of the records durable, by one sync for a shelf, and then removes them from the lists of
// their users: after a power failure a record must not be back that is in no list.
func (sw *sweep) forget(ctx context.Context, shelf byte) error {
	gone := sw.gone
	sw.gone = nil
	if len(gone) == 0 {
		return nil
	}
	dir, err := sw.store.shelf(shelf, false)
	if err == nil && sw.store.sync {
		err = dir.Sync() // without the lock, for nobody has to wait for it
	}
	for len(gone) > 0 && err == nil {
		some := gone[:min(len(gone), sweepBatch)]
		gone = gone[len(some):]
		err = sw.unmark(ctx, shelf, some)
	}
	return err
}

// unmark removes the marks of records that are gone. One may have been saved again since.
func (sw *sweep) unmark(ctx context.Context, shelf byte, gone []*session.Record) error {
	return sw.store.locked(ctx, key{shelf}, false, func(dir *atomicfile.Dir) error {
		for _, rec := range gone {
			there, err := dir.Exists(keyOf(rec.ID).String())
			if err != nil {
				return err
			}
			if !there {
				sw.store.unmark(owner(rec), keyOf(rec.ID))
			}
		}
		return nil
	})
}
