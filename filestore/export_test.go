package filestore

import (
	"context"
	"fmt"
	"time"

	"github.com/coatcheck/session"
)

// Encode and Decode open the file format to the tests.
func Encode(rec *session.Record) ([]byte, error) { return encode(rec) }

func Decode(file []byte) (*session.Record, error) { return decode(file) }

// Slots is where touches are in a file: from the first offset to before the second.
func Slots() (from, to int) { return slotAt(0), slotAt(slots) }

// PathOf returns the path of the record's file below the folder.
func PathOf(id string) string { return keyOf(id).path() }

// MarkOf returns the path of the mark that puts the session into the list of the user.
func MarkOf(user, id string) string {
	folder, prefix := markOf(user)
	return fmt.Sprintf("users/%s/%s%s", folder, prefix, keyOf(id))
}

// Hold takes the lock that writers of the id need.
func (s *Store) Hold(ctx context.Context, id string) (release func(), err error) {
	dir, err := s.shelf(keyOf(id).shelf(), true)
	if err != nil {
		return nil, err
	}
	return dir.Lock(ctx)
}

// Mark and Unmark change the list of a user and nothing else, as a crash between two steps would.
func (s *Store) Mark(user, id string) error { return s.mark(user, keyOf(id)) }

func (s *Store) Unmark(user, id string) { s.unmark(user, keyOf(id)) }

// DueOf is the file of what is due in a shelf with one record.
func DueOf(id string, at time.Time) []byte {
	return encodeDue(dueMagic, []dueEntry{{micros(at), keyOf(id)}})
}

// DueAt is such a file with another time for each record.
func DueAt(file []byte, at time.Time) []byte {
	entries, _ := parseDue(file, shelfIn(file))
	for i := range entries {
		entries[i].at = micros(at)
	}
	return encodeDue(dueMagic, entries)
}

// Redue reads such a file, and writes what it has read.
func Redue(file []byte) (again []byte, whole bool) {
	entries, whole := parseDue(file, shelfIn(file))
	return encodeDue(dueMagic, entries), whole
}

func shelfIn(file []byte) byte {
	if len(file) <= 16 {
		return 0
	}
	return file[16]
}
