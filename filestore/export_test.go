package filestore

import (
	"context"
	"fmt"

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
