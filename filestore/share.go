package filestore

import (
	"cmp"
	"context"
	"slices"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/atomicfile"
)

// share is what a sweep has found due in one shelf, and what became of it.
type share struct {
	due     []dueEntry        // not empty, and all of one shelf
	done    []dueEntry        // those of them that need no further look
	marked  []*session.Record // removed, and perhaps not from the disk yet, and not from the lists of their users
	moved   []dueEntry        // of records that expire later by now
	removed int
	err     error
}

func (f *share) shelf() byte { return f.due[0].key.shelf() }

// settle does what is due, and takes it out of the file.
func (f *share) settle(ctx context.Context, sw *sweep) (failed error) {
	for some := range slices.Chunk(f.due, sweepBatch) {
		failed = cmp.Or(failed, f.remove(ctx, sw, some))
	}
	failed = cmp.Or(failed, f.forget(ctx, sw.store))
	err := sw.store.locked(ctx, key{f.shelf()}, false, func(dir *atomicfile.Dir) error {
		settleDue(ctx, dir, f.shelf(), f.done, f.moved)
		return nil
	})
	return cmp.Or(failed, err)
}

// remove removes those of the records that have expired, now that nobody can touch them, and notes when the others
// will.
func (f *share) remove(ctx context.Context, sw *sweep, due []dueEntry) error {
	return sw.store.locked(ctx, key{f.shelf()}, false, func(dir *atomicfile.Dir) error {
		recs, gone := make([]*session.Record, len(due)), make([]bool, len(due))
		looked := make([]bool, len(due))
		err := several(len(due), func(i int) (err error) {
			recs[i], gone[i], err = sw.removeOne(dir, due[i].key)
			looked[i] = err == nil
			return err
		})
		for i, rec := range recs {
			if !looked[i] {
				continue
			}
			f.done = append(f.done, due[i])
			e, can := dueOf(rec, due[i].key)
			switch {
			case !gone[i] && can:
				f.moved = append(f.moved, e)
			case gone[i] && owner(rec) != "":
				f.marked = append(f.marked, rec)
			}
			if gone[i] {
				f.removed++
			}
		}
		return err
	})
}

// removeOne removes a record if it has expired, and returns it, nil when there is none.
func (sw *sweep) removeOne(dir *atomicfile.Dir, key key) (rec *session.Record, gone bool, err error) {
	rec, err = readHead(dir, key)
	if err := ignoreGone(err); err != nil || !sw.expired(rec) {
		return rec, false, err
	}
	if err := dir.Remove(key.String()); err != nil {
		return rec, false, err
	}
	return rec, true, nil
}

// forget makes the removal of the records durable, by one sync for a shelf, and then removes them from the lists of
// their users: after a power failure a record must not be back that is in no list.
func (f *share) forget(ctx context.Context, s *Store) error {
	if f.removed == 0 {
		return nil
	}
	dir, err := s.shelf(f.shelf(), false)
	if err == nil && s.sync {
		err = dir.Sync() // without the lock, for nobody has to wait for it
	}
	for gone := f.marked; len(gone) > 0 && err == nil; {
		some := gone[:min(len(gone), sweepBatch)]
		gone = gone[len(some):]
		err = f.unmark(ctx, s, some)
	}
	return err
}

// unmark removes the marks of records that are gone. One may have been saved again since.
func (f *share) unmark(ctx context.Context, s *Store, gone []*session.Record) error {
	return s.locked(ctx, key{f.shelf()}, false, func(dir *atomicfile.Dir) error {
		return several(len(gone), func(i int) error {
			key := keyOf(gone[i].ID)
			there, err := dir.Exists(key.String())
			if err == nil && !there {
				s.unmark(owner(gone[i]), key)
			}
			return err
		})
	})
}
