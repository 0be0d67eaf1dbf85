package filestore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/atomicfile"
)

// A shelf is a folder of records, and one lock. There are 256: with a million sessions each has four thousand files,
// which every file system finds by name as fast as four, and which can be listed and sorted in a few milliseconds.
// Fewer shelves would make writers wait for each other, since one holds its lock while the disk works; more would not
// fit into the open files of a process, and a second level of folders would cost every read another one to open.
const shelfCount = 256

// A key is the SHA-256 of an id. It names the file, so that an id may be any string.
type key [sha256.Size]byte

func keyOf(id string) key { return sha256.Sum256([]byte(id)) }

// parseKey returns the key of the file with that name, or false for what is not a record of this shelf.
func parseKey(name string, shelf byte) (key, bool) {
	var k key
	if len(name) != hex.EncodedLen(len(k)) {
		return k, false
	}
	_, err := hex.Decode(k[:], []byte(name))
	return k, err == nil && k.String() == name && k.shelf() == shelf
}

func (k key) String() string { return hex.EncodeToString(k[:]) }

func (k key) shelf() byte { return k[0] }

// path names the file below the folder of the store. It is what errors show.
func (k key) path() string { return "records/" + shelfName(k.shelf()) + "/" + k.String() }

func shelfName(shelf byte) string { return hex.EncodeToString([]byte{shelf}) }

// explain turns an error of the file system into one of the contract. What remains is an outage.
func (k key) explain(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w", k.path(), session.ErrNotFound)
	case errors.Is(err, atomicfile.ErrForeign):
		return fmt.Errorf("%w: %w", session.ErrCorrupt, err)
	}
	return err
}

func isNotFound(err error) bool { return errors.Is(err, session.ErrNotFound) }

// ignoreGone drops the errors that say that there is no record, or none that can be read. Lists go on without it.
func ignoreGone(err error) error {
	if isNotFound(err) || errors.Is(err, session.ErrCorrupt) {
		return nil
	}
	return err
}

// shelf returns the open folder. Without create its absence is an error that wraps [fs.ErrNotExist].
func (s *Store) shelf(i byte, create bool) (*atomicfile.Dir, error) {
	if dir := s.shelves[i].Load(); dir != nil {
		return dir, nil
	}
	s.opening.Lock()
	defer s.opening.Unlock()
	if s.closed {
		return nil, fs.ErrClosed
	}
	if dir := s.shelves[i].Load(); dir != nil {
		return dir, nil
	}
	dir, err := s.records.Sub(shelfName(i), create)
	if err != nil {
		return nil, err
	}
	s.shelves[i].Store(dir)
	return dir, nil
}

const (
	// firstHead is the part of a file that has the header of nearly every record.
	firstHead = 1 << 10
	// firstRead is the size up to which a file is read at once, before anything in it says that it is a session.
	firstRead = 4 << 20
)

// read returns the whole record, or an error that wraps session.ErrNotFound or session.ErrCorrupt, or is an outage.
func read(dir *atomicfile.Dir, key key) (*session.Record, error) {
	for most := int64(firstRead); ; {
		file, size, err := dir.Read(key.String(), most)
		if err != nil {
			return nil, key.explain(err)
		}
		if int64(len(file)) == size {
			rec, err := decode(file)
			return key.verified(rec, err)
		}
		// Whoever planted a huge file must not have us allocate it: its header has to be right first.
		if rec, _, err := decodeHeader(file, size); err != nil {
			return key.verified(rec, err)
		}
		most = size
	}
}

// readHead returns the record without its data. It reads no more of the file than it must.
func readHead(dir *atomicfile.Dir, key key) (*session.Record, error) {
	rec, _, err := readHeader(key, func(most int64) ([]byte, int64, error) {
		return dir.Read(key.String(), most)
	})
	return rec, err
}

// head is readHead for those who have no shelf at hand.
func (s *Store) head(ctx context.Context, key key) (*session.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	dir, err := s.shelf(key.shelf(), false)
	if err != nil {
		return nil, key.explain(err)
	}
	return readHead(dir, key)
}

// readHeader takes the beginning of a file from readFirst, which returns the size of the file as well.
func readHeader(key key, readFirst func(most int64) ([]byte, int64, error)) (*session.Record, []byte, error) {
	for most := int64(firstHead); ; {
		start, size, err := readFirst(most)
		if err != nil {
			return nil, nil, key.explain(err)
		}
		rec, head, err := decodeHeader(start, size)
		if need, ok := asShort(err); ok && need > most {
			most = need
			continue
		}
		rec, err = key.verified(rec, err)
		return rec, head, err
	}
}

// verified refuses a record that belongs under another key.
func (k key) verified(rec *session.Record, err error) (*session.Record, error) {
	if err == nil && keyOf(rec.ID) != k {
		err = corrupt("it is the record of another id")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.path(), err)
	}
	return rec, nil
}
