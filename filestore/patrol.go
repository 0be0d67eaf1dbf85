package filestore

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/coatcheck/session/internal/atomicfile"
)

// How many records a sweep reads of which no file says that they are due, and how many marks it follows. With ten
// thousand sessions, and a sweep in five minutes, each is looked at three times a day; with a million, twice a month.
const (
	patrolRecords = 256
	patrolMarks   = 1024
)

// patrol reads some records, and goes on next time: so a sweep finds what the files due do not name, after a power
// failure, a restore, or a program that does not know of them.
func (sw *sweep) patrol(ctx context.Context) error {
	sw.budget, sw.at = patrolRecords, sw.store.looked.load()
	err := sw.round(ctx, sw.look)
	sw.store.looked.store(sw.at)
	return err
}

// look reads records of a shelf until the budget is spent, removes those that have expired, and temporary files, and
// sees that the others have their entries.
func (sw *sweep) look(ctx context.Context, shelf byte, wanted func(key) bool) error {
	names, failed := sw.store.list(ctx, shelf)
	failed = cmp.Or(failed, sw.store.removeTemps(ctx, shelf, names.temps))
	all := len(names.keys)
	keys := slices.DeleteFunc(names.keys, func(k key) bool { return !wanted(k) })
	if len(keys) > sw.budget {
		keys, sw.budget = keys[:sw.budget], -1
	} else {
		sw.budget -= len(keys)
	}
	if len(keys) == 0 && (all > 0 || failed != nil) {
		return failed
	}
	if len(keys) > 0 { // or else the records are all gone, and perhaps not their entries
		sw.at = keys[len(keys)-1]
	}
	found, err := sw.store.needed(ctx, keys)
	return cmp.Or(failed, err, sw.mend(ctx, shelf, found, all))
}

// mend adds the entries that are missing in the file due of a shelf, and removes what had none for so long that it has
// expired. It drops the entries of records that are gone when they are most of the file.
func (sw *sweep) mend(ctx context.Context, shelf byte, found []dueEntry, records int) error {
	dir, err := sw.store.shelf(shelf, false)
	if err != nil {
		return ignoreAbsent(err)
	}
	entries, err := sw.store.wholeDue(ctx, dir, shelf)
	if err != nil {
		return err
	}
	due, missing := sw.unnamed(entries, found)
	if len(missing) > 0 || len(entries) > 2*records+patrolRecords {
		err = sw.store.locked(ctx, key{shelf}, false, func(dir *atomicfile.Dir) error {
			addDue(dir, missing...)
			tidyDue(ctx, dir, shelf)
			return nil
		})
	}
	if err != nil || len(due) == 0 {
		return err
	}
	sw.found = []*share{{due: due[:min(len(due), sw.limit-sw.removed)]}}
	return sw.remove(ctx)
}

// unnamed returns those of the found entries that are not in the file, nor are earlier ones: what is due, and what is
// not yet.
func (sw *sweep) unnamed(entries, found []dueEntry) (due, missing []dueEntry) {
	first := make(map[key]int64, len(entries))
	for _, e := range entries {
		if at, ok := first[e.key]; !ok || e.at < at {
			first[e.key] = e.at
		}
	}
	for _, e := range found {
		switch at, ok := first[e.key]; {
		case e.at < micros(sw.before): // also one that has an entry, which was not due when this sweep came by
			due = append(due, e)
		case !ok || at > e.at:
			missing = append(missing, e)
		}
	}
	return due, missing
}

// removeTemps removes temporary files without asking for their age: whoever writes one holds the lock of its shelf, so
// one that is there while we hold it has lost its writer.
func (s *Store) removeTemps(ctx context.Context, shelf byte, temps []string) error {
	if len(temps) == 0 {
		return nil
	}
	return s.locked(ctx, key{shelf}, false, func(dir *atomicfile.Dir) error {
		return several(len(temps), func(i int) error { return dir.Remove(temps[i]) })
	})
}

// sweepMarks removes marks whose records are gone. It does not read the records: a mark in the list of a wrong user
// goes when that list is asked for, or when the session has ended.
func (s *Store) sweepMarks(ctx context.Context) error {
	folders, err := s.users.Names()
	if err != nil {
		return err
	}
	from, _ := slices.BinarySearch(folders, s.marks.load())
	var failed error
	budget := patrolMarks
	for _, folder := range slices.Concat(folders[from:], folders[:from]) {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.marks.store(folder)
		if budget <= 0 {
			break
		}
		// One bad folder must not keep all sweeps from what follows it.
		n, err := s.sweepFolder(ctx, folder)
		if budget -= n; err != nil && failed == nil {
			failed = err
		}
	}
	return failed
}

// sweepFolder returns how many marks it has followed.
func (s *Store) sweepFolder(ctx context.Context, folder string) (int, error) {
	if !isMarkFolder(folder) {
		return 0, nil
	}
	dir, err := s.users.Sub(folder, false)
	if err != nil {
		return 0, err
	}
	defer func() { _ = dir.Close() }()
	names, err := dir.Names()
	if err != nil {
		return 0, err
	}
	return len(names), several(len(names), func(i int) error { return s.sweepMark(ctx, dir, names[i]) })
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

// ignoreAbsent drops the error that says that there is nothing of that name.
func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
