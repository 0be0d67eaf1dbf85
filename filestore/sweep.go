package filestore

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/atomicfile"
)

// sweepBatch is how many files are removed under one lock, and made durable by one sync of their folder.
const sweepBatch = 64

// cursor is where the last sweep stopped. The next one goes on from there and comes round to it again at the end: so
// many calls in a row read every header once, and one that finds less than its limit has seen all of them.
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

// Sweep removes records that expired before the given time, at most limit of them, and says how many. It also removes
// the temporary files that crashes left behind, and, once there are no expired records left, the entries in the lists
// of users that lead nowhere.
//
// It reads the header of every record. With a million of them, that takes a minute or more: docs/operations.md has
// figures.
func (s *Store) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := ctx.Err(); err != nil || limit <= 0 {
		return 0, wrapSweep(err)
	}
	sw := sweep{store: s, before: before.Truncate(time.Microsecond), limit: limit, at: s.cursor.load()}
	err := sw.run(ctx)
	s.cursor.store(sw.at)
	if err == nil && sw.removed < limit {
		err = s.sweepMarks(ctx)
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
	at      key // the last that was looked at
}

// run goes round all shelves, so that it comes twice to the one where it starts: for what is after, then for what is
// before.
func (sw *sweep) run(ctx context.Context) error {
	start := sw.at
	for i := range shelfCount + 1 {
		shelf := start.shelf() + byte(i)
		wanted := func(k key) bool { return true }
		switch i {
		case 0:
			wanted = func(k key) bool { return k.compare(start) > 0 }
		case shelfCount:
			wanted = func(k key) bool { return k.compare(start) <= 0 }
		}
		if err := sw.shelf(ctx, shelf, wanted); err != nil || sw.removed >= sw.limit {
			return err
		}
	}
	return nil
}

func (sw *sweep) shelf(ctx context.Context, shelf byte, wanted func(key) bool) error {
	names, err := sw.store.list(shelf)
	if err == nil {
		err = sw.store.removeTemps(ctx, shelf, names.temps)
	}
	if err != nil {
		sw.at = key{shelf + 1} // lest one bad folder keep all later sweeps from what follows it
		return err
	}
	keys := slices.DeleteFunc(names.keys, func(k key) bool { return !wanted(k) })
	for len(keys) > 0 && sw.removed < sw.limit {
		var due []key
		due, keys, err = sw.due(ctx, keys)
		if err != nil {
			return err
		}
		if err := sw.remove(ctx, shelf, due); err != nil {
			return err
		}
	}
	return nil
}

// due reads headers until it has a batch of expired records, or as many as may still be removed.
func (sw *sweep) due(ctx context.Context, keys []key) (due, rest []key, err error) {
	for len(keys) > 0 && len(due) < min(sweepBatch, sw.limit-sw.removed) {
		key := keys[0]
		sw.at, keys = key, keys[1:] // also when it fails, lest one bad block keep all later sweeps from what follows it
		rec, err := sw.store.head(ctx, key)
		if err := ignoreGone(err); err != nil {
			return nil, nil, err
		}
		if sw.expired(rec) {
			due = append(due, key)
		}
	}
	return due, keys, nil
}

func (sw *sweep) expired(rec *session.Record) bool {
	return rec != nil && !rec.ExpiresAt.IsZero() && rec.ExpiresAt.Before(sw.before)
}

// remove removes those of the keys that are still expired now that nobody can touch them. The marks go last, and after
// the disk knows that the records have gone.
func (sw *sweep) remove(ctx context.Context, shelf byte, keys []key) error {
	if len(keys) == 0 {
		return nil
	}
	return sw.store.locked(ctx, keys[0], false, func(dir *atomicfile.Dir) error {
		var gone []*session.Record
		for _, key := range keys {
			rec, err := readHead(dir, key)
			if err := ignoreGone(err); err != nil {
				return err
			}
			if !sw.expired(rec) {
				continue
			}
			if err := dir.Remove(key.String()); err != nil {
				return err
			}
			sw.removed++
			gone = append(gone, rec)
		}
		return sw.store.forget(dir, gone)
	})
}

// forget makes the removal of the records durable, and removes them from the lists of their users.
func (s *Store) forget(dir *atomicfile.Dir, gone []*session.Record) error {
	if s.sync && len(gone) > 0 {
		if err := dir.Sync(); err != nil {
			return err
		}
	}
	for _, rec := range gone {
		s.unmark(owner(rec), keyOf(rec.ID))
	}
	return nil
}

// removeTemps removes temporary files without asking for their age: whoever writes one holds the lock of its shelf, so
// one that is there while we hold it has lost its writer.
func (s *Store) removeTemps(ctx context.Context, shelf byte, temps []string) error {
	if len(temps) == 0 {
		return nil
	}
	return s.locked(ctx, key{shelf}, false, func(dir *atomicfile.Dir) error {
		for _, name := range temps {
			if err := dir.Remove(name); err != nil {
				return err
			}
		}
		return nil
	})
}

// sweepMarks removes the marks whose records are gone. It does not read the records: a mark in the list of a wrong user
// goes when that list is asked for, or when the session has ended.
func (s *Store) sweepMarks(ctx context.Context) error {
	folders, err := s.users.Names()
	if err != nil {
		return err
	}
	var failed error
	for _, folder := range folders {
		if err := ctx.Err(); err != nil {
			return err
		}
		// One bad folder must not keep all sweeps from what follows it.
		if err := s.sweepFolder(ctx, folder); err != nil && failed == nil {
			failed = err
		}
	}
	return failed
}

func (s *Store) sweepFolder(ctx context.Context, folder string) error {
	if !isMarkFolder(folder) {
		return nil
	}
	dir, err := s.users.Sub(folder, false)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	names, err := dir.Names()
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := s.sweepMark(ctx, dir, name); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) sweepMark(ctx context.Context, marks *atomicfile.Dir, name string) error {
	key, ok := parseMark(name)
	if !ok {
		return nil
	}
	if alive, err := s.exists(ctx, key); alive || err != nil {
		return err
	}
	return s.locked(ctx, key, true, func(dir *atomicfile.Dir) error {
		if alive, err := dir.Exists(key.String()); alive || err != nil {
			return err
		}
		return marks.Remove(name)
	})
}

func (s *Store) exists(ctx context.Context, key key) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	dir, err := s.shelf(key.shelf(), false)
	if err != nil {
		return false, ignoreGone(key.explain(err))
	}
	return dir.Exists(key.String())
}
