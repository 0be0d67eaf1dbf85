package filestore

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"math"
	"os"
	"slices"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/atomicfile"
)

// Each shelf has a file named due, from which a sweep knows which of its records may have expired without reading them:
//
//	0  magic, which ends in the version of the format
//	8  entries of 44 bytes: a time, a key, and the CRC-32C of both
//
// A record that can expire has an entry with that time or an earlier one. So a record that is new gets one, and so does
// one whose end becomes earlier; saves and touches that move an end to later write nothing, and a sweep that meets the
// record sees where it is now. An entry is added by one write, which waits for no disk.
//
// What the file says is never believed. A sweep removes a record for what stands in the record. A file that is not
// there, or is damaged, is made anew from the records, and every sweep looks whether some of the records have an entry;
// see patrol.go. So what a power failure forgets, or somebody else's program leaves out, is found.
const (
	dueName  = "due"
	dueMagic = "coatdue\x01"
	dueSize  = 44

	// openMagic begins a file that is being made from the records. Entries are added to it already.
	openMagic = "coatdue\x00"

	// dueMost is larger than the file of any shelf with a sound number of records.
	dueMost = 64 << 20
)

type dueEntry struct {
	at  int64 // in microseconds
	key key
}

// dueOf returns the entry that a record needs.
func dueOf(rec *session.Record, key key) (dueEntry, bool) {
	if rec == nil || rec.ExpiresAt.IsZero() {
		return dueEntry{}, false
	}
	return dueEntry{micros(rec.ExpiresAt), key}, true
}

func (e dueEntry) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(e.at))
	b = append(b, e.key[:]...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[len(b)-dueSize+4:], castagnoli))
}

// parseDue reads the file of a shelf. whole is false for one that says less than it should.
func parseDue(file []byte, shelf byte) (entries []dueEntry, whole bool) {
	if len(file) < len(dueMagic) {
		return nil, false
	}
	magic, rest := string(file[:len(dueMagic)]), file[len(dueMagic):]
	whole = magic == dueMagic && len(rest)%dueSize == 0
	if !whole && magic != openMagic && magic != dueMagic {
		return nil, false
	}
	entries = make([]dueEntry, 0, len(rest)/dueSize)
	for ; len(rest) >= dueSize; rest = rest[dueSize:] {
		e := dueEntry{int64(binary.LittleEndian.Uint64(rest)), key(rest[8:40])}
		if crc32.Checksum(rest[:40], castagnoli) != binary.LittleEndian.Uint32(rest[40:]) || e.key.shelf() != shelf {
			whole = false
			continue
		}
		entries = append(entries, e)
	}
	return entries, whole
}

func encodeDue(magic string, entries []dueEntry) []byte {
	b := append(make([]byte, 0, len(magic)+dueSize*len(entries)), magic...)
	for _, e := range entries {
		b = e.append(b)
	}
	return b
}

// noteDue adds the entry that a record needs which takes the place of old. The caller holds the lock of the shelf. That
// it fails is no reason to refuse a save, least of all one that ends a session on a full disk: sweeps find the record.
// Nor is it one where there is no file yet: the sweep that makes it reads all records.
func noteDue(dir *atomicfile.Dir, key key, old, rec *session.Record) {
	e, can := dueOf(rec, key)
	if was, could := dueOf(old, key); !can || could && was.at <= e.at {
		return
	}
	addDue(dir, e)
}

func addDue(dir *atomicfile.Dir, entries ...dueEntry) {
	_ = dir.Update(dueName, func(f *os.File, size int64) error {
		if size < int64(len(dueMagic)) {
			return nil
		}
		size -= (size - int64(len(dueMagic))) % dueSize // the half of an entry is of somebody who was killed
		_, err := f.WriteAt(encodeDue("", entries), size)
		return err
	})
}

// readDue reads the file of a shelf. One that cannot be read is like none, unless that is an outage.
func readDue(dir *atomicfile.Dir, shelf byte) (entries []dueEntry, whole bool, err error) {
	file, size, err := dir.Read(dueName, firstRead)
	if err == nil && size > firstRead && size <= dueMost {
		file, size, err = dir.Read(dueName, size)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, atomicfile.ErrForeign),
		errors.Is(err, atomicfile.ErrLinked):
		return nil, false, nil
	case err != nil:
		return nil, false, err
	case int64(len(file)) < size:
		return nil, false, nil
	}
	entries, whole = parseDue(file, shelf)
	return entries, whole, nil
}

