package filestore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/atomicfile"
)

// The list of a user is a number of empty files, the marks, one for each session:
//
//	users/<3 digits of the hash of the user>/<hash of the user>-<key of the session>
//
// A mark is there before its record is, and goes after it; so a mark may lead nowhere, and is removed by whoever
// notices, under the lock of the record. The users share 4096 folders: a folder for each user would cost a block of the
// disk for every one, and a race between the first mark and the removal of the folder. With a million sessions a list
// reads 250 names, those of the others too.

const markDigits = 3

// owner returns the user in whose list the record belongs, "" when it is in none.
func owner(rec *session.Record) string {
	if rec == nil || rec.Kind != session.KindLive {
		return ""
	}
	return rec.User
}

// markOf returns the folder of a user's marks, and what their names begin with.
func markOf(user string) (folder, prefix string) {
	sum := sha256.Sum256([]byte(user))
	name := hex.EncodeToString(sum[:])
	return name[:markDigits], name + "-"
}

// isMarkFolder says whether a folder of that name has marks.
func isMarkFolder(name string) bool {
	_, err := strconv.ParseUint(name, 16, 64)
	return len(name) == markDigits && err == nil && strings.ToLower(name) == name
}

// parseMark returns the key of the session that a mark leads to.
func parseMark(name string) (key, bool) {
	_, digits, _ := strings.Cut(name, "-")
	sum, err := hex.DecodeString(digits)
	if err != nil || len(sum) != sha256.Size || hex.EncodeToString(sum) != digits {
		return key{}, false
	}
	return key(sum), true
}

// mark puts the session into the list of the user, for good: also with Options.NoSync, since after a power failure a
// session may be gone, but a session that is there and in no list could not be revoked.
func (s *Store) mark(user string, key key) error {
	if user == "" {
		return nil
	}
	folder, prefix := markOf(user)
	dir, err := s.users.Sub(folder, true)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	return dir.Mark(prefix + key.String())
}

// unmark takes the session from the list. That it fails does no harm: ByUser goes by the record.
func (s *Store) unmark(user string, key key) {
	if user == "" {
		return
	}
	folder, prefix := markOf(user)
	_ = s.users.RemoveIn(folder, prefix+key.String())
}

// ByUser returns the live records of the user without their data. Nobody is signed in as "", so that list is empty.
func (s *Store) ByUser(ctx context.Context, user string) ([]*session.Record, error) {
	recs, err := s.byUser(ctx, user)
	if err != nil {
		return nil, fmt.Errorf("filestore: list user: %w", err)
	}
	return recs, nil
}

func (s *Store) byUser(ctx context.Context, user string) ([]*session.Record, error) {
	if err := ctx.Err(); err != nil || user == "" {
		return nil, err
	}
	var recs []*session.Record
	seen := make(map[key]bool)
	for again := true; again; {
		var err error
		if recs, again, err = s.look(ctx, recs, user, seen); err != nil {
			return nil, err
		}
	}
	return recs, nil
}

// look adds the records of the user whose marks it has not seen. One that is not the user's any more may have got a new
// id since the marks were read. That one was marked before the old one left, so that another look finds it.
func (s *Store) look(ctx context.Context, recs []*session.Record, user string,
	seen map[key]bool) (_ []*session.Record, again bool, err error) {
	keys, err := s.marked(user)
	if err != nil {
		return nil, false, err
	}
	for _, key := range keys {
		if seen[key] {
			continue
		}
		seen[key] = true
		rec, err := s.ownHead(ctx, user, key)
		if err != nil {
			return nil, false, err
		}
		if rec == nil {
			again = true
			continue
		}
		recs = append(recs, rec)
	}
	return recs, again, nil
}

// ownHead returns the record that a mark of the user leads to, nil when it leads nowhere, and is removed.
func (s *Store) ownHead(ctx context.Context, user string, key key) (*session.Record, error) {
	rec, err := s.head(ctx, key)
	if err := ignoreGone(err); err != nil {
		return nil, err
	}
	if rec != nil && owner(rec) == user {
		return rec, nil
	}
	return s.unmarkStale(ctx, user, key)
}

// marked returns the keys in the list of the user.
func (s *Store) marked(user string) ([]key, error) {
	folder, prefix := markOf(user)
	dir, err := s.users.Sub(folder, false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	names, err := dir.Names()
	if err != nil {
		return nil, err
	}
	var keys []key
	for _, name := range names {
		if key, ok := parseMark(name); ok && strings.HasPrefix(name, prefix) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// unmarkStale removes a mark whose record is gone or belongs to somebody else. It looks again under the lock, and
// returns what is there after all: a save that has made its mark and not yet its record holds it.
func (s *Store) unmarkStale(ctx context.Context, user string, key key) (found *session.Record, err error) {
	err = s.locked(ctx, key, true, func(dir *atomicfile.Dir) error {
		rec, err := readHead(dir, key)
		switch {
		case err != nil && !isNotFound(err): // what cannot be read may have been this user's
			return ignoreGone(err)
		case rec != nil && owner(rec) == user:
			found = rec
		default:
			s.unmark(user, key)
		}
		return nil
	})
	return found, err
}