// settleDue takes entries out of the file, and puts others in. The caller holds the lock of the shelf. That it fails
// does no harm: the next sweep meets the same entries.
func settleDue(ctx context.Context, dir *atomicfile.Dir, shelf byte, done, moved []dueEntry) {
	entries, whole, err := readDue(dir, shelf)
	if err != nil || !whole {
		return
	}
	settled, last := make(map[dueEntry]bool, len(done)), int64(math.MinInt64)
	for _, e := range done {
		settled[e], last = true, max(last, e.at)
	}
	entries = slices.DeleteFunc(entries, func(e dueEntry) bool { return e.at <= last && settled[e] })
	if len(moved) > 0 {
		entries = merged(entries, moved)
	}
	_ = dir.Write(ctx, dueName, encodeDue(dueMagic, entries), false)
}

// tidyDue drops the entries of records that are gone. The caller holds the lock of the shelf, so that none is coming.
func tidyDue(ctx context.Context, dir *atomicfile.Dir, shelf byte) {
	names, err := dir.Names()
	entries, whole, dueErr := readDue(dir, shelf)
	if err != nil || dueErr != nil || !whole {
		return
	}
	there := make(map[string]bool, len(names))
	for _, name := range names {
		there[name] = true
	}
	entries = slices.DeleteFunc(entries, func(e dueEntry) bool { return !there[e.key.String()] })
	_ = dir.Write(ctx, dueName, encodeDue(dueMagic, merged(entries, nil)), false)
}

// makeDue makes the file of a shelf from its records, and returns what it found. Those that come while it reads are
// added to what is there. Where nothing can be written, as on a full disk, what it found is true all the same. So it is
// where a record cannot be read, and then the file is made anew next time.
func (s *Store) makeDue(ctx context.Context, shelf byte) (found []dueEntry, err error) {
	if err := s.writeDue(ctx, shelf, openMagic, nil); err != nil {
		return nil, err
	}
	names, err := s.list(ctx, shelf)
	if err != nil {
		return nil, err
	}
	if found, err = s.needed(ctx, names.keys); err != nil {
		return found, err
	}
	return found, s.writeDue(ctx, shelf, dueMagic, found)
}

func (s *Store) writeDue(ctx context.Context, shelf byte, magic string, found []dueEntry) error {
	return s.locked(ctx, key{shelf}, false, func(dir *atomicfile.Dir) error {
		_ = rewriteDue(ctx, dir, shelf, magic, found)
		return ctx.Err()
	})
}

// needed returns the entries that records need, also if it cannot read some of them.
func (s *Store) needed(ctx context.Context, keys []key) (found []dueEntry, err error) {
	recs := make([]*session.Record, len(keys))
	err = several(len(keys), func(i int) (err error) {
		recs[i], err = s.head(ctx, keys[i])
		return ignoreGone(err)
	})
	for i, rec := range recs {
		if e, can := dueOf(rec, keys[i]); can {
			found = append(found, e)
		}
	}
	return found, err
}

// rewriteDue writes the file with what it has and what was found. What another one was made of meanwhile is in it.
func rewriteDue(ctx context.Context, dir *atomicfile.Dir, shelf byte, magic string, found []dueEntry) error {
	entries, _, err := readDue(dir, shelf)
	if err != nil {
		return err
	}
	return dir.Write(ctx, dueName, encodeDue(magic, merged(entries, found)), false)
}

// earliest is the time at which the first of the entries is due.
func earliest(entries []dueEntry) int64 {
	first := int64(math.MaxInt64)
	for _, e := range entries {
		first = min(first, e.at)
	}
	return first
}

// wholeDue returns the entries of a shelf, of a file that is made anew where that is needed.
func (s *Store) wholeDue(ctx context.Context, dir *atomicfile.Dir, shelf byte) ([]dueEntry, error) {
	entries, whole, err := readDue(dir, shelf)
	if err != nil || whole {
		return entries, err
	}
	return s.makeDue(ctx, shelf)
}

// merged has each entry once.
func merged(entries, more []dueEntry) []dueEntry {
	known := make(map[dueEntry]bool, len(entries)+len(more))
	return slices.DeleteFunc(append(entries, more...), func(e dueEntry) bool {
		twice := known[e]
		known[e] = true
		return twice
	})
}
